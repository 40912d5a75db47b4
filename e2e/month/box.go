package month

import (
	"fmt"
	"slices"
	"time"

	"nirapod/firmware-sim/factory"
	"nirapod/gateway-agent/annunciate"
	"nirapod/rules"
	"nirapod/safety"
)

// delays are the site's own for the time of a shift.
var delays = annunciate.Delays{V1: 30 * time.Second, V2: 3 * time.Minute}

// moment is when something happens, and whether a shift works.
type moment struct {
	now      time.Time
	attended bool
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (m moment) of() annunciate.Moment {
	return annunciate.Moment{At: m.now.Sub(epoch), Attended: m.attended}
}

// box is a gateway: the shipped engine and annunciator over its own sensors,
// and what it has not sent yet.
type box struct {
	id     string
	packs  []rules.Pack
	plant  rules.Plant
	engine *rules.Engine
	ann    *annunciate.Annunciator
	up     bool
	runs   int
	seq    uint64
	queue  []record

	// The time of the rules stands still while there is no power, as in the agent.
	stood  time.Duration // so long by now
	newest time.Time     // that time, at the newest tick
	began  time.Time     // when this run began

	callPoints map[string]string // zones
	recent     []safety.Reading  // for the windows of the rules after a start, in their time
	saved      map[string][]byte // while it is without power
	savedState annunciate.State
}

// paused is what the time between two runs counts.
const paused = time.Second

// record is a reading, or a transition that a reading led to, of a run of a gateway.
type record struct {
	gateway    string
	run        string
	reading    safety.Reading
	transition *safety.Transition
}

func newBox(id string, site safety.Site, packs []rules.Pack) (*box, error) {
	b := &box{id: id, packs: packs, ann: annunciate.New(delays), up: true, runs: 1, callPoints: map[string]string{}}
	b.plant = rules.Plant{Factory: site.Factory.ID, Zones: site.Zones, Hazards: site.Hazards, Limits: site.Factory.Limits}
	for _, s := range site.Sensors {
		if s.Gateway == id {
			b.plant.Sensors = append(b.plant.Sensors, s)
			if s.Quantity == safety.CallPoint {
				b.callPoints[s.ID] = s.Zone
			}
		}
	}
	var err error
	b.engine, err = rules.New(packs, b.plant, rules.Gateway, id)
	return b, err
}

func (b *box) observe(m moment, r safety.Reading) []safety.Transition {
	b.queue = append(b.queue, record{gateway: b.id, run: b.run(), reading: r})
	if zone, isOne := b.callPoints[r.Sensor]; isOne && r.Quality != safety.Bad {
		b.ann.CallPoint(m.of(), r.Sensor, zone, r.Value == 1)
	}
	r.At = r.At.Add(-b.stood)
	b.keep(r)
	return b.tell(m, b.engine.Observe(r))
}

// keep keeps what the windows of the rules may need, as the agent does on its disk.
func (b *box) keep(r safety.Reading) {
	b.recent = append(b.recent, r)
	if window := b.engine.Window(); r.At.Sub(b.recent[0].At) > 2*window {
		from, _ := slices.BinarySearchFunc(b.recent, r.At.Add(-window), func(x safety.Reading, at time.Time) int { return x.At.Compare(at) })
		b.recent = slices.Clone(b.recent[from:])
	}
}

func (b *box) run() string { return fmt.Sprintf("%016x", b.runs) }

func (b *box) tick(m moment) []safety.Transition {
	b.newest = m.now.Add(-b.stood)
	told := b.tell(m, b.engine.Tick(b.newest))
	b.ann.Tick(m.of())
	return told
}

// tell is what the agent does with transitions: act, then send.
func (b *box) tell(m moment, ts []safety.Transition) []safety.Transition {
	for i := range ts {
		t := &ts[i]
		if t.At = t.At.Add(b.stood); t.At.Before(b.began) {
			t.At = b.began
		}
		b.ann.Transition(m.of(), *t)
		b.seq++
		said := *t
		said.Run, said.Seq = b.run(), b.seq
		b.queue = append(b.queue, record{gateway: b.id, run: b.run(), transition: &said})
	}
	return ts
}

// send passes what has not been sent to take.
func (b *box) send(take func(record)) {
	for _, r := range b.queue {
		take(r)
	}
	b.queue = b.queue[:0]
}

// power takes the box's power away, or gives it back: what it had kept is what
// it knows then, as in the agent.
func (b *box) power(m moment, up bool) (err error) {
	switch {
	case b.up && !up:
		b.saved, b.savedState = b.engine.SnapshotAll(), b.ann.State()
	case !b.up && up:
		if b.engine, err = rules.New(b.packs, b.plant, rules.Gateway, b.id); err != nil {
			return err
		}
		if lost := b.engine.Restore(b.saved); len(lost) > 0 {
			return fmt.Errorf("%s: lost its state: %v", b.id, lost)
		}
		for _, r := range b.recent {
			b.engine.Warm(r)
		}
		b.ann = annunciate.New(delays)
		b.ann.Restore(m.of(), b.savedState, false)
		b.runs, b.seq = b.runs+1, 0
		b.began, b.stood = m.now, m.now.Sub(b.newest.Add(paused))
	}
	b.up = up
	return nil
}

// key is a person with the panel key: the heads' power is interrupted, the
// rules are reset where they may be, the event is ended if nothing holds it.
func (b *box) key(m moment, f *factory.Factory) (told []safety.Transition) {
	if points := b.ann.MayReset(); len(points) > 0 {
		f.Power(b.id)
		for _, p := range points {
			told = append(told, b.tell(m, b.engine.Reset(p, m.now.Add(-b.stood)))...)
		}
	}
	b.ann.Key(m.of())
	return told
}
