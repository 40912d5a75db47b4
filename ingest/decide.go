package ingest

import (
	"time"

	"nirapod/safety"
	"nirapod/store"
)

// takeReadings decides the records of a pack of stream r whose turn it is.
func (c *core) takeReadings(s *site, t *track, a arrival, now time.Time) {
	c.touch(t)
	g := c.gateway(gatewayKey{t.key.factory, t.key.gateway}, now)
	var newest time.Time
	for i, r := range a.pack.Records {
		seq := a.pack.First + uint64(i)
		if t.taken.has(seq) {
			continue
		}
		r.Reading.At = a.times[i]
		reason := c.door.reading(s, t.key.gateway, r, a.times[i], now)
		if reason != "" {
			if c.clockWrong && (reason == refusedFuture || reason == refusedTooOld) {
				// Nobody can say; the gateway keeps it.
				t.taken.add(safety.Span{From: a.pack.First, To: seq - 1})
				return
			}
			c.refuse(t, seq, reason, g, now)
			if reason == refusedSensor {
				g.unknownSensor(r.Reading.Sensor)
			}
			continue
		}
		sensor := s.sensors[r.Reading.Sensor]
		c.batch.samples = append(c.batch.samples, store.Sample{
			Factory: t.key.factory, Gateway: t.key.gateway, Quantity: sensor.Quantity, Reading: r.Reading,
		})
		c.batch.origins = append(c.batch.origins, origin{t, seq})
		t.stored = extend(t.stored, seq)
		if newest.IsZero() {
			c.begin(t.key, r.Reading.At)
		}
		c.observe(t.key.factory, r.Reading)
		newest = maxTime(newest, r.Reading.At)
		c.live.put(t.key.factory, t.key.gateway, r.Reading)
	}
	g.measured(newest, now)
	t.taken.add(safety.Span{From: a.pack.First, To: a.pack.Last()})
	t.passed(a.pack.Last())
	c.metrics.readings.Add(float64(len(a.pack.Records)))
}

// evaluateOnly lets the rules see readings that cannot be kept now. They will
// come again, and are then history to the rules.
func (c *core) evaluateOnly(s *site, a arrival, now time.Time) {
	begun := false
	for i, r := range a.pack.Records {
		r.Reading.At = a.times[i]
		if c.door.reading(s, a.pack.Gateway, r, a.times[i], now) != "" {
			continue
		}
		if !begun {
			c.begin(trackKey{a.pack.Factory, a.pack.Gateway, a.pack.Run, a.pack.Stream}, r.Reading.At)
			begun = true
		}
		c.observe(a.pack.Factory, r.Reading)
	}
}

// begin tells the rules of which run of its gateway the next reading is.
func (c *core) begin(k trackKey, at time.Time) {
	if engine := c.engines[k.factory]; engine != nil {
		engine.Begin(k.gateway, k.run, at)
	}
}

// observe lets the rules see a reading. A factory whose rules could not be bound
// has none: its readings are kept all the same.
func (c *core) observe(factory string, r safety.Reading) {
	if engine := c.engines[factory]; engine != nil {
		c.transitions(engine.Observe(r))
	}
}

// takeTransitions decides the records of a pack of stream a, in any order.
func (c *core) takeTransitions(s *site, t *track, a arrival, now time.Time) {
	c.touch(t)
	g := c.gateway(gatewayKey{t.key.factory, t.key.gateway}, now)
	for i, r := range a.pack.Records {
		seq := a.pack.First + uint64(i)
		if t.taken.has(seq) {
			continue
		}
		transition, reason := c.door.transition(s, a.pack, seq, *r.Transition, a.times[i], now, c.clockWrong)
		if reason != "" {
			c.refuse(t, seq, reason, g, now)
			continue
		}
		t.settled = extend(t.settled, seq)
		c.transitions([]safety.Transition{transition})
		c.permitTaken(transition)
	}
	t.taken.add(safety.Span{From: a.pack.First, To: a.pack.Last()})
}

// releaseReady deals with the held packs of t whose turn has come.
func (c *core) releaseReady(s *site, t *track, now time.Time) {
	for {
		a, ok := t.ready(now)
		if !ok {
			return
		}
		c.held -= len(a.pack.Records)
		c.takeReadings(s, t, a, now)
	}
}

// releaseOverflow gives up gaps, the longest-waiting first, while too many
// records are held.
func (c *core) releaseOverflow(now time.Time) {
	for c.held > maxHeld {
		var oldest *track
		for _, t := range c.tracks {
			if len(t.held) > 0 && (oldest == nil || t.since.Before(oldest.since)) {
				oldest = t
			}
		}
		oldest.since = now.Add(-gapPatience)
		c.release(oldest, now)
	}
}

// release looks after the held packs of t, whose gateway may have left the
// registry meanwhile.
func (c *core) release(t *track, now time.Time) {
	s := c.reg.gateway(t.key.factory, t.key.gateway)
	if s == nil {
		for _, a := range t.held {
			c.held -= len(a.pack.Records)
		}
		t.held = nil
		return
	}
	c.releaseReady(s, t, now)
}

func (c *core) transitions(ts []safety.Transition) {
	for _, t := range ts {
		c.batch.transitions = append(c.batch.transitions, t)
		c.metrics.transitions.WithLabelValues(string(t.Class)).Inc()
	}
}

// refuse puts one record on record as refused: that is durable, so the gateway
// may forget it.
func (c *core) refuse(t *track, seq uint64, reason string, g *gateway, now time.Time) {
	t.settled = extend(t.settled, seq)
	c.metrics.refused.WithLabelValues(reason).Inc()
	c.batch.refuse(t, seq, reason, now)
	if c.refusal(g, reason, now) {
		c.log.Warn("records refused", "gateway", g.key.id, "factory", g.key.factory, "reason", reason, "run", t.key.run, "seq", seq)
	}
}

// rejected takes back what the series store will never keep.
func (c *core) rejected(r *store.RejectedError, now time.Time) {
	reasons := map[string]string{
		store.RejectConflict: refusedConflict, store.RejectTooOld: refusedTooOld, store.RejectInvalid: refusedInvalid,
	}
	for _, one := range r.Samples {
		o := c.batch.origins[one.Index]
		g := c.gateway(gatewayKey{o.track.key.factory, o.track.key.gateway}, now)
		reason := reasons[one.Reason]
		c.metrics.refused.WithLabelValues(reason).Inc()
		c.batch.refuse(o.track, o.seq, reason, now)
		if c.refusal(g, reason, now) {
			c.log.Warn("records refused by the series store", "gateway", g.key.id, "factory", g.key.factory,
				"reason", reason, "run", o.track.key.run, "seq", o.seq)
		}
	}
}
