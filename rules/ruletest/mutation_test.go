package ruletest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"nirapod/rules"
	"nirapod/rules/ruletest"
	"nirapod/safety"
)

// mutant is a rule with one thing changed.
type mutant struct {
	what string
	rule rules.Rule
}

// TestNothingInAPackCanChangeUnnoticed changes the shipped packs one thing at
// a time; some case must fail each time.
func TestNothingInAPackCanChangeUnnoticed(t *testing.T) {
	packs, files := shippedPacks(t), shippedCases(t)
	tried := 0
	for p, pack := range packs {
		for i, rule := range pack.Rules {
			for _, m := range mutants(t, rule) {
				changed := slices.Clone(packs)
				changed[p].Rules = slices.Clone(pack.Rules)
				changed[p].Rules[i] = m.rule
				tried++
				if testing.Short() && tried%5 != 0 {
					continue
				}
				if !notices(files[pack.Name], rule.Name, changed) {
					t.Errorf("%s: rule %s: no case fails when %s", pack.Name, rule.Name, m.what)
				}
			}
			if !notices(files[pack.Name], rule.Name, without(packs, p, i)) {
				t.Errorf("%s: no case fails without rule %s", pack.Name, rule.Name)
			}
		}
	}
	if tried < 150 {
		t.Errorf("only %d changes tried", tried)
	}
}

// notices reports whether some case fails; those that speak of the rule are
// asked first.
func notices(f ruletest.File, rule string, packs []rules.Pack) bool {
	speaks := func(c ruletest.Case) bool {
		return slices.ContainsFunc(append(c.Want, c.Refused...), func(line string) bool { return strings.Contains(line, " "+rule+" ") })
	}
	for _, first := range []bool{true, false} {
		for _, c := range f.Cases {
			one := f
			one.Cases = []ruletest.Case{c}
			if speaks(c) == first && len(one.Run(packs)) > 0 {
				return true
			}
		}
	}
	return false
}

func without(packs []rules.Pack, p, i int) []rules.Pack {
	out := slices.Clone(packs)
	out[p].Rules = slices.Delete(slices.Clone(packs[p].Rules), i, i+1)
	return out
}

func mutants(t *testing.T, r rules.Rule) []mutant {
	t.Helper()
	var out []mutant
	add := func(what string, change func(*rules.Rule)) {
		m := r
		m.Limits = slices.Clone(r.Limits)
		for i := range m.Limits {
			m.Limits[i].ByClass = maps.Clone(r.Limits[i].ByClass)
			m.Limits[i].ByWork = maps.Clone(r.Limits[i].ByWork)
		}
		change(&m)
		out = append(out, mutant{what, m})
	}
	for i, l := range r.Limits {
		for _, factor := range []float64{0.8, 1.2} {
			if l.ByClass == nil && l.ByWork == nil {
				v := moved(l, l.Value, factor)
				add(fmt.Sprintf("%s is %g", l.Name, v), func(r *rules.Rule) { r.Limits[i].Value = v })
			}
			for class, value := range l.ByClass {
				v := moved(l, value, factor)
				add(fmt.Sprintf("%s of %s is %g", l.Name, class, v), func(r *rules.Rule) { r.Limits[i].ByClass[class] = v })
			}
			for work, value := range l.ByWork {
				v := moved(l, value, factor)
				add(fmt.Sprintf("%s of %s is %g", l.Name, work, v), func(r *rules.Rule) { r.Limits[i].ByWork[work] = v })
			}
		}
	}
	times(r, add)
	words(r, add)
	expressions(t, r, add)
	return out
}

// moved is a figure a fifth off; a count is one off.
func moved(l rules.Limit, value, factor float64) float64 {
	if l.Unit == "count" {
		return value + map[float64]float64{0.8: -1, 1.2: 1}[factor]
	}
	return value * factor
}

func times(r rules.Rule, add func(string, func(*rules.Rule))) {
	for _, fifth := range []time.Duration{4, 6} {
		if r.For > 0 {
			add(fmt.Sprintf("for is %v", r.For*fifth/5), func(r *rules.Rule) { r.For = r.For * fifth / 5 })
		}
		if r.KeepFiringFor > 0 {
			add(fmt.Sprintf("keep_firing_for is %v", r.KeepFiringFor*fifth/5), func(r *rules.Rule) { r.KeepFiringFor = r.KeepFiringFor * fifth / 5 })
		}
		if r.DelayAtMost > 0 {
			add(fmt.Sprintf("at_most is %v", r.DelayAtMost*fifth/5), func(r *rules.Rule) { r.DelayAtMost = r.DelayAtMost * fifth / 5 })
		}
	}
}

func words(r rules.Rule, add func(string, func(*rules.Rule))) {
	if r.Latch {
		add("it does not latch", func(r *rules.Rule) { r.Latch = false })
	}
	if r.Filter != (rules.Filter{}) {
		add("it has no filter", func(r *rules.Rule) { r.Filter = rules.Filter{} })
	}
	if r.Reset != "" {
		add("it has no reset", func(r *rules.Rule) { r.Reset = "" })
	}
	if r.Requires != "" {
		add("it requires nothing", func(r *rules.Rule) { r.Requires = "" })
	}
	for i, work := range r.Permit {
		add(fmt.Sprintf("no permit for %s covers it", work), func(r *rules.Rule) { r.Permit = slices.Delete(slices.Clone(r.Permit), i, i+1) })
	}
	if r.Delay != "" {
		add("nothing delays it", func(r *rules.Rule) { r.Delay, r.DelayAtMost = "", 0 })
	}
	if r.Flapping.Times > 0 {
		add("it never flaps", func(r *rules.Rule) { r.Flapping = rules.Flapping{} })
		add("it flaps at once more", func(r *rules.Rule) { r.Flapping.Times++ })
		add("it flaps at once less", func(r *rules.Rule) { r.Flapping.Times-- })
		add("it flaps within less", func(r *rules.Rule) { r.Flapping.Within = r.Flapping.Within * 4 / 5 })
		add("it flaps within more", func(r *rules.Rule) { r.Flapping.Within = r.Flapping.Within * 6 / 5 })
	}
	if n := len(r.Steps); n > 0 {
		add("its last step is missing", func(r *rules.Rule) { r.Steps = r.Steps[:n-1] })
	}
	add("its class is another", func(r *rules.Rule) { r.Class = "other" })
	add("its severity is another", func(r *rules.Rule) { r.Severity = "other" })
	add("its hazard is another", func(r *rules.Rule) { r.Hazard = "other" })
	if r.Quantities != nil {
		other := safety.Noise
		if slices.Contains(r.Quantities, other) {
			other = safety.Light
		}
		add("it is about another quantity", func(r *rules.Rule) { r.Quantities = []safety.Quantity{other} })
	}
}

type field struct {
	name, src string
	set       func(*rules.Rule, string)
}

func expressions(t *testing.T, r rules.Rule, add func(string, func(*rules.Rule))) {
	t.Helper()
	fields := []field{
		{"when", r.When, func(r *rules.Rule, s string) { r.When = s }},
		{"reset", r.Reset, func(r *rules.Rule, s string) { r.Reset = s }},
		{"delay", r.Delay, func(r *rules.Rule, s string) { r.Delay = s }},
		{"requires", r.Requires, func(r *rules.Rule, s string) { r.Requires = s }},
	}
	for i, step := range r.Steps {
		fields = append(fields, field{fmt.Sprintf("steps[%d]", i), step.When, func(r *rules.Rule, s string) {
			r.Steps = slices.Clone(r.Steps)
			r.Steps[i].When = s
		}})
	}
	for _, e := range fields {
		if e.src == "" {
			continue
		}
		for _, s := range variants(t, e.src) {
			add(fmt.Sprintf("%s is %s", e.name, s), func(r *rules.Rule) { e.set(r, s) })
		}
	}
}

// variants writes an expression with one operand dropped, one whole number
// moved by one, or one window moved by a fifth.
func variants(t *testing.T, src string) []string {
	t.Helper()
	var out []string
	for i := 0; ; i++ {
		tree, err := parser.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		v := &variant{want: i}
		ast.Walk(&tree.Node, v)
		if !v.done {
			return out
		}
		out = append(out, tree.Node.String())
	}
}

type variant struct {
	want, seen int
	done       bool
}

func (v *variant) next() bool {
	v.seen++
	hit := v.seen-1 == v.want
	v.done = v.done || hit
	return hit
}

func (v *variant) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		if n.Operator == "&&" || n.Operator == "||" || n.Operator == "+" {
			if v.next() {
				*node = n.Left
			} else if v.next() {
				*node = n.Right
			}
		}
	case *ast.IntegerNode:
		if v.next() {
			n.Value++
		} else if v.next() {
			n.Value--
		}
	case *ast.StringNode:
		if d, err := time.ParseDuration(n.Value); err == nil {
			if v.next() {
				n.Value = (d * 4 / 5).String()
			} else if v.next() {
				n.Value = (d * 6 / 5).String()
			}
		}
	}
}
