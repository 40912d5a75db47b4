package rules

import (
	"cmp"
	"slices"
	"strings"
)

// lapse lets the sensors of s's gateway go stale, or missing, that were silent
// for too long by at, when s speaks. What one gateway measured comes in order, so
// its own readings tell the time for all its sensors: what a rule over several of
// them says does not depend on when somebody called Tick.
func (e *Engine) lapse(s *sensor, at int64) {
	var silent []event
	for _, c := range s.channels.together {
		if at > c.due {
			silent = e.lapsed(silent, c, at)
		}
	}
	c := s.channels
	if at > c.expects {
		silent = e.missed(silent, s, at)
	}
	if len(silent) > 0 {
		e.fallSilent(silent)
	}
	c.due = min(c.due, at+s.staleAfter)
	c.expects = min(c.expects, at+s.staleAfter)
}

// lapsed adds the sensors of c that are stale by at.
func (e *Engine) lapsed(out []event, c *channels, at int64) []event {
	c.due = noTurn
	for _, s := range c.sensors {
		switch last := s.staleAt(e.start); {
		case s.stale:
		case last < at:
			out = append(out, event{at: last, s: s})
		default:
			c.due = min(c.due, last)
		}
	}
	return out
}

func (e *Engine) fallSilent(silent []event) {
	slices.SortFunc(silent, func(x, y event) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(bit(x.missing), bit(y.missing)), strings.Compare(x.s.spec.ID, y.s.spec.ID))
	})
	e.view.late = nil
	for _, ev := range silent {
		if ev.missing {
			e.goMissing(ev.s, ev.at)
			continue
		}
		for _, in := range ev.s.instances {
			e.expire(in, ev.at)
		}
		e.goStale(ev.s, ev.at)
	}
}
