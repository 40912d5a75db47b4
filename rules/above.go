package rules

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"
)

const aboveName = "count_above"

// counter counts the readings of a window above a limit.
type counter struct {
	taken
	limit      int64 // in millionths
	all, doubt int64 // above the limit; and those of them in doubt
	unsure     int64 // all in doubt, above or not
}

func (c *counter) move(x sample, by int64) {
	above := int64(0)
	if x.micro > c.limit {
		above = by
	}
	c.all += above
	if x.doubt {
		c.doubt += above
		c.unsure += by
	}
}

func (c *counter) follow(h *history, w *window) {
	if c.lost(h) {
		*c = counter{limit: c.limit, taken: from(w)}
	}
	c.taken.follow(h, w, c.move)
}

// count is those seen above the limit, to those and all that are missing or, by
// trusted values alone, in doubt. One missing reading is jitter.
func (c *counter) count(w *window, period time.Duration, seen, trusted bool) span {
	missing := int(w.length/period.Milliseconds()) - (w.next - w.first)
	out := span{float64(c.all), float64(c.all)}
	if trusted {
		out = span{float64(c.all - c.doubt), float64(c.all - c.doubt + c.unsure)}
	}
	switch {
	case !seen:
		out.hi = math.Inf(1)
	case missing > 1:
		out.hi += float64(missing)
	}
	return out
}

// aboves is a window and a limit of which readings are counted.
type aboves struct {
	window int
	limit  int64
}

func (s *slots) above(window int, limit float64) int {
	a := aboves{window, int64(math.Round(limit * scale))}
	if i := slices.Index(s.aboves, a); i >= 0 {
		return i
	}
	s.aboves = append(s.aboves, a)
	return len(s.aboves) - 1
}

// countAbove lowers count_above("10m", limit).
func (l *lowerer) countAbove(n *ast.CallNode, at ast.Node) number {
	text, isText := n.Arguments[0].(*ast.StringNode)
	length, ok := parseWindow(textOf(text))
	if !isText || !ok {
		l.refuse(n.Arguments[0], "%s wants a time from %v to %v, such as \"10m\"", aboveName, minWindow, maxWindow)
		return noNumber
	}
	qs, unit, ok := l.measured(at, aboveName)
	lim, known := l.figure(n.Arguments[1])
	if !ok {
		return noNumber
	}
	if !known || lim.Unit != unit {
		l.refuse(n.Arguments[1], "%s wants the name of a limit in %s", aboveName, unit)
		return noNumber
	}
	window := l.slots.number(length, qs...)
	slot := l.slots.above(window, lim.Value)
	l.uses.value, l.uses.live = true, true
	if l.member == "" {
		l.windows = append(l.windows, length)
	} else {
		l.uses.paces = append(l.uses.paces, pace{l.member, length})
	}
	ask := func(v *view, s *sensor) span {
		w := s.history.slots[window]
		if s.history.next == 0 {
			return span{0, math.Inf(1)}
		}
		c := s.counter(slot, l.slots.aboves)
		c.follow(s.history, w)
		seen := v.sees(s.trust(v.late == s))
		v.doubt = v.doubt || c.unsure > 0
		return c.count(w, s.spec.Period, seen, v.careful)
	}
	label := fmt.Sprintf("%s(%v)", aboveName, length)
	out := l.of(label, "count", ask)
	out.text += fmt.Sprintf("[%g]", lim.Value)
	out.plain = true
	out.why = func(v *view, found *evidence) {
		found.add(v.cur, v.cur.windowFlags(v.cur.history.slots[window]))
		found.atLeast(v, label, ask(v, v.cur))
	}
	return out
}

// counter returns the sensor's counter of that number; the first time it is made.
func (s *sensor) counter(slot int, all []aboves) *counter {
	if s.counters == nil {
		s.counters = make([]*counter, len(all))
	}
	if s.counters[slot] == nil {
		s.counters[slot] = &counter{limit: all[slot].limit}
	}
	return s.counters[slot]
}
