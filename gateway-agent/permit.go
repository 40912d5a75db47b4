package agent

import (
	"slices"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// maxPermits bounds the permits that are remembered: a day of a busy gateway.
const maxPermits = 100

// heldPermit is a permit that the gateway was given. The rules know its end by
// their own time, which stands still while the agent does not run; here it is
// by the clocks that go on.
type heldPermit struct {
	ID     string        `json:"id"`
	Permit safety.Permit `json:"permit"`
	Until  time.Time     `json:"until"` // wall clock
	Boot   string        `json:"boot"`
	Mono   int64         `json:"mono"` // of Boot's monotonic clock at Until, ms
	Over   bool          `json:"over"`
}

func (c *core) held(id string) *heldPermit {
	i := slices.IndexFunc(c.permits, func(h heldPermit) bool { return h.ID == id })
	if i < 0 {
		return nil
	}
	return &c.permits[i]
}

func (c *core) hold(h heldPermit) {
	c.permits = append(c.permits, h)
	c.permits = c.permits[max(0, len(c.permits)-maxPermits):]
}

// permit isolates sensors. A permit that is known already, standing or over,
// changes nothing: the server says it again whenever it hears of the gateway.
func (c *core) permit(p safety.Permit, mono int64, wall time.Time) {
	if c.held(p.ID) != nil {
		return
	}
	h := heldPermit{ID: p.ID, Permit: p, Until: p.Until, Boot: c.clock.Boot(), Mono: mono + p.Until.Sub(wall).Milliseconds()}
	err := p.Validate() // as it was given; in the rules' time it is never too long
	var ts []safety.Transition
	if err == nil {
		ts, err = c.engine.Permit(c.inRulesTime(h, mono), c.epoch.at(mono))
	}
	if err != nil {
		c.log.Warn("permit refused", "permit", p.ID, "work", string(p.Work), "zone", p.Zone, "err", err)
		return
	}
	c.log.Warn("sensors isolated by a permit", "permit", p.ID, "work", string(p.Work), "zone", p.Zone, "sensors", p.Sensors,
		"issued_by", p.IssuedBy, "accepted_by", p.AcceptedBy, "watch", p.Watch, "until", p.Until)
	c.hold(h)
	c.permitsChanged(mono, ts)
}

// inRulesTime is the permit from now on, by the time of the rules. A clock that
// is behind the server's would make it longer than any may be.
func (c *core) inRulesTime(h heldPermit, mono int64) safety.Permit {
	p := h.Permit
	longest := mono + safety.LongestPermit.Milliseconds()
	p.From, p.Until = c.epoch.at(mono), c.epoch.at(min(h.Mono, longest))
	return p
}

func (c *core) permitsChanged(mono int64, ts []safety.Transition) {
	c.transitions(mono, ts)
	c.keepRules(mono, true)
}

// permitEnds ends a permit before its time. One that is not known yet will not
// be taken later either.
func (c *core) permitEnds(cmd wire.Command, mono int64) {
	h := c.held(cmd.PermitID)
	if h == nil {
		c.hold(heldPermit{ID: cmd.PermitID, Until: cmd.Expires, Over: true})
		c.keepRules(mono, true)
		return
	}
	if !h.Over {
		c.log.Info("permit ended", "permit", h.ID, "by", cmd.By)
		c.over(h, mono)
	}
}

func (c *core) over(h *heldPermit, mono int64) {
	h.Over = true
	c.permitsChanged(mono, c.engine.EndPermit(h.ID, c.epoch.at(mono)))
}

// endPermits ends what is over by the wall clock, which may have been set since.
func (c *core) endPermits(mono int64) {
	for i := range c.permits {
		h := &c.permits[i]
		if h.Over {
			continue
		}
		wall, _ := c.clock.Wall(mono)
		if mono >= h.Mono || !wall.IsZero() && !wall.Before(h.Until) {
			c.log.Info("permit is over", "permit", h.ID)
			c.over(h, mono)
		}
	}
}

// tested takes the word that sensors were tested after a permit; of a sensor
// that another permit isolated since, it says nothing.
func (c *core) tested(cmd wire.Command, mono int64) {
	for _, sensor := range cmd.Sensors {
		for _, h := range slices.Backward(c.permits) {
			if !slices.Contains(h.Permit.Sensors, sensor) {
				continue
			}
			if h.ID == cmd.PermitID {
				c.permitsChanged(mono, c.engine.SelfTested(sensor, c.epoch.at(mono)))
			}
			break
		}
	}
}

// restorePermits takes up what the run before held. The rules think that no time
// has passed; a permit may have ended meanwhile. After a boot without a clock
// nobody knows: then it is over, and the server gives it again if it is not.
func (c *core) restorePermits(saved []heldPermit) {
	mono := c.clock.Mono()
	wall, _ := c.clock.Wall(mono)
	for _, h := range saved {
		known := h.Boot == c.clock.Boot()
		if !h.Over && !known {
			known = !wall.IsZero()
			h.Boot, h.Mono = c.clock.Boot(), mono+h.Until.Sub(wall).Milliseconds()
		}
		var ts []safety.Transition
		switch {
		case h.Over:
		case !known:
			c.log.Warn("permit ended: the time is not known", "permit", h.ID)
			c.transitions(mono, c.engine.EndPermit(h.ID, c.epoch.at(mono)))
			continue
		case h.Mono <= mono:
			h.Over = true
			ts = c.engine.EndPermit(h.ID, c.epoch.at(mono))
		default:
			var err error
			if ts, err = c.engine.Permit(c.inRulesTime(h, mono), c.epoch.at(mono)); err != nil {
				c.log.Warn("permit ended: it does not fit any more", "permit", h.ID, "err", err)
				h.Over, ts = true, c.engine.EndPermit(h.ID, c.epoch.at(mono))
			}
		}
		c.hold(h)
		c.transitions(mono, ts)
	}
}
