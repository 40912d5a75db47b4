package ingest

import (
	"context"
	"log/slog"
	"time"

	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/wire"
)

// maxWaiting bounds the samples that wait for a series store which does not
// answer. Beyond it readings are still evaluated, but neither kept nor
// committed: their gateways send them again.
const maxWaiting = 100_000

// core is all that ingest knows between two flushes. One goroutine owns it. It
// reads no clock and publishes nothing; the one thing that it writes by itself
// is the first anchor of a boot, which must be durable before any reading that
// it places.
type core struct {
	log        *slog.Logger
	metrics    *metrics
	door       door
	firstOf    func(context.Context, state.Anchor) (state.Anchor, error)
	reg        *registry
	tracks     map[trackKey]*track
	anchors    map[bootKey]state.Anchor
	gateways   map[gatewayKey]*gateway
	engines    map[string]*rules.Engine // by factory
	faults     *faults
	live       live
	batch      batch
	held       int  // records in all tracks' held
	storeDown  bool // the last append failed
	clockWrong bool // ingest time is in doubt: nothing is refused for its time
	marks      marks
	strangers  map[gatewayKey]time.Time // gateways that no site names, and when that was logged
	linked     time.Time                // when there was last a connection to the broker
}

// maxStrangers bounds the gateways that are logged as unknown.
const maxStrangers = 1000

type gatewayKey struct{ factory, id string }

type bootKey struct{ factory, gateway, boot string }

func newCore(production bool, m *metrics, log *slog.Logger) *core {
	return &core{
		log: log, metrics: m, door: door{production},
		reg:      newRegistry(0, nil),
		tracks:   map[trackKey]*track{},
		anchors:  map[bootKey]state.Anchor{},
		gateways: map[gatewayKey]*gateway{},
		engines:  map[string]*rules.Engine{},
		faults:   newFaults(),
		live:     live{},

		strangers: map[gatewayKey]time.Time{},
	}
}

// take deals with one message that arrived at now. An error means that the
// state did not answer; the message is to be given again.
func (c *core) take(ctx context.Context, topic string, payload []byte, now time.Time) error {
	t, err := wire.ParseTopic(topic)
	if err != nil {
		c.metrics.refused.WithLabelValues(refusedMalformed).Inc()
		return nil
	}
	s := c.reg.gateway(t.Factory, t.Gateway)
	if s == nil {
		c.stranger(t, now)
		return nil
	}
	g := c.gateway(gatewayKey{t.Factory, t.Gateway}, now)
	switch t.Kind {
	case wire.KindPack:
		return c.takePack(ctx, s, g, t, payload, now)
	case wire.KindBirth:
		return c.takeBirth(ctx, s, g, t, payload, now)
	case wire.KindPresence:
		c.takePresence(g, payload)
	}
	return nil
}

func (c *core) takePack(ctx context.Context, s *site, g *gateway, t wire.Topic, payload []byte, now time.Time) error {
	p, err := wire.Decode(t, payload)
	if err != nil {
		// Which records these were cannot be known, so none can be committed.
		c.metrics.refused.WithLabelValues(refusedMalformed).Inc()
		if c.refusal(g, refusedMalformed, now) {
			c.batch.refusals = append(c.batch.refusals, state.Refusal{
				Factory: t.Factory, Gateway: t.Gateway, Stream: string(t.Stream), Reason: refusedMalformed, At: now,
			})
			c.log.Warn("pack refused", "gateway", t.Gateway, "factory", t.Factory, "err", err)
		}
		return nil
	}
	c.metrics.packs.WithLabelValues(string(p.Stream)).Inc()
	g.heardOf(p, c.seen(p), now)
	tr := c.track(trackKey{p.Factory, p.Gateway, p.Run, p.Stream})
	c.metrics.gone.Add(float64(tr.skip(p)))
	c.touch(tr)
	tr.commit = true
	c.releaseReady(s, tr, now)
	if tr.known(p) {
		c.metrics.repeated.Inc()
		return nil
	}
	if tr.full(p) {
		return nil
	}
	times, err := c.place(ctx, p, now)
	if err != nil {
		return err
	}
	a := arrival{p, times}
	switch {
	case p.Stream == wire.Alarms:
		c.takeTransitions(s, tr, a, now)
	case c.storeDown && len(c.batch.samples) >= maxWaiting:
		c.evaluateOnly(s, a, now)
	case tr.early(p):
		tr.hold(a, now)
		c.held += len(p.Records)
		c.releaseOverflow(now)
	default:
		c.takeReadings(s, tr, a, now)
		c.releaseReady(s, tr, now)
	}
	return nil
}

// place places the records of p. It makes the anchor of the boot durable if the
// boot has none.
func (c *core) place(ctx context.Context, p wire.Pack, now time.Time) ([]time.Time, error) {
	key := bootKey{p.Factory, p.Gateway, p.Boot}
	anchor, known := c.anchors[key]
	switch {
	case p.Clock == wire.Synced && (!known || anchor.Provisional && !c.marks.corrected[key]):
		if err := c.anchor(ctx, fromPack(p)); err != nil {
			return nil, err
		}
		c.marks.correct(key)
	case p.Clock == wire.Unsynced && !known:
		if err := c.anchor(ctx, provisional(p, now)); err != nil {
			return nil, err
		}
	}
	return Place(p, c.anchors[key])
}

func (c *core) anchor(ctx context.Context, a state.Anchor) error {
	first, err := c.firstOf(ctx, a)
	if err != nil {
		return err
	}
	c.anchors[bootKey{a.Factory, a.Gateway, a.Boot}] = first
	return nil
}

func (c *core) track(key trackKey) *track {
	t := c.tracks[key]
	if t == nil {
		t = newTrack(key, spans{})
		c.tracks[key] = t
	}
	return t
}

// seen reports whether a pack of this run came before.
func (c *core) seen(p wire.Pack) bool {
	r, a := trackKey{p.Factory, p.Gateway, p.Run, wire.Readings}, trackKey{p.Factory, p.Gateway, p.Run, wire.Alarms}
	return c.tracks[r] != nil || c.tracks[a] != nil
}

// stranger counts what comes from a gateway that no site names. Nothing of it
// is committed: the gateway keeps it until somebody has registered it.
func (c *core) stranger(t wire.Topic, now time.Time) {
	c.metrics.refused.WithLabelValues(refusedGateway).Inc()
	key := gatewayKey{t.Factory, t.Gateway}
	if last, known := c.strangers[key]; known && now.Sub(last) < refusedFor || len(c.strangers) >= maxStrangers {
		return
	}
	c.strangers[key] = now
	c.log.Warn("unknown gateway: nothing of it is taken until a site names it", "gateway", t.Gateway, "factory", t.Factory)
}

func (c *core) gateway(key gatewayKey, now time.Time) *gateway {
	g := c.gateways[key]
	if g == nil {
		g = newGateway(key, now)
		c.gateways[key] = g
	}
	return g
}

// takeReadings decides the records of a pack of stream r whose turn it is.
func (c *core) takeReadings(s *site, t *track, a arrival, now time.Time) {
	c.touch(t)
	engine := c.engines[t.key.factory]
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
		c.transitions(engine.Observe(r.Reading))
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
	engine := c.engines[a.pack.Factory]
	for i, r := range a.pack.Records {
		r.Reading.At = a.times[i]
		if c.door.reading(s, a.pack.Gateway, r, a.times[i], now) == "" {
			c.transitions(engine.Observe(r.Reading))
		}
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

// tick lets time pass: gaps, silence, timers of the rules. linked says whether
// there is a connection to the broker.
func (c *core) tick(now time.Time, linked bool) {
	for _, t := range c.tracks {
		if len(t.held) > 0 {
			c.release(t, now)
		}
	}
	if linked || c.linked.IsZero() {
		c.linked = now
	}
	for _, factory := range c.reg.factories() {
		c.serverFault(faultKey{factory, faultBroker, ""}, now.Sub(c.linked) >= offlineAfter, now)
		c.serverFault(faultKey{factory, faultClock, ""}, c.clockWrong, now)
		c.watchGateways(factory, linked, now)
		c.transitions(c.engines[factory].Tick(now.Add(-c.lag(factory))))
	}
}

func (c *core) serverFault(k faultKey, wrong bool, now time.Time) {
	to := safety.Inactive
	if wrong {
		to = safety.Firing
	}
	c.transitions(c.faults.set(k, to, now, nil))
}
