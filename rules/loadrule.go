package rules

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/safety"
)

const (
	maxHold  = 24 * time.Hour
	maxDelay = 60 * time.Second // safety.md 5
)

var ruleName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// rule reads and checks one rule; its mistakes go to s.
func (s *source) rule(n *yaml.Node) Rule {
	f := s.mapping(n, "a rule", "name", "hazard", "class", "severity", "scope", "quantity", "filter", "when",
		"for", "keep_firing_for", "reset", "latch", "steps", "flapping", "delay", "requires", "permit", "runs", "limits", "clause")
	r := Rule{file: s.name, Name: f.text("name"), When: f.text("when"), Clause: f.text("clause")}
	if r.Name != "" && !ruleName.MatchString(r.Name) {
		s.wrong(f.of["name"], "name %q: small letters, digits and hyphens", r.Name)
	}
	r.Hazard = oneOf(f, "hazard", safety.HazardFire, safety.HazardGas, safety.HazardCrowd, safety.HazardExit, safety.HazardSystem,
		safety.HazardHours, safety.HazardBoiler, safety.HazardStructure, safety.HazardHeat, safety.HazardNoise)
	r.Class = oneOf(f, "class", safety.ClassAlarm, safety.ClassFault, safety.ClassIsolation, safety.ClassInfo)
	r.Severity = severityOf(f)
	r.Scope = oneOf(f, "scope", ScopeSensor, ScopeZone, ScopeExit)
	r.Runs = f.runs()
	r.Filter = f.filter()
	r.Limits = f.limits()
	r.For = f.duration("for", 0, maxHold)
	r.KeepFiringFor = f.duration("keep_firing_for", 0, maxHold)
	r.Latch = f.flag("latch")
	r.Reset, _ = f.scalar("reset")
	r.Requires, _ = f.scalar("requires")
	before := len(s.mistakes)
	f.quantity(&r)
	asked := len(s.mistakes) == before
	f.delay(&r)
	f.steps(&r)
	f.flapping(&r)
	r.Permit = f.permit()
	f.consistent(r)
	if asked && r.Scope != "" && r.When != "" { // else every name in it would be a mistake
		r.fingerprint = f.lower(&r)
		f.permitted(r)
	}
	return r
}

// lower checks the rule's expressions by lowering them, and returns its meaning.
func (f fields) lower(r *Rule) string {
	b, bad := lowerRule(r, newSlots())
	for _, x := range bad {
		f.src.wrongIn(f.expression(x.field), x.offset, "rule %s: %s: %s", r.Name, x.field, x.err)
	}
	return b.fingerprint
}

// consistent refuses what is well written and makes no sense.
func (f fields) consistent(r Rule) {
	if r.Latch && (r.KeepFiringFor > 0 || r.Class != safety.ClassAlarm) {
		f.src.wrong(f.of["latch"], "only an alarm latches, and what latches needs no keep_firing_for: a person ends it")
	}
	if r.worst() == safety.Evacuate && r.Filter.MinGrade.Rank() < safety.Industrial.Rank() &&
		!slices.Equal(r.Quantities, []safety.Quantity{safety.CallPoint}) {
		f.src.wrong(f.of["severity"], "evacuate needs a call point, or filter: {min_grade: industrial}: indicative sensors alone evacuate nobody")
	}
	if r.Class == safety.ClassAlarm && r.Severity.Rank() < safety.Warning.Rank() && r.Severity != "" {
		f.src.wrong(f.of["severity"], "an alarm is a warning at least")
	}
}

// worst is the severity that the rule may reach.
func (r Rule) worst() safety.Severity {
	if n := len(r.Steps); n > 0 {
		return r.Steps[n-1].Severity
	}
	return r.Severity
}

func severityOf(f fields) safety.Severity {
	return oneOf(f, "severity", safety.Info, safety.Warning, safety.PreAlarm, safety.Alarm, safety.Evacuate)
}

func oneOf[T ~string](f fields, key string, allowed ...T) T {
	word := T(f.text(key))
	if word != "" && !slices.Contains(allowed, word) {
		f.src.wrong(f.of[key], "%s %q: want one of %v", key, word, allowed)
		return ""
	}
	return word
}

// words reads one word or a list of words.
func (f fields) words(key string) []*yaml.Node {
	n := f.of[key]
	if n == nil {
		return nil
	}
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	for i, item := range list {
		if item.Kind != yaml.ScalarNode {
			f.src.wrong(item, "%s must be a word or a list of words", key)
			return nil
		}
		for _, other := range list[:i] {
			if other.Value == item.Value {
				f.src.wrong(item, "%s has %q twice", key, item.Value)
			}
		}
	}
	return list
}

func (f fields) runs() RunsOn {
	var out RunsOn
	for _, n := range f.words("runs") {
		switch n.Value {
		case "gateway":
			out |= Gateway
		case "server":
			out |= Server
		default:
			f.src.wrong(n, "runs %q: want gateway, server or both", n.Value)
		}
	}
	if f.of["runs"] == nil {
		f.src.wrong(f.node, "runs is missing: [gateway, server]")
	}
	return out
}

func (f fields) quantity(r *Rule) {
	list := f.words("quantity")
	switch {
	case r.Scope != ScopeSensor && len(list) > 0:
		f.src.wrong(list[0], "a rule about a zone or an exit names quantities in its condition: any(smoke, .value == 1)")
		return
	case r.Scope == ScopeSensor && len(list) == 0:
		f.src.wrong(f.node, "quantity is missing: which sensors is the rule about? (any = all)")
		return
	case len(list) == 1 && list[0].Value == "any":
		return
	}
	for _, n := range list {
		if !isQuantity(n.Value) {
			f.src.wrong(n, "quantity %q is not known", n.Value)
			continue
		}
		r.Quantities = append(r.Quantities, safety.Quantity(n.Value))
	}
}

func (f fields) duration(key string, low, high time.Duration) time.Duration {
	text, n := f.scalar(key)
	if n == nil {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < low || d > high || d%time.Millisecond != 0 {
		f.src.wrong(n, "%s %q: want a time from %v to %v, such as 10s", key, text, low, high)
		return 0
	}
	return d
}

func (f fields) whole(key string, low, high int) int {
	text, n := f.scalar(key)
	if n == nil {
		return 0
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < low || value > high {
		f.src.wrong(n, "%s %q: want a whole number from %d to %d", key, text, low, high)
		return 0
	}
	return value
}

func (f fields) flag(key string) bool {
	text, n := f.scalar(key)
	if n != nil && text != "true" && text != "false" {
		f.src.wrong(n, "%s %q: want true or false", key, text)
	}
	return text == "true"
}

func (f fields) filter() Filter {
	n := f.of["filter"]
	if n == nil {
		return Filter{}
	}
	in := f.src.mapping(n, "filter", "suffix", "min_grade", "life_safety", "steam_prone", "high_bay")
	out := Filter{LifeSafety: in.tristate("life_safety"), SteamProne: in.tristate("steam_prone"), HighBay: in.tristate("high_bay")}
	if in.of["suffix"] != nil {
		out.Suffix = oneOf(in, "suffix", "R", "S")
	}
	if in.of["min_grade"] != nil {
		out.MinGrade = oneOf(in, "min_grade", safety.Indicative, safety.Industrial, safety.Certified)
	}
	return out
}

func (f fields) tristate(key string) *bool {
	if f.of[key] == nil {
		return nil
	}
	value := f.flag(key)
	return &value
}

func (f fields) delay(r *Rule) {
	n := f.of["delay"]
	if n == nil {
		return
	}
	in := f.src.mapping(n, "delay", "while", "at_most")
	r.Delay = strings.TrimSpace(in.text("while"))
	r.DelayAtMost = in.duration("at_most", time.Millisecond, maxDelay)
	if in.of["at_most"] == nil {
		f.src.wrong(n, "delay: at_most is missing")
	}
}
