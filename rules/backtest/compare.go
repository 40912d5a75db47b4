package backtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"nirapod/safety"
)

// near is how far from a span a word of the time is taken to be about it: what
// was told came from a gateway's clock and its own hold.
const near = time.Minute

// told gathers when a point began to fire for each source.
func told(ts []safety.Transition) map[string][]Word {
	out, on := map[string][]Word{}, map[[2]string]bool{}
	for _, t := range ts {
		key := [2]string{t.Point, t.Source}
		switch {
		case t.To == safety.Firing && !on[key]:
			on[key] = true
			out[t.Point] = append(out[t.Point], Word{t.At, t.Source})
		case t.To == safety.Inactive:
			on[key] = false
		}
	}
	return out
}

func (r *Report) compare(present, edit map[string]*point, words map[string][]Word) {
	for id, p := range present {
		var others []Span
		if e := edit[id]; e != nil {
			others = e.spans
		}
		r.pair(p.Transition, p.spans, others, words[id])
	}
	for id, e := range edit {
		if present[id] == nil {
			r.pair(e.Transition, nil, e.spans, words[id])
		}
	}
	slices.SortFunc(r.Changes, func(a, b Change) int {
		return cmp.Or(a.first().Compare(b.first()), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Sensor+a.Zone, b.Sensor+b.Zone))
	})
}

func (c Change) first() time.Time {
	switch {
	case c.Present == nil:
		return c.Edit.From
	case c.Edit == nil:
		return c.Present.From
	}
	return earlier(c.Present.From, c.Edit.From)
}

// pair goes through the spans of one point. Each span of the edit belongs to the
// first of the present rules that it overlaps and that has none yet.
func (r *Report) pair(t safety.Transition, present, edit []Span, words []Word) {
	taken := make([]bool, len(edit))
	for i := range present {
		mine := slices.IndexFunc(edit, func(s Span) bool { return overlap(present[i], s) })
		for mine >= 0 && taken[mine] {
			next := slices.IndexFunc(edit[mine+1:], func(s Span) bool { return overlap(present[i], s) })
			if next < 0 {
				mine = -1
				break
			}
			mine += 1 + next
		}
		if mine < 0 {
			r.change(Missed, t, &present[i], nil, words)
			continue
		}
		taken[mine] = true
		if present[i] == edit[mine] {
			if r.within(present[i]) {
				r.Same++
			}
			continue
		}
		r.change(Moved, t, &present[i], &edit[mine], words)
	}
	for i := range edit {
		if !taken[i] {
			r.change(Raised, t, nil, &edit[i], words)
		}
	}
}

func overlap(a, b Span) bool {
	return (b.To.IsZero() || !a.From.After(b.To)) && (a.To.IsZero() || !b.From.After(a.To))
}

// within reports whether some of a span lies in the time asked for.
func (r *Report) within(s Span) bool {
	return s.From.Before(r.To) && (s.To.IsZero() || !s.To.Before(r.From))
}

func (r *Report) change(kind Kind, t safety.Transition, present, edit *Span, words []Word) {
	c := Change{
		Kind: kind, Pack: t.Pack, Rule: t.Rule, Zone: t.Zone, Sensor: t.Sensor, Class: t.Class, Severity: t.Severity,
		Present: present, Edit: edit,
	}
	inside := false
	for _, s := range []*Span{present, edit} {
		if s == nil {
			continue
		}
		inside = inside || r.within(*s)
		for _, w := range words {
			if !w.At.Before(s.From.Add(-near)) && !w.At.After(s.From.Add(near)) && !slices.Contains(c.Told, w) {
				c.Told = append(c.Told, w)
			}
		}
	}
	if inside {
		r.Changes = append(r.Changes, c)
	}
}
