package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

// Change is a limit of a rule as its pack has it and as a site has it.
type Change struct {
	Index    int // in the site's list
	Rule     string
	Was, Own safety.SiteLimit // Was holds the rule's, limit's and key's names too
	Doubt    string           // why a person should look at it again; "" = no reason known
}

// String says what changes, in words, with where the site's value comes from.
func (c Change) String() string {
	return fmt.Sprintf("rule %s: %s %s instead of %s (%s; %s; %s)", c.Rule, ownName(c.Own), ownFigure(c.Own), ownFigure(c.Was),
		c.Own.Source, c.Own.Clause, c.Own.Confidence)
}

func ownName(o safety.SiteLimit) string {
	if key := o.Class + o.Work; key != "" {
		return o.Limit + " of " + key
	}
	return o.Limit
}

func ownFigure(o safety.SiteLimit) string {
	return strconv.FormatFloat(o.Value, 'g', -1, 64) + " " + o.Unit
}

// Own returns packs with the values that a site puts in place of theirs, and
// what they change, in the site's order. The packs given are not touched:
// others share them. wrong hears of each mistake: of which of own, which of its
// fields, what and the remedy.
func Own(packs []Pack, own []safety.SiteLimit, wrong func(i int, field, text string)) ([]Pack, []Change) {
	if len(own) == 0 {
		return packs, nil
	}
	w := ownWriter{packs: slices.Clone(packs), wrong: wrong, seen: map[string]int{}, copied: map[string]bool{}}
	for i, o := range own {
		w.take(i, o)
	}
	w.ordered(packs, own)
	for _, r := range w.touched {
		lowered, _ := lowerRule(r, newSlots())
		r.fingerprint = lowered.fingerprint
		for j := range w.changes {
			if c := &w.changes[j]; c.Rule == r.Name {
				c.Doubt = doubt(r, c.Was, c.Own)
				r.Clause += fmt.Sprintf("; here %s %s instead of %s, by %s, %s", ownName(c.Own), ownFigure(c.Own), ownFigure(c.Was), c.Own.Source, c.Own.Clause)
			}
		}
	}
	return w.packs, w.changes
}

// ownWriter writes a site's values into copies of the rules they are for.
type ownWriter struct {
	packs   []Pack
	wrong   func(i int, field, text string)
	seen    map[string]int // index by what is set
	copied  map[string]bool
	touched []*Rule
	changes []Change
}

func (w *ownWriter) take(i int, o safety.SiteLimit) {
	say := func(field, format string, args ...any) { w.wrong(i, field, fmt.Sprintf(format, args...)) }
	sound := obliged(o, say)
	r := w.rule(o.Rule)
	if r == nil {
		say("rule", "there is no rule %q; near it are %s", o.Rule, nearest(o.Rule, w.ruleNames()))
		return
	}
	at := slices.IndexFunc(r.Limits, func(l Limit) bool { return l.Name == o.Limit })
	if at < 0 {
		say("limit", "rule %s has no limit %q; it has %s", r.Name, o.Limit, limitNames(r))
		return
	}
	l := &r.Limits[at]
	if o.Unit != l.Unit {
		say("unit", "%q: %s of rule %s is in %s", o.Unit, l.Name, r.Name, l.Unit)
		sound = false
	}
	what := strings.Join([]string{o.Rule, o.Limit, o.Class, o.Work}, " ")
	if first, twice := w.seen[what]; twice {
		say("limit", "%s of rule %s is set already by limits[%d]: keep one", ownName(o), r.Name, first)
		return
	}
	w.seen[what] = i
	if math.IsNaN(o.Value) || math.IsInf(o.Value, 0) {
		say("value", "%v is not a number", o.Value)
		return
	}
	was := o
	was.Source, was.Clause, was.Confidence = l.Source, l.Clause, string(l.Confidence)
	if !set(l, o, &was.Value, say) || !sound {
		return
	}
	w.changes = append(w.changes, Change{Index: i, Rule: r.Name, Was: was, Own: o})
}

// obliged holds a site's value to what is asked of a pack's.
func obliged(o safety.SiteLimit, say func(field, format string, args ...any)) bool {
	sound := true
	for _, f := range [...]struct{ field, text, remedy string }{
		{"source", o.Source, "missing: say by what document or measurement"},
		{"clause", o.Clause, "missing: say which part of it, and how it is used here"},
	} {
		if strings.TrimSpace(f.text) == "" {
			say(f.field, "%s", f.remedy)
			sound = false
		}
	}
	known := []string{string(Verified), string(Secondary), string(Recalled), string(Inferred), string(Chosen)}
	if !slices.Contains(known, o.Confidence) {
		say("confidence", "%q: want one of %s", o.Confidence, strings.Join(known, ", "))
		sound = false
	}
	return sound
}

// set puts the value of o where the limit has one, and says what stood there.
func set(l *Limit, o safety.SiteLimit, was *float64, say func(field, format string, args ...any)) bool {
	table, key, field := l.ByClass, o.Class, "class"
	other, otherField := o.Work, "metabolic_class"
	if l.ByWork != nil {
		table, key, field, other, otherField = l.ByWork, o.Work, "metabolic_class", o.Class, "class"
	}
	switch {
	case table == nil && key+other != "":
		say(map[bool]string{true: "class", false: "metabolic_class"}[o.Class != ""], "%s is one value for all: leave it out", l.Name)
		return false
	case other != "":
		say(otherField, "%s is tabled by %s: name one of %s there", l.Name, field, keys(table))
		return false
	case table == nil:
		*was, l.Value = l.Value, o.Value
		l.Source, l.Clause, l.Confidence = o.Source, o.Clause, Confidence(o.Confidence)
		return true
	}
	before, known := table[key]
	if !known {
		say(field, "%q: %s is tabled by %s: want one of %s", key, l.Name, field, keys(table))
		return false
	}
	*was, table[key] = before, o.Value
	return true
}

func keys(table map[string]float64) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}

// rule returns the rule of that name, copied before it is first written to.
func (w *ownWriter) rule(name string) *Rule {
	for p := range w.packs {
		for i := range w.packs[p].Rules {
			if w.packs[p].Rules[i].Name != name {
				continue
			}
			if !w.copied[name] {
				w.copied[name] = true
				w.copyOf(p, i)
				w.touched = append(w.touched, &w.packs[p].Rules[i])
			}
			return &w.packs[p].Rules[i]
		}
	}
	return nil
}

// copyOf makes rule i of pack p the writer's own, and the list it stands in.
func (w *ownWriter) copyOf(p, i int) {
	pack := &w.packs[p]
	if !w.copied["pack "+pack.Name] {
		w.copied["pack "+pack.Name] = true
		pack.Rules = slices.Clone(pack.Rules)
	}
	r := &pack.Rules[i]
	r.Limits = slices.Clone(r.Limits)
	for j := range r.Limits {
		l := &r.Limits[j]
		l.ByClass, l.ByWork = maps.Clone(l.ByClass), maps.Clone(l.ByWork)
	}
}

func (w *ownWriter) ruleNames() (out []string) {
	for _, p := range w.packs {
		for _, r := range p.Rules {
			out = append(out, r.Name)
		}
	}
	return out
}

func limitNames(r *Rule) string {
	var out []string
	for _, l := range r.Limits {
		out = append(out, l.Name)
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

func nearest(word string, known []string) string {
	return strings.Join(yamlfile.Nearest(word, known, 3), ", ")
}

// ordered refuses values that turn the order of two limits of a rule around: an
// alarm that ends above where it begins is none.
func (w *ownWriter) ordered(before []Pack, own []safety.SiteLimit) {
	for _, r := range w.touched {
		old := ruleOf(before, r.Name)
		for a := range r.Limits {
			for b := range r.Limits[:a] {
				x, y := r.Limits[a], r.Limits[b]
				was, is := old.Limits[a].Value-old.Limits[b].Value, x.Value-y.Value
				if x.Unit != y.Unit || x.tabled() || y.tabled() || was*is >= 0 {
					continue
				}
				i := slices.IndexFunc(own, func(o safety.SiteLimit) bool { return o.Rule == r.Name && (o.Limit == x.Name || o.Limit == y.Name) })
				low, high := x, y
				if is > 0 {
					low, high = y, x
				}
				w.wrong(i, "value", fmt.Sprintf("rule %s: %s %g would be below %s %g, and in the pack it is not: set both", r.Name, low.Name, low.Value, high.Name, high.Value))
			}
		}
	}
}

func (l Limit) tabled() bool { return l.ByClass != nil || l.ByWork != nil }

func ruleOf(packs []Pack, name string) *Rule {
	for p := range packs {
		for i := range packs[p].Rules {
			if r := &packs[p].Rules[i]; r.Name == name {
				return r
			}
		}
	}
	return nil
}
