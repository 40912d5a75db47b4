package rules

import (
	"cmp"
	"math"
	"slices"
)

// lapse lets the sensors of s's gateway go stale that were silent for too long
// by at, when s speaks. What one gateway measured comes in order, so its own
// readings tell the time for all its sensors: what a rule over several of them
// says does not depend on when somebody called Tick.
func (e *Engine) lapse(s *sensor, at int64) {
	c := s.channels
	if at > c.due {
		e.lapseAll(c, at)
	}
	c.due = min(c.due, at+s.staleAfter)
}

func (e *Engine) lapseAll(c *channels, at int64) {
	var silent []event
	c.due = math.MaxInt64
	for _, s := range c.sensors {
		switch last := s.staleAt(e.start); {
		case s.stale:
		case last < at:
			silent = append(silent, event{at: last, s: s})
		default:
			c.due = min(c.due, last)
		}
	}
	slices.SortStableFunc(silent, func(x, y event) int { return cmp.Compare(x.at, y.at) })
	e.view.late = nil
	for _, ev := range silent {
		for _, in := range ev.s.instances {
			e.expire(in, ev.at)
		}
		e.goStale(ev.s, ev.at)
	}
}
