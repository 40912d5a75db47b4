package ingest

import (
	"context"
	"log/slog"
	"time"

	"nirapod/safety"
	"nirapod/state"
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
	engines    map[string]*watch // by factory
	faults     *faults
	live       live
	batch      batch
	held       int  // records in all tracks' held
	storeDown  bool // the last append failed
	clockWrong bool // ingest time is in doubt: nothing is refused for its time
	clockDoubt bool // since the start it is: nothing is dated by it
	doubtTold  bool // and people are to know
	retained   bool // the broker had kept the message under way
	marks      marks
	strangers  map[gatewayKey]time.Time // gateways that no site names, and when that was logged
	linked     time.Time                // when there was last a connection to the broker
	untold     map[gatewayKey]bool      // gateways that are to be told of their permits
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
		engines:  map[string]*watch{},
		faults:   newFaults(),
		live:     live{},

		strangers: map[gatewayKey]time.Time{},
		untold:    map[gatewayKey]bool{},
	}
}

// take deals with one message that arrived at now. An error means that the
// state did not answer; the message is to be given again.
func (c *core) take(ctx context.Context, topic string, payload []byte, now time.Time) error {
	t, err := wire.ParseTopic(topic)
	if err != nil {
		c.metrics.refused.WithLabelValues(refusedMalformed).Inc()
		return nil //nolint:nilerr // it is dealt with: nobody can be told
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
		c.takePresence(g, payload, now)
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

// tick lets time pass: gaps, silence, timers of the rules. linked says whether
// there is a connection to the broker.
func (c *core) tick(now time.Time, linked bool) {
	for _, t := range c.tracks {
		if len(t.held) > 0 {
			c.release(t, now)
		}
	}
	if c.clockDoubt {
		// A fault, or a silence, dated by a clock that runs ahead would stand
		// until then.
		for _, factory := range c.reg.factories() {
			c.serverFault(faultKey{factory, faultClock, ""}, c.doubtTold, c.marks.saved)
		}
		return
	}
	if linked || c.linked.IsZero() {
		c.linked = now
	}
	for _, factory := range c.reg.factories() {
		c.serverFault(faultKey{factory, faultBroker, ""}, now.Sub(c.linked) >= offlineAfter, now)
		c.serverFault(faultKey{factory, faultClock, ""}, c.clockWrong, now)
		c.watchGateways(factory, linked, now)
		if engine := c.engines[factory]; engine != nil && !c.catchingUp(factory, now) {
			c.transitions(engine.Tick(now.Add(-c.lag(factory))))
		}
	}
}

func (c *core) serverFault(k faultKey, wrong bool, now time.Time) {
	to := safety.Inactive
	if wrong {
		to = safety.Firing
	}
	c.transitions(c.faults.set(k, to, now, nil))
}
