// Package explain says in words what a rule asks, where its figures come
// from, and when it does not know: for the people who have to believe it.
package explain

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"nirapod/rules"
	"nirapod/safety"
)

// Write explains the rules and packs of those names, or all of them. A name
// that nothing has is an error that wraps safety.ErrInvalid.
func Write(w io.Writer, packs []rules.Pack, names []string) error {
	var texts, known []string
	asked := func(name string) bool { return len(names) == 0 || slices.Contains(names, name) }
	for _, p := range packs {
		known = append(known, p.Name)
		for _, r := range p.Rules {
			known = append(known, r.Name)
			if asked(p.Name) || asked(r.Name) {
				texts = append(texts, Rule(p.Name, r))
			}
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%q is no rule and no pack; there are %s: %w", name, strings.Join(known, ", "), safety.ErrInvalid)
		}
	}
	_, err := io.WriteString(w, strings.Join(texts, "\n"))
	return err
}

// Rule explains one rule of a pack.
func Rule(pack string, r rules.Rule) string {
	var b strings.Builder
	line := func(head, format string, args ...any) {
		fmt.Fprintf(&b, "  %s: %s\n", head, fmt.Sprintf(format, args...))
	}
	s := speaker{limits: map[string]rules.Limit{}}
	for _, l := range r.Limits {
		s.limits[l.Name] = l
	}
	fmt.Fprintf(&b, "%s (pack %s)\n", r.Name, pack)
	line("what", "%s of severity %s about %s", article(string(r.Class)), r.Severity, r.Hazard)
	line("where", "%s; runs on %s", subject(r), places(r.Runs))
	line("fires when", "%s%s", s.condition(r.When), hold(r))
	for _, step := range r.Steps {
		line("then of severity "+string(step.Severity), "when also %s", s.condition(step.When))
	}
	if r.Delay != "" {
		line("put off", "by at most %v, while %s", r.DelayAtMost, s.condition(r.Delay))
	}
	line("ends", "%s", s.end(r))
	if r.Flapping.Times > 0 {
		line("comes and goes", "having fired %d times within %v, it ends only when it has been gone for %[2]v", r.Flapping.Times, r.Flapping.Within)
	}
	if r.Requires != "" {
		line("refuses the place unless", "%s", s.condition(r.Requires))
	}
	if len(r.Permit) > 0 {
		line("permits", "for %s hide the sensors that they name", joined(r.Permit))
	}
	for _, text := range s.unknowns() {
		line("unknown when", "%s", text)
	}
	for _, l := range r.Limits {
		line("limit", "%s = %s (%s; %s; %s)", l.Name, figure(l), l.Source, l.Clause, confidence[l.Confidence])
	}
	line("told with it", "%s", r.Clause)
	return b.String()
}

var confidence = map[rules.Confidence]string{
	rules.Verified:  "verified in the primary text",
	rules.Secondary: "read in a secondary source",
	rules.Recalled:  "recalled, to be verified before it is relied on",
	rules.Inferred:  "our arithmetic from sourced facts",
	rules.Chosen:    "our own choice",
}

func article(word string) string {
	if strings.ContainsAny(word[:1], "aeiou") {
		return "an " + word
	}
	return "a " + word
}

func subject(r rules.Rule) string {
	var qs []string
	for _, q := range r.Quantities {
		qs = append(qs, string(q))
	}
	what := "each zone that has a sensor asked for"
	if r.Scope == rules.ScopeSensor {
		what = "each sensor"
		if len(qs) > 0 {
			what = "each sensor of " + strings.Join(qs, ", ")
		}
	}
	if r.Scope == rules.ScopeExit {
		what = "each exit but windows"
	}
	f := r.Filter
	if f.Suffix != "" {
		what += ", EN 54-5 suffix " + f.Suffix
	}
	if f.MinGrade != "" {
		what += fmt.Sprintf(", grade %s or better", f.MinGrade)
	}
	for _, flag := range []struct {
		is   *bool
		name string
	}{{f.LifeSafety, "life_safety"}, {f.SteamProne, "steam_prone"}, {f.HighBay, "high_bay"}} {
		if flag.is != nil {
			what += fmt.Sprintf(", %s %t", flag.name, *flag.is)
		}
	}
	return what
}

func joined(works []safety.Work) string {
	var words []string
	for _, w := range works {
		words = append(words, strings.ReplaceAll(string(w), "_", " "))
	}
	return strings.Join(words, " and ")
}

func places(on rules.RunsOn) string {
	switch on {
	case rules.Gateway:
		return "the gateway"
	case rules.Server:
		return "the server"
	}
	return "the gateway and the server"
}

func hold(r rules.Rule) string {
	if r.For == 0 {
		return ""
	}
	return fmt.Sprintf(", for %v", r.For)
}

func (s *speaker) end(r rules.Rule) string {
	gone := "that is no longer so"
	if r.Reset != "" {
		gone = s.condition(r.Reset)
	}
	switch {
	case r.Latch:
		return "only by a person's reset, and only when it is known that " + gone
	case r.KeepFiringFor > 0:
		return fmt.Sprintf("when %s, for %v", gone, r.KeepFiringFor)
	}
	return "when " + gone
}

func figure(l rules.Limit) string {
	switch {
	case l.ByClass != nil:
		return tabled(l.ByClass) + " " + l.Unit + " by class"
	case l.ByWork != nil:
		return tabled(l.ByWork) + " " + l.Unit + " by metabolic class"
	}
	return strconv.FormatFloat(l.Value, 'g', -1, 64) + " " + l.Unit
}

func tabled(values map[string]float64) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, key+" "+strconv.FormatFloat(values[key], 'g', -1, 64))
	}
	return strings.Join(parts, ", ")
}
