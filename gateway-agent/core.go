package agent

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"time"

	"nirapod/gateway-agent/annunciate"
	"nirapod/gateway-agent/clock"
	"nirapod/gateway-agent/spool"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/wire"
)

const (
	// tickEvery is how often time passes for holds, delays and silent sensors.
	tickEvery = 100 * time.Millisecond
	// keepEvery is how often the state of the rules is kept when nothing
	// happens; a transition keeps it at once.
	keepEvery = time.Second

	// queueSize bounds what waits for the core: a second of the busiest devices.
	queueSize = 256

	// In the order in which the keeper writes them.
	annunciatorFile = "annunciator.json"
	rulesFile       = "rules.json"
)

// core owns the rules and the annunciator. Everything reaches it by channel
// and leaves it without waiting.
type core struct {
	cfg     *Config
	clock   *clock.Clock
	engine  *rules.Engine
	ann     *annunciate.Annunciator
	epoch   epoch
	outputs *outputs
	journal *journal
	keeper  *keeper
	release func() []sample // ends latches of contacts at rest
	flags   safety.Flags
	log     *slog.Logger

	sensors map[string]*Sensor
	seen    map[string]seen // by sensor
	states  map[string][]byte
	permits []heldPermit          // oldest first
	parts   map[part]safety.State // of the gateway itself, as told
	kept    int64                 // when states were kept last, ms
	told    annunciate.State
	count   uint64 // of annunciator states kept, over all runs

	samples  chan []sample
	commands chan wire.Command
	faults   chan fault
}

// seen is the newest reading of a sensor.
type seen struct {
	safety.Reading
	mono int64
	any  bool
}

// savedRules is rulesFile.
type savedRules struct {
	Newest time.Time         `json:"newest"` // time of the rules
	Count  uint64            `json:"count"`  // of the annunciator state before it
	States map[string][]byte `json:"states"`
	// Permits is what the states alone do not say: when they end by other clocks.
	Permits []heldPermit `json:"permits,omitempty"`
}

// savedAnnunciator is annunciatorFile.
type savedAnnunciator struct {
	Boot  string           `json:"boot"`
	Count uint64           `json:"count"` // of states kept so far, this one included
	State annunciate.State `json:"state"`
}

func newCore(cfg *Config, clk *clock.Clock, log *slog.Logger) *core {
	c := &core{
		cfg: cfg, clock: clk, ann: annunciate.New(cfg.Delays), flags: cfg.flags(), log: log,
		sensors: map[string]*Sensor{}, seen: map[string]seen{}, states: map[string][]byte{}, parts: map[part]safety.State{},
		samples: make(chan []sample, queueSize), commands: make(chan wire.Command, queueSize), faults: make(chan fault, queueSize),
	}
	for i := range cfg.Sensors {
		c.sensors[cfg.Sensors[i].ID] = &cfg.Sensors[i]
	}
	return c
}

func (c *core) run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			c.keepRules(c.clock.Mono(), true)
			return ctx.Err()
		case batch := <-c.samples:
			for _, s := range batch {
				c.observe(s)
			}
		case cmd := <-c.commands:
			c.command(cmd)
		case f := <-c.faults:
			c.part(f)
		case <-tick.C:
			c.drain()
			c.tick(c.clock.Mono())
		}
	}
}

// drain takes the readings that wait already: time passes after them.
func (c *core) drain() {
	for {
		select {
		case batch := <-c.samples:
			for _, s := range batch {
				c.observe(s)
			}
		default:
			return
		}
	}
}

func (c *core) moment(mono int64) annunciate.Moment {
	wall, _ := c.clock.Wall(mono)
	return annunciate.Moment{At: ms(mono), Attended: attended(c.cfg.Attended, wall)}
}

// observe takes one reading all the way to the outputs, then hands it on.
func (c *core) observe(s sample) {
	before := c.seen[s.Sensor]
	if before.any && s.mono <= before.mono {
		s.mono = before.mono + 1 // one sample per sensor and millisecond
	}
	s.Flags = c.flags
	s.At = c.epoch.at(s.mono)
	c.seen[s.Sensor] = seen{s.Reading, s.mono, true}
	c.logEdge(before, s)

	c.transitions(s.mono, c.engine.Observe(s.Reading))
	c.switches(before, s)
	c.act()
	c.journal.reading(spool.Record{Stamp: c.stamp(s.mono), Reading: s.Reading})
}

// stamp is when something happened, by both clocks. What the rules date before
// this boot, a hold that ended meanwhile, is dated at its begin.
func (c *core) stamp(mono int64) spool.Stamp {
	mono = max(mono, 0)
	wall, _ := c.clock.Wall(mono)
	return spool.Stamp{Mono: mono, Wall: wall}
}

// logEdge logs when a sensor's quality changes.
func (c *core) logEdge(before seen, s sample) {
	if !before.any {
		before.Quality, before.Reason = safety.Good, ""
		if s.Reason == safety.Warming {
			return // as everything does at first
		}
	}
	if before.Quality == s.Quality && before.Reason == s.Reason {
		return
	}
	if s.Quality == safety.Good {
		c.log.Info("sensor is good again", "sensor", s.Sensor)
		return
	}
	c.log.Warn("sensor is not good", "sensor", s.Sensor, "reason", string(s.Reason), "value", s.Quality == safety.Uncertain)
}

// transitions tells the annunciator and the journal what changed.
func (c *core) transitions(mono int64, ts []safety.Transition) {
	if len(ts) == 0 {
		return
	}
	m := c.moment(mono)
	records := make([]spool.Record, len(ts))
	for i, t := range ts {
		c.ann.Transition(m, t)
		records[i] = spool.Record{Stamp: c.stamp(c.epoch.mono(t.At)), Transition: &t}
		c.logTransition(&t)
	}
	c.act() // before any of it is waited for
	c.journal.transitions(records...)
	c.keepRules(mono, true)
}

func (c *core) logTransition(t *safety.Transition) {
	if t.From != safety.Firing && t.To != safety.Firing {
		return
	}
	level := slog.LevelInfo
	if t.Class == safety.ClassAlarm || t.Class == safety.ClassFault {
		level = slog.LevelWarn
	}
	c.log.Log(context.Background(), level, "condition changed", "rule", t.Rule, "zone", t.Zone, "sensor", t.Sensor,
		"class", string(t.Class), "severity", string(t.Severity), "from", t.From.String(), "to", t.To.String())
}

// switches takes what call points and keys mean beyond the rules. A reading
// without a value says nothing; a key that was operated before the first
// reading is not being operated now.
func (c *core) switches(before seen, s sample) {
	if s.Quality == safety.Bad {
		return
	}
	spec, on := c.sensors[s.Sensor], s.Value == 1
	switch spec.Quantity {
	case safety.CallPoint:
		c.ann.CallPoint(c.moment(s.mono), s.Sensor, spec.Zone, on)
	case safety.Key:
		wasOff := before.any && before.Quality != safety.Bad && before.Value == 0
		if on && wasOff {
			c.key(spec.Contact.Key, s.mono)
		}
	}
}

func (c *core) key(use KeyUse, mono int64) {
	m := c.moment(mono)
	if use == KeyAcknowledge {
		c.log.Info("acknowledged", "by", "button")
		c.ann.Acknowledge(m, "")
		return
	}
	if points := c.ann.MayReset(); len(points) > 0 {
		for _, s := range c.release() {
			c.observe(s)
		}
		for _, p := range points {
			c.transitions(mono, c.engine.Reset(p, c.epoch.at(mono)))
		}
	}
	c.log.Warn("panel key", "answer", string(c.ann.Key(m)))
}

func (c *core) tick(mono int64) {
	c.endPermits(mono)
	c.transitions(mono, c.engine.Tick(c.epoch.at(mono)))
	c.ann.Tick(c.moment(mono))
	c.act()
	c.keepRules(mono, false)
}

// act passes on what should sound and keeps it.
func (c *core) act() {
	c.outputs.set(c.ann.Outputs())
	s := c.ann.State()
	if s.Equal(c.told) {
		return
	}
	if s.Phase != c.told.Phase {
		c.log.Warn("evacuation changed", "from", c.told.Phase.String(), "to", s.Phase.String())
	}
	c.keepAnnunciator(s)
}

func (c *core) keepAnnunciator(s annunciate.State) {
	c.told = s
	c.count++
	data, err := json.Marshal(savedAnnunciator{c.clock.Boot(), c.count, s})
	if err != nil {
		panic(err) // plain words and numbers always marshal
	}
	c.keeper.keep(annunciatorFile, data, true)
}

// keepRules keeps what the rules would need after a restart.
func (c *core) keepRules(mono int64, now bool) {
	if !now && mono-c.kept < keepEvery.Milliseconds() {
		return
	}
	c.kept = mono
	maps.Copy(c.states, c.engine.Snapshot())
	data, err := json.Marshal(savedRules{c.epoch.at(mono), c.count, c.states, c.permits})
	if err != nil {
		panic(err) // bytes and a time always marshal
	}
	c.journal.rules(data, now)
}
