package ingest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/wire"
)

var (
	discard = slog.New(slog.DiscardHandler)
	day     = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
)

// testSite is a factory with one gateway per id and sensors s-0.. on each.
func testSite(factory string, sensors int, gateways ...string) safety.Site {
	s := safety.Site{
		Version: 1, Factory: safety.Factory{ID: factory},
		Zones: []safety.Zone{{ID: "store", Floor: "f1", Height: 3, NormalMax: 40}},
	}
	for _, g := range gateways {
		s.Gateways = append(s.Gateways, safety.Gateway{ID: g})
		for i := range sensors {
			s.Sensors = append(s.Sensors, safety.Sensor{
				ID: sensorID(g, i), Gateway: g, Zone: "store", Quantity: safety.Temperature,
				Grade: safety.Industrial, Class: "A1R", Period: time.Second,
			})
		}
	}
	return s
}

func sensorID(gateway string, i int) string { return fmt.Sprintf("%s-s%d", gateway, i) }

// disk is what survives a crash in the model: the series store and the state,
// each with its own promise and nothing between them.
type disk struct {
	samples     map[string]store.Sample
	seqs        map[trackKey]spans // as the state knows them
	transitions []safety.Transition
	once        map[string]bool // source, run, seq of transitions
	engine      map[string]map[string][]byte
	anchors     map[bootKey]state.Anchor
	refusals    []state.Refusal
	sites       []safety.Site
	packs       []rules.Pack
}

func newDisk(sites ...safety.Site) *disk {
	return &disk{
		samples: map[string]store.Sample{}, seqs: map[trackKey]spans{}, once: map[string]bool{},
		engine: map[string]map[string][]byte{}, anchors: map[bootKey]state.Anchor{}, sites: sites,
	}
}

func sampleID(s store.Sample) string {
	return fmt.Sprint(s.Factory, "/", s.Gateway, "/", s.Sensor, "/", s.Flags, "/", s.At.UnixMilli())
}

// boot starts a core from what is on the disk, as load does.
func (d *disk) boot(t testing.TB) *core {
	c := newCore(false, newMetrics(prometheus.NewRegistry(), func() float64 { return 0 }), discard)
	c.firstOf = func(_ context.Context, a state.Anchor) (state.Anchor, error) {
		key := bootKey{a.Factory, a.Gateway, a.Boot}
		if _, known := d.anchors[key]; !known {
			d.anchors[key] = a
		}
		return d.anchors[key], nil
	}
	c.reg = newRegistry(1, d.sites)
	for key, durable := range d.seqs {
		c.tracks[key] = newTrack(key, durable.clone())
	}
	c.marks.restore(d.engine[""])
	for factory, s := range c.reg.sites {
		engine, err := newWatch(d.packs, plant(s))
		if err != nil {
			t.Fatal(err)
		}
		engine.Restore(c.faults.restore(factory, maps.Clone(d.engine[factory])))
		for _, sample := range d.inOrder(factory) {
			engine.Warm(sample.Reading)
		}
		c.engines[factory] = engine
	}
	return c
}

// inOrder is what a series store answers: sensor by sensor, in order of time.
func (d *disk) inOrder(factory string) (out []store.Sample) {
	for _, s := range d.samples {
		if s.Factory == factory {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b store.Sample) int {
		return cmp.Or(strings.Compare(a.Sensor, b.Sensor), a.At.Compare(b.At))
	})
	return out
}

// append keeps the first value of an instant, as the series store does.
func (d *disk) append(samples []store.Sample) *store.RejectedError {
	var rejected store.RejectedError
	for i, s := range samples {
		before, taken := d.samples[sampleID(s)]
		if taken && before != s {
			rejected.Samples = append(rejected.Samples, store.Rejection{Index: i, Reason: store.RejectConflict})
			continue
		}
		d.samples[sampleID(s)] = s
	}
	return &rejected
}

func (d *disk) commit(b state.Batch) {
	for _, p := range b.Progress {
		d.seqs[trackKey{p.Factory, p.Gateway, p.Run, wire.Stream(p.Stream)}] = spans{p.Upto, p.Ranges}.clone()
	}
	for _, t := range b.Transitions {
		id := fmt.Sprint(t.Factory, t.Source, t.Run, t.Seq)
		if t.Run != "" && d.once[id] {
			continue
		}
		d.once[id] = true
		d.transitions = append(d.transitions, t)
	}
	for factory, states := range b.Engine {
		for key, blob := range states {
			put(d.engine, factory, map[string][]byte{key: blob})
		}
	}
	d.refusals = append(d.refusals, b.Refusals...)
}

// Where a flush may be cut off.
const (
	nowhere = iota
	beforeStore
	betweenStoreAndState
	beforePublishing
)

// flush is Ingest.flush on the disk. It returns what would be published, and
// false if the process was killed at that point.
func (d *disk) flush(c *core, now time.Time, cut int, storeWorks bool) ([]commitment, bool) {
	if cut == beforeStore {
		return nil, false
	}
	launched := c.launch()
	if storeWorks {
		c.rejected(d.append(launched), now)
	}
	c.storeDown = !storeWorks
	if cut == betweenStoreAndState {
		return nil, false
	}
	d.commit(c.seal(storeWorks, now))
	if cut == beforePublishing {
		return nil, false
	}
	return c.sealed(storeWorks, "epoch-1"), true
}

// encode returns topic and payload of a pack, which must be valid.
func encode(t testing.TB, p wire.Pack) (string, []byte) {
	t.Helper()
	payload, err := wire.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return wire.PackTopic(p.Factory, p.Gateway, p.Stream, false).String(), payload
}

// give lets c take a pack at now.
func give(t testing.TB, c *core, p wire.Pack, now time.Time) {
	t.Helper()
	topic, payload := encode(t, p)
	if err := c.take(t.Context(), topic, payload, now); err != nil {
		t.Fatal(err)
	}
}

const testRun = "00000000000000aa"

// readings is a synced pack of n readings of sensor 0, first at seq first, one
// a second; record seq happened at day + seq seconds.
func readings(first uint64, n int) wire.Pack {
	p := wire.Pack{
		Factory: "padma", Gateway: "gw-1", Run: testRun, Stream: wire.Readings, First: first, Boot: "b1",
		Mono: int64(first) * 1000, Clock: wire.Synced, Sent: day.Add(time.Duration(first+uint64(n)) * time.Second),
	}
	for i := range n {
		p.Records = append(p.Records, wire.Record{
			At:      day.Add(time.Duration(first+uint64(i)) * time.Second),
			Reading: safety.Reading{Sensor: sensorID("gw-1", 0), Value: float64(first) + float64(i), Quality: safety.Good},
		})
	}
	return p
}

func firing(sensor string) safety.Transition {
	return safety.Transition{
		Point: safety.PointID("padma", "static-heat", sensor), Pack: "fire", Rule: "static-heat", RuleVersion: "v1",
		Hazard: safety.HazardFire, Class: safety.ClassAlarm, Severity: safety.Alarm, Zone: "store", Sensor: sensor,
		Grade: safety.Industrial, From: safety.Inactive, To: safety.Firing, Values: map[string]float64{"value": 60},
	}
}

func alarms(first uint64, n int) wire.Pack {
	p := readings(first, n)
	p.Stream = wire.Alarms
	for i := range p.Records {
		t := firing(sensorID("gw-1", 0))
		p.Records[i] = wire.Record{At: p.Records[i].At, Transition: &t}
	}
	return p
}
