package ingest

import (
	"context"
	"slices"
	"time"

	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

const (
	// offlineAfter is how long a gateway, or the broker, may be silent. A
	// generator takes over within that time, which is no fault.
	offlineAfter = 60 * time.Second
	// refusedFor is how long after the last refusal its fault lasts.
	refusedFor = 10 * time.Minute
	// statusEvery is how often "last heard" is written, at most.
	statusEvery = 30 * time.Second
	// caughtUp is how far behind the newest reading of a gateway may be that has
	// no backlog any more.
	caughtUp = 5 * time.Second
	// headway is by how much a backlog has to shrink to count as shrinking.
	headway = time.Second
	// maxUnknown bounds the unknown sensors that are named.
	maxUnknown = 50
)

// gateway is what is known of one registered gateway.
type gateway struct {
	key    gatewayKey
	status state.GatewayStatus
	born   bool // status.Run is from a birth
	// changed says that status is to be written now, not within statusEvery.
	changed bool
	written time.Time

	began   time.Time // when this process began to listen
	heard   time.Time // last pack, or began
	offline bool      // since heard + offlineAfter
	newest  time.Time // newest reading
	lag     time.Duration
	caught  bool          // since began it had nothing older left to send
	behind  time.Duration // until then: the least that its newest reading was old
	gained  time.Time     // and when that became less, or began
	witness witness
	refused map[string]time.Time // last refusal by reason
}

func newGateway(key gatewayKey, now time.Time) *gateway {
	return &gateway{
		key: key, status: state.GatewayStatus{Factory: key.factory, ID: key.id},
		began: now, heard: now, gained: now, refused: map[string]time.Time{},
	}
}

// heardOf notes a pack. The run of a birth is the newest; without one the run
// that was first seen last is.
func (g *gateway) heardOf(p wire.Pack, seen bool, now time.Time) {
	g.hear(now)
	if g.status.Run == "" || !g.born && !seen && p.Run != g.status.Run {
		g.status.Run, g.changed = p.Run, true
	}
	if g.status.Run == p.Run && g.status.Clock != string(p.Clock) {
		g.status.Clock, g.changed = string(p.Clock), true
	}
	if !g.status.Online {
		g.status.Online, g.changed = true, true
	}
}

func (g *gateway) hear(now time.Time) {
	g.heard, g.status.At = now, now
}

// measured follows how far readings trail ingest time: the rules' clock trails
// by as much, so that the way through the network is not taken for silence.
// newest is the newest reading of a pack.
func (g *gateway) measured(newest, now time.Time) {
	if !newest.After(g.newest) {
		return
	}
	switch {
	case !g.caught:
		g.catchUp(now.Sub(newest), now)
	case !g.offline:
		g.lag = min(max(now.Sub(g.newest), g.lag-g.lag/16), offlineAfter)
	}
	g.newest = newest
}

// catchUp follows a gateway through the backlog that waited for a process that
// starts. One that does not come nearer will not: its clock is another.
func (g *gateway) catchUp(behind time.Duration, now time.Time) {
	if g.newest.IsZero() || behind <= g.behind-headway {
		g.behind, g.gained = behind, now
	}
	g.caught = behind <= caughtUp
	g.lag = min(max(behind, 0), offlineAfter)
}

// catchingUp reports whether the rules of a factory have to wait: this process
// has not heard yet what its gateways measured while there was none, so that
// nothing is known of any silence. A gateway is waited for while its backlog
// shrinks, and for offlineAfter otherwise.
func (c *core) catchingUp(factory string, now time.Time) bool {
	for _, registered := range c.reg.sites[factory].Gateways {
		g := c.gateway(gatewayKey{factory, registered.ID}, now)
		if !g.caught && now.Sub(g.gained) < offlineAfter {
			return true
		}
	}
	return false
}

// lag is by how much the rules of a factory trail ingest time: the largest of
// its gateways that are not known to be silent.
func (c *core) lag(factory string) time.Duration {
	var most time.Duration
	for key, g := range c.gateways {
		if key.factory == factory && !g.offline {
			most = max(most, g.lag)
		}
	}
	return most
}

func (g *gateway) unknownSensor(id string) {
	i, found := slices.BinarySearch(g.status.UnknownSensors, id)
	if !found && len(g.status.UnknownSensors) < maxUnknown {
		g.status.UnknownSensors = slices.Insert(slices.Clone(g.status.UnknownSensors), i, id)
		g.changed = true
	}
}

// refusal notes that a record of g was refused. It reports whether that is news:
// the first for this reason in a while.
func (c *core) refusal(g *gateway, reason string, now time.Time) (news bool) {
	last, before := g.refused[reason]
	g.refused[reason] = now
	c.transitions(c.faults.set(faultKey{g.key.factory, faultRefused, g.key.id}, safety.Firing, now, map[string]float64{reason: 1}))
	return !before || now.Sub(last) > refusedFor
}

func (c *core) takeBirth(ctx context.Context, s *site, g *gateway, t wire.Topic, payload []byte, now time.Time) error {
	b, err := wire.DecodeBirth(t, payload)
	if err != nil {
		c.metrics.refused.WithLabelValues(refusedMalformed).Inc()
		if c.refusal(g, refusedMalformed, now) {
			c.log.Warn("birth refused", "gateway", t.Gateway, "factory", t.Factory, "err", err)
		}
		return nil
	}
	for _, a := range b.Anchors {
		key := bootKey{t.Factory, t.Gateway, a.Boot}
		if anchor, known := c.anchors[key]; known && (!anchor.Provisional || c.marks.corrected[key]) {
			continue
		}
		if err := c.anchor(ctx, state.Anchor{Factory: t.Factory, Gateway: t.Gateway, Boot: a.Boot, ID: a.ID, Mono: a.Mono, Wall: a.Wall}); err != nil {
			return err
		}
		c.marks.correct(key)
	}
	c.testify(g, b.At, now)
	// A birth that the broker retained is not a word of now.
	if b.Run != g.status.Run || !g.born {
		g.status.Run, g.born, g.changed = b.Run, true, true
	}
	g.status.Version, g.status.Clock = b.Version, string(b.Clock)
	g.status.Simulated = b.Flags&safety.Simulated != 0
	var unknown []string
	for _, sensor := range b.Sensors {
		if known, ok := s.sensors[sensor.ID]; !ok || known.Gateway != t.Gateway {
			unknown = append(unknown, sensor.ID)
		}
	}
	c.untold[g.key] = true
	slices.Sort(unknown)
	g.status.UnknownSensors = unknown[:min(len(unknown), maxUnknown)]
	g.changed = true
	return nil
}

// testify compares the clock of a gateway, which said at now that it is at.
// What the broker retained says what it was; that of an unsynced clock is zero.
func (c *core) testify(g *gateway, at, now time.Time) {
	if w := compare(at, now); w != noWitness && !c.retained {
		g.witness = w
	}
}

func (c *core) takePresence(g *gateway, payload []byte, now time.Time) {
	p, err := wire.DecodePresence(payload)
	if err != nil {
		c.metrics.refused.WithLabelValues(refusedMalformed).Inc()
		return
	}
	if p.Online {
		c.testify(g, p.At, now)
	}
	// The last will of an older run says nothing about the one that lives.
	if !p.Online && g.status.Run != "" && p.Run != g.status.Run {
		return
	}
	if p.Online != g.status.Online {
		g.status.Online, g.changed = p.Online, true
	}
	if p.Online && g.status.Run == "" {
		g.status.Run = p.Run
	}
}

// watchGateways finds silence and its end. While this process itself has no
// connection to the broker it knows nothing of any gateway.
func (c *core) watchGateways(factory string, linked bool, now time.Time) {
	for _, registered := range c.reg.sites[factory].Gateways {
		g := c.gateway(gatewayKey{factory, registered.ID}, now)
		if !linked {
			g.heard = maxTime(g.heard, now.Add(-offlineAfter/2))
			g.gained = maxTime(g.gained, now.Add(-offlineAfter/2))
		}
		c.watchSilence(g, now)
		c.watchRefusals(g, now)
	}
}

func (c *core) watchSilence(g *gateway, now time.Time) {
	k := faultKey{g.key.factory, faultOffline, g.key.id}
	switch silent := now.Sub(g.heard) >= offlineAfter; {
	case silent && !g.offline:
		g.offline = true
		c.transitions(c.faults.set(k, safety.Firing, g.heard.Add(offlineAfter), nil))
		if g.status.Online {
			g.status.Online, g.changed = false, true
		}
	case !silent && g.status.At.Equal(g.heard): // heard indeed, not only waited for
		g.offline = false
		c.transitions(c.faults.set(k, safety.Inactive, now, nil))
	}
}

func (c *core) watchRefusals(g *gateway, now time.Time) {
	k := faultKey{g.key.factory, faultRefused, g.key.id}
	if c.faults.is(k) != safety.Firing {
		return
	}
	last := g.began // of this process: an earlier one may have refused until then
	for _, at := range g.refused {
		last = maxTime(last, at)
	}
	if now.Sub(last) > refusedFor {
		clear(g.refused)
		c.transitions(c.faults.set(k, safety.Inactive, now, nil))
		c.log.Info("no records refused any more", "gateway", g.key.id, "factory", g.key.factory)
	}
}

// dismiss ends what was said about gateways and factories that are in no
// registry any more.
func (c *core) dismiss(now time.Time) {
	for key := range c.gateways {
		if c.reg.gateway(key.factory, key.id) == nil {
			delete(c.gateways, key)
		}
	}
	for k := range c.faults.states {
		ofGateway := k.rule == faultOffline || k.rule == faultRefused
		if ofGateway && c.reg.gateway(k.factory, k.scope) == nil || c.reg.sites[k.factory] == nil {
			c.transitions(c.faults.set(k, safety.Inactive, now, nil))
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
