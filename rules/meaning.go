package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/file"

	"nirapod/safety"
)

// refused is one thing wrong with an expression of a rule: which field, where
// in it (rune offset), what.
type refused struct {
	field  string
	offset int
	err    string
}

// lowerRule lowers all expressions of a rule. Fields that were refused have
// conditions that are always unknown.
func lowerRule(r *Rule, slots *slots) (*bound, []refused) {
	out := &bound{Rule: r}
	env := environment(r)
	var all []refused
	var windows []time.Duration
	lower := func(field, src string) (*cond, uses) {
		l := &lowerer{rule: r, field: field, slots: slots, uses: uses{lists: out.uses.lists}}
		c, bad := l.lower(field, src, env)
		all = append(all, bad...)
		out.uses.add(l.uses)
		windows = append(windows, l.windows...)
		return c, l.uses
	}
	when, reads := lower("when", r.When)
	out.when = *when
	for _, d := range windows {
		out.fill = max(out.fill, d.Milliseconds())
	}
	if !reads.live && len(all) == 0 {
		all = append(all, refused{"when", 0, "it reads no sensor: it would never change"})
	}
	if r.Reset != "" {
		var asks uses
		out.reset, asks = lower("reset", r.Reset)
		out.ends = asks.least
	}
	for i, s := range r.Steps {
		step, asks := lower(stepField(i), s.When)
		out.steps = append(out.steps, *step)
		if !asks.live && len(all) == 0 {
			all = append(all, refused{stepField(i), 0, "it reads no sensor: it would never change"})
		}
	}
	if r.Delay != "" {
		out.delay, _ = lower("delay", r.Delay)
		if reads.value {
			all = append(all, refused{"delay", 0, "only an alarm from rise alone may be delayed, and this rule reads a value"})
		}
	}
	if r.Requires != "" {
		var asks uses
		out.requires, asks = lower("requires", r.Requires)
		if asks.live {
			all = append(all, refused{"requires", 0, "it may read the place and the limits only"})
		}
	}
	if out.uses.meta && r.Class == safety.ClassAlarm {
		all = append(all, refused{"when", 0, "blind asks whether alarms see: an alarm that asks it would ask about itself, without end"})
	}
	out.windows = windows
	out.fingerprint = meaning(out)
	return out, all
}

// add joins what one expression of a rule reads to what the others do.
func (u *uses) add(other uses) {
	u.lists = other.lists // it began with the others' lists
	u.value = u.value || other.value
	u.clock = u.clock || other.clock
	u.meta = u.meta || other.meta
	u.missing = u.missing || other.missing
	u.room = u.room || other.room
	u.rated = u.rated || other.rated
	u.place.add(other.place)
	u.paces = append(u.paces, other.paces...)
	u.minutes = append(u.minutes, other.minutes...)
	u.climates = append(u.climates, other.climates...)
}

// lower parses, checks and lowers one expression.
func (l *lowerer) lower(field, src string, env map[string]any) (*cond, []refused) {
	n, err := parse(src, env)
	if err != nil {
		at := refused{field: field, err: err.Error()}
		if e, ok := err.(*file.Error); ok { //nolint:errorlint // expr returns the plain type
			at.offset, at.err = e.From, e.Message
		}
		c := nothing
		return &c, []refused{at}
	}
	c := l.cond(n)
	var out []refused
	for _, x := range l.refusals {
		out = append(out, refused{field, x.offset, x.text})
	}
	return &c, out
}

// meaning hashes what a rule decides and how it is told: not its name, nor
// the names, sources and clauses of its limits, nor how it is written down.
func meaning(b *bound) string {
	var out []string
	add := func(key string, value any) { out = append(out, fmt.Sprintf("%s=%v", key, value)) }
	r := b.Rule
	add("hazard", r.Hazard)
	add("class", r.Class)
	add("severity", r.Severity)
	add("scope", r.Scope)
	qs := slices.Clone(r.Quantities)
	slices.Sort(qs)
	add("quantity", qs)
	add("filter", r.Filter.text())
	add("when", b.when.text)
	add("for", r.For)
	add("keep_firing_for", r.KeepFiringFor)
	add("latch", r.Latch)
	for _, c := range []struct {
		key string
		*cond
	}{{"reset", b.reset}, {"delay", b.delay}, {"requires", b.requires}} {
		if c.cond != nil {
			add(c.key, c.text)
		}
	}
	add("at_most", r.DelayAtMost)
	for i, s := range r.Steps {
		add(stepField(i), string(s.Severity)+" "+b.steps[i].text)
	}
	if r.Flapping.Times > 0 {
		add("flapping", r.Flapping)
	}
	if len(r.Permit) > 0 {
		add("permit", slices.Sorted(slices.Values(r.Permit)))
	}
	sum := sha256.Sum256([]byte(strings.Join(out, "\n")))
	return hex.EncodeToString(sum[:8])
}

func (f Filter) text() string {
	flag := func(b *bool) string {
		if b == nil {
			return "-"
		}
		return fmt.Sprint(*b)
	}
	return strings.Join([]string{f.Suffix, string(f.MinGrade), flag(f.LifeSafety), flag(f.SteamProne), flag(f.HighBay)}, ",")
}
