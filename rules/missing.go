package rules

import (
	"time"
)

// A silent sensor is missing where its gateway runs. Without power nothing of a
// gateway speaks, and that is one fault, of the gateway: whoever waits for its
// packs tells it. So missing counts only time for which the gateway is known to
// run. Its own engine knows that it does while time passes; on a server only its
// readings say so, and the first of a new run says how long it did not.

// pause is what the time between two runs of a gateway counts, as its own rules
// count it: so a gateway that starts again and again hides no sensor for good.
const pause = time.Second

// missingAt returns the last moment at which silence is still an ordinary pause,
// as far as the gateway runs.
func (s *sensor) missingAt(start int64) int64 {
	if s.from == never {
		return start + s.staleAfter
	}
	return s.from + s.staleAfter
}

// missed adds the sensors of s's gateway that are missing by at, when s speaks.
// On a server that is known with this reading, and dated by it.
func (e *Engine) missed(out []event, s *sensor, at int64) []event {
	c := s.channels
	c.expects = noTurn
	for _, o := range c.sensors {
		switch due := o.missingAt(e.start); {
		case o.missing:
		case due >= at:
			c.expects = min(c.expects, due)
		case c.own:
			out = append(out, event{at: due, s: o, missing: true})
		case o != s:
			out = append(out, event{at: at, s: o, missing: true})
		}
	}
	return out
}

func (e *Engine) goMissing(s *sensor, at int64) {
	if s.missing { // since it went stale
		return
	}
	e.view.late = nil
	for _, in := range s.instances {
		if in.rule.uses.missing {
			e.expire(in, at)
		}
	}
	s.missing = true
	e.move(s)
	for _, in := range s.instances {
		if in.rule.uses.missing {
			e.evaluate(in, at)
		}
	}
	e.settleMetas(at)
}

// Begin says that the reading to be observed next is the first of a run of a
// gateway, at at. Between its newest reading and this one the gateway did not
// run, which is no silence of its sensors. Said again of the same run it says
// nothing; nor does a run that is older than the newest reading, or what is told to a
// gateway's own engine, whose time stands still meanwhile. It reports whether it was news.
func (e *Engine) Begin(gateway, run string, at time.Time) (news bool) {
	c, ms := e.channelsOf(gateway), at.UnixMilli()
	if c == nil || c.own || c.run == run {
		return false
	}
	newest := int64(never)
	for _, s := range c.sensors {
		newest = max(newest, s.at)
	}
	if ms < newest {
		return false
	}
	c.run = run
	e.moveAll(c)
	if newest == never {
		return true
	}
	away := ms - newest - pause.Milliseconds()
	for _, s := range c.sensors {
		if away > 0 && !s.missing {
			s.from = s.missingAt(e.start) - s.staleAfter + away
		}
	}
	return true
}

func (e *Engine) channelsOf(gateway string) *channels {
	for _, c := range e.channels {
		if c.gateway == gateway {
			return c
		}
	}
	return nil
}
