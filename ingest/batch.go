package ingest

import (
	"maps"
	"slices"
	"time"

	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/wire"
)

// batch is what was decided since the last flush.
type batch struct {
	samples     []store.Sample
	origins     []origin // of samples
	flying      int      // the first of samples, which the series store has been given
	transitions []safety.Transition
	refusals    []state.Refusal
	touched     []*track
	permits     []state.PermitOutcome
	taken       []state.PermitTaken
	acted       bool // acts about permits were given to the engines
}

// origin is the record behind a sample.
type origin struct {
	track *track
	seq   uint64
}

// touch puts t among the tracks that the next flush looks after.
func (c *core) touch(t *track) {
	if !slices.Contains(c.batch.touched, t) {
		c.batch.touched = append(c.batch.touched, t)
	}
}

func (b *batch) empty() bool {
	return len(b.touched) == 0 && len(b.transitions) == 0 && len(b.refusals) == 0 && !b.acted
}

// refuse notes a refusal. Refusals of one batch for one reason are one entry,
// from the first record to the last.
func (b *batch) refuse(t *track, seq uint64, reason string, now time.Time) {
	k := t.key
	for i := range b.refusals {
		r := &b.refusals[i]
		if r.Gateway == k.gateway && r.Factory == k.factory && r.Run == k.run && r.Stream == string(k.stream) && r.Reason == reason {
			r.Span.From, r.Span.To = min(r.Span.From, seq), max(r.Span.To, seq)
			return
		}
	}
	b.refusals = append(b.refusals, state.Refusal{
		Factory: k.factory, Gateway: k.gateway, Run: k.run, Stream: string(k.stream),
		Span: safety.Span{From: seq, To: seq}, Reason: reason, At: now,
	})
}

// launch returns the samples that the series store is to be given, which are
// all that have gathered. They stay as they are until sealed.
func (c *core) launch() []store.Sample {
	c.batch.flying = len(c.batch.samples)
	for _, t := range c.batch.touched {
		t.flying = append(t.flying, t.stored...)
		t.stored = nil
	}
	return c.batch.samples[:c.batch.flying:c.batch.flying]
}

// seal returns what the state has to make durable in one transaction, given
// that the series store has (stored) or has not got what was launched. Readings
// that are not stored make no progress; transitions never wait for the series
// store.
func (c *core) seal(stored bool, now time.Time) state.Batch {
	b := state.Batch{
		Transitions: c.batch.transitions,
		Refusals:    c.batch.refusals,
		Permits:     c.batch.permits,
		Taken:       c.batch.taken,
		Engine:      map[string]map[string][]byte{},
	}
	for _, t := range c.batch.touched {
		after := t.after(stored)
		if after.upto != t.durable.upto || !slices.Equal(after.ranges, t.durable.ranges) {
			b.Progress = append(b.Progress, state.Progress{
				Factory: t.key.factory, Gateway: t.key.gateway, Run: t.key.run, Stream: string(t.key.stream),
				Upto: after.upto, Ranges: after.ranges,
			})
		}
	}
	for factory, engine := range c.engines {
		put(b.Engine, factory, engine.Snapshot())
	}
	for factory, states := range c.faults.changed() {
		put(b.Engine, factory, states)
	}
	put(b.Engine, "", c.marks.changed(now, !c.clockDoubt))
	return b
}

func put(into map[string]map[string][]byte, factory string, states map[string][]byte) {
	if len(states) == 0 {
		return
	}
	if into[factory] == nil {
		into[factory] = map[string][]byte{}
	}
	maps.Copy(into[factory], states)
}

// after is what will be durable once the batch is.
func (t *track) after(stored bool) spans {
	s := t.durable.clone()
	for _, span := range t.settled {
		s.add(span)
	}
	if stored {
		for _, span := range t.flying {
			s.add(span)
		}
	}
	return s
}

// commitment is a commit to be published.
type commitment struct {
	key    trackKey
	commit wire.Commit
	retain bool
}

// sealed says that what seal returned is durable, and returns what gateways may
// now be told. Samples that were not stored stay in the batch.
func (c *core) sealed(stored bool, epoch string) []commitment {
	var out []commitment
	var waiting []*track
	for _, t := range c.batch.touched {
		t.durable = t.after(stored)
		t.settled = nil
		if stored {
			t.flying = nil
		}
		if len(t.flying)+len(t.stored) > 0 {
			waiting = append(waiting, t)
		}
		if t.commit {
			t.commit = false
			out = append(out, commitment{t.key, t.message(epoch), c.newest(t.key)})
		}
	}
	c.batch.touched, c.batch.transitions, c.batch.refusals = waiting, nil, nil
	c.batch.permits, c.batch.taken, c.batch.acted = nil, nil, false
	if stored {
		b := &c.batch
		b.samples, b.origins = slices.Delete(b.samples, 0, b.flying), slices.Delete(b.origins, 0, b.flying)
		b.flying = 0
	}
	return out
}

// message is the commit of what is durable. It names the lowest ranges; higher
// ones follow when gaps close.
func (t *track) message(epoch string) wire.Commit {
	n := min(len(t.durable.ranges), wire.MaxRanges)
	return wire.Commit{
		Run: t.key.run, Stream: t.key.stream, Upto: t.durable.upto, Epoch: epoch,
		Ranges: slices.Clone(t.durable.ranges[:n]),
	}
}

// newest reports whether the run is the newest of its gateway: commits of older
// runs must not stay at the broker in its place.
func (c *core) newest(k trackKey) bool {
	g := c.gateways[gatewayKey{k.factory, k.gateway}]
	return g != nil && g.status.Run == k.run
}

// plant is what the rules read of a site.
func plant(s *site) rules.Plant {
	return rules.PlantOf(s.Site)
}
