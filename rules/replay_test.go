package rules_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/rules"
	"nirapod/safety"
)

// everything is a pack that uses all that keeps state.
const everything = `
  - {name: held, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, runs: [server], clause: c,
     when: value >= high, for: 2500ms, keep_firing_for: 3s, reset: value < low, limits: *L}
  - {name: mean, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, runs: [server], clause: c,
     when: mean("6s") >= high && max("5s") < top || min("4s") > top, latch: true, limits: *L}
  - {name: rise, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: temperature, runs: [server], clause: c,
     when: rise("6s") >= steep, for: 1s, delay: {while: 'any(humidity, .rise("6s") >= steam)', at_most: 4s}, limits: *L}
  - {name: two, hazard: fire, class: alarm, severity: alarm, scope: zone, runs: [server], clause: c,
     when: 'count(smoke, .value == 1) >= 2', for: 1s}
  - {name: none, hazard: fire, class: info, severity: info, scope: zone, runs: [server], clause: c,
     when: 'none(smoke, .known) || all(smoke, .value == 1)'}
  - {name: fault, hazard: system, class: fault, severity: warning, scope: sensor, quantity: any, runs: [server], clause: c,
     when: quarantined || bad_polls >= 2, keep_firing_for: 2s}
  - {name: blind, hazard: system, class: fault, severity: warning, scope: sensor, quantity: any, runs: [server], clause: c,
     when: blind && !stale, for: 3s}
  - {name: climbs, hazard: gas, class: alarm, severity: warning, scope: sensor, quantity: co, runs: [server], clause: c,
     when: value >= low, steps: [{severity: prealarm, when: value >= high}, {severity: alarm, when: value > top}], limits: *L}
  - {name: flaps, hazard: exit, class: info, severity: info, scope: zone, runs: [server], clause: c,
     when: 'any(smoke, .value == 1)', flapping: {times: 3, within: 20s}}
  - {name: old, hazard: system, class: info, severity: info, scope: sensor, quantity: co, runs: [server], clause: c,
     when: age > tired, limits: *L}
  - {name: often, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, runs: [server], clause: c,
     when: 'count_above("6s", low) >= 3', reset: 'count_above("5s", high) < 1', for: 1s, limits: *L}
  - {name: short, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, runs: [server], clause: c,
     when: 'stel("15m") >= trace', limits: *L}
  - {name: shift, hazard: gas, class: info, severity: warning, scope: zone, runs: [server], clause: c,
     when: 'any(co, .twa("8h") > speck) && any(co, .value < low)', keep_firing_for: 2s, limits: *L}
`

const figures = `{high: {value: 100, unit: ppm, source: s, clause: c, confidence: chosen},
      low: {value: 50, unit: ppm, source: s, clause: c, confidence: chosen},
      top: {value: 180, unit: ppm, source: s, clause: c, confidence: chosen},
      steep: {value: 60, unit: K/min, source: s, clause: c, confidence: chosen},
      steam: {value: 60, unit: "%RH/min", source: s, clause: c, confidence: chosen},
      trace: {value: 0.8, unit: ppm, source: s, clause: c, confidence: chosen},
      speck: {value: 0.01, unit: ppm, source: s, clause: c, confidence: chosen},
      tired: {value: 1.5, unit: s, source: s, clause: c, confidence: chosen}}`

func everythingPacks(t *testing.T) []rules.Pack {
	return packOf(t, strings.ReplaceAll(everything, "*L", figures))
}

var replaySensors = []safety.Sensor{
	sensorOf("co1", safety.CO), sensorOf("co2", safety.CO), sensorOf("t", safety.Temperature),
	sensorOf("h", safety.Humidity), sensorOf("a", safety.Smoke), sensorOf("b", safety.Smoke),
}

// step is a reading, or a tick where it has no sensor.
type step struct {
	r    safety.Reading
	tick time.Time
}

func drawSteps(t *rapid.T) []step {
	var out []step
	now := 0
	for range rapid.IntRange(20, 250).Draw(t, "steps") {
		now += rapid.SampledFrom([]int{0, 1, 250, 500, 500, 1000, 1000, 1000, 2600, 7000, 61_000, 400_000}).Draw(t, "pause")
		moment := start.Add(time.Duration(now) * time.Millisecond)
		kind := rapid.IntRange(0, 9).Draw(t, "kind")
		if kind == 0 {
			out = append(out, step{tick: moment})
			continue
		}
		if kind == 4 {
			out = append(out, drawRamp(t, moment)...)
			now = int(out[len(out)-1].r.At.Sub(start) / time.Millisecond)
			continue
		}
		s := rapid.SampledFrom(replaySensors).Draw(t, "sensor")
		r := safety.Reading{Sensor: s.ID, At: moment, Quality: safety.Good, Flags: safety.Flags(rapid.IntRange(0, 1).Draw(t, "flags"))}
		r.Value = rapid.SampledFrom([]float64{20, 40, 60, 99, 100, 120, 200}).Draw(t, "value")
		if s.Quantity.Switch() {
			r.Value = float64(rapid.IntRange(0, 1).Draw(t, "switch"))
		} else if s.Quantity == safety.Humidity {
			r.Value /= 2
		}
		switch kind {
		case 1:
			r.Quality, r.Value = safety.Bad, 0
			r.Reason = rapid.SampledFrom([]safety.Reason{safety.NACK, safety.Warming, safety.WireOpen}).Draw(t, "reason")
		case 2:
			r.Quality, r.Reason = safety.Uncertain, safety.Stuck
		case 3: // a backlog
			r.At = r.At.Add(-time.Duration(rapid.IntRange(0, 20_000).Draw(t, "late")) * time.Millisecond)
		}
		out = append(out, step{r: r})
	}
	return out
}

// drawRamp is what fills windows: all sensors speak every second for a while.
func drawRamp(t *rapid.T, from time.Time) []step {
	base := rapid.SampledFrom([]float64{20, 60, 100}).Draw(t, "base")
	slope := map[string]float64{}
	for _, s := range replaySensors {
		slope[s.ID] = rapid.SampledFrom([]float64{-2, 0, 0.5, 2, 9}).Draw(t, "slope")
	}
	var out []step
	for i := range rapid.IntRange(3, 15).Draw(t, "seconds") {
		for _, s := range replaySensors {
			v := base + slope[s.ID]*float64(i)
			if s.Quantity.Switch() {
				v = float64(int(base) / 60 % 2)
			} else if s.Quantity == safety.Humidity {
				v /= 4
			}
			at := from.Add(time.Duration(i) * time.Second)
			out = append(out, step{r: safety.Reading{Sensor: s.ID, At: at, Quality: safety.Good, Value: v}})
		}
	}
	return out
}

func play(e *rules.Engine, s step) []safety.Transition {
	if s.r.Sensor == "" {
		return e.Tick(s.tick)
	}
	return e.Observe(s.r)
}

// A restart between any two readings changes nothing that is said after it.
func TestARestartChangesNothing(t *testing.T) {
	packs := everythingPacks(t)
	said := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		steps := drawSteps(t)
		cut := rapid.IntRange(0, len(steps)).Draw(t, "cut")
		e := rebuild(packs)
		store := map[string][]byte{}
		var warm []safety.Reading
		newest := map[string]time.Time{}
		for i, s := range steps[:cut] {
			play(e, s)
			if s.r.Sensor != "" && s.r.At.After(newest[s.r.Sensor]) {
				newest[s.r.Sensor] = s.r.At
				warm = append(warm, s.r)
			}
			if i%3 == 0 || i == cut-1 {
				maps.Copy(store, e.Snapshot())
			}
		}
		e2 := rebuild(packs)
		if dropped := e2.Restore(store); len(dropped) > 0 {
			t.Fatalf("dropped %v", dropped)
		}
		for _, r := range warm {
			e2.Warm(r)
		}
		// The store may also hold what was never observed: it is to come yet.
		for _, s := range steps[cut:] {
			if s.r.Sensor != "" && s.r.At.After(newest[s.r.Sensor]) {
				e2.Warm(s.r)
			}
		}
		for i, s := range steps[cut:] {
			want, got := play(e, s), play(e2, s)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%d steps after the restart: got %s\nwant %s", i+1, lines(got), lines(want))
			}
			for _, tr := range want {
				said[fmt.Sprint(tr.Rule, " ", tr.To)]++
			}
		}
	})
	for _, rule := range []string{"held", "mean", "rise", "two", "none", "fault", "blind", "climbs", "flaps", "old", "often", "short", "shift"} {
		if said[rule+" firing"] == 0 && !testing.Short() {
			t.Errorf("rule %s never fired after a restart: the test says nothing about it (%v)", rule, said)
		}
	}
}

func rebuild(packs []rules.Pack) *rules.Engine {
	e, err := rules.New(packs, rules.Plant{
		Factory: "f", Zones: []safety.Zone{{ID: "z"}, {ID: "y", Adjacent: []string{"z"}}}, Sensors: replaySensors,
	}, rules.Server, safety.ServerSource)
	if err != nil {
		panic(err)
	}
	return e
}

// The same input gives the same output, and what sensors' own rules say does
// not depend on how often time is told.
func TestTicksBetweenReadingsChangeNothing(t *testing.T) {
	packs := everythingPacks(t)
	rapid.Check(t, func(t *rapid.T) {
		var few, many []string
		seldom, often, again := rebuild(packs), rebuild(packs), rebuild(packs)
		now := start
		for range rapid.IntRange(5, 120).Draw(t, "steps") {
			before := now
			now = now.Add(time.Duration(rapid.SampledFrom([]int{500, 1000, 1000, 2600, 7000}).Draw(t, "pause")) * time.Millisecond)
			r := safety.Reading{Sensor: "co1", At: now, Quality: safety.Good, Value: rapid.SampledFrom([]float64{40, 60, 120}).Draw(t, "value")}
			if rapid.IntRange(0, 5).Draw(t, "bad") == 0 {
				r = safety.Reading{Sensor: "co1", At: now, Reason: safety.NACK}
			}
			one := seldom.Observe(r)
			if !reflect.DeepEqual(one, again.Observe(r)) {
				t.Fatal("the same input gave another output")
			}
			few = append(few, held(one)...)
			for between := before; between.Before(now); between = between.Add(100 * time.Millisecond) {
				many = append(many, held(often.Tick(between))...)
			}
			many = append(many, held(often.Observe(r))...)
		}
		if !slices.Equal(few, many) {
			t.Fatalf("without ticks %v\nwith ticks %v", few, many)
		}
	})
}

func held(trs []safety.Transition) []string {
	var out []string
	for _, tr := range trs {
		if tr.Sensor == "co1" && (tr.Rule == "held" || tr.Rule == "mean") {
			out = append(out, line(tr))
		}
	}
	return out
}

func TestRestoreKeepsOnlyWhatMeansTheSame(t *testing.T) {
	rule := func(fields string) []rules.Pack { return packOf(t, head+"    "+fields+"\n") }
	old := engineOf(t, rule("when: value >= limit\n    latch: true"), sensorOf("s", safety.CO))
	observe(old, "s", 0, 300)
	store := old.SnapshotAll()
	for _, c := range []struct {
		name, fields string
		kept         bool
	}{
		{"nothing changed", "when: value >= limit\n    latch: true", true},
		{"written down otherwise", "latch: true\n    when: (limit <= (value)) # a comment", true},
		{"another limit", "when: value >= low\n    latch: true", false},
		{"another operator", "when: value > limit\n    latch: true", false},
		{"a hold", "when: value >= limit\n    latch: true\n    for: 1s", false},
		{"no latch", "when: value >= limit", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := engineOf(t, rule(c.fields), sensorOf("s", safety.CO))
			dropped := e.Restore(store)
			if kept := len(dropped) == 0; kept != c.kept {
				t.Fatalf("kept %v, want %v: %v", kept, c.kept, dropped)
			}
			if !c.kept && (dropped[0].Rule != "high" || dropped[0].Scope != "s" || dropped[0].State != safety.Firing) {
				t.Errorf("dropped %+v: it must say that an alarm was among it", dropped)
			}
		})
	}
	t.Run("a blob that is none", func(t *testing.T) {
		e := engineOf(t, rule("when: value >= limit"), sensorOf("s", safety.CO))
		got := e.Restore(map[string][]byte{"sensors": {9}, "x": []byte("{}"), "y": []byte("no")})
		if len(got) != 3 {
			t.Errorf("got %v, want three refusals", got)
		}
	})
	t.Run("only changes are written", func(t *testing.T) {
		e := engineOf(t, rule("when: value >= limit"), ofGateway(sensorOf("s", safety.CO), "gw-1"), ofGateway(sensorOf("x", safety.CO), "gw-2"))
		observe(e, "s", 0, 1)
		observe(e, "x", 0, 1)
		if got := slices.Sorted(maps.Keys(e.Snapshot())); len(got) != 5 || !slices.Equal(got[2:], []string{"sensors", "sensors/gw-1", "sensors/gw-2"}) {
			t.Errorf("the first readings wrote %v", got)
		}
		observe(e, "s", 1, 1)
		if got := slices.Sorted(maps.Keys(e.Snapshot())); !slices.Equal(got, []string{"sensors/gw-1"}) {
			t.Errorf("a quiet reading wrote %v", got)
		}
		if got := e.Snapshot(); len(got) != 0 {
			t.Errorf("nothing wrote %v", got)
		}
	})
}

func ofGateway(s safety.Sensor, gateway string) safety.Sensor {
	s.Gateway = gateway
	return s
}

// What an earlier program saved in one blob is taken and saved anew in whole;
// of a sensor that moved to another gateway the newer state counts.
func TestRestoreOfChannels(t *testing.T) {
	packs := packOf(t, head+"    when: value >= limit\n")
	at := func(gateway string, seconds ...float64) map[string][]byte {
		e := engineOf(t, packs, ofGateway(sensorOf("s", safety.CO), gateway), ofGateway(sensorOf("x", safety.CO), gateway))
		for _, n := range seconds {
			observe(e, "s", n, 1)
		}
		e.Tick(start.Add(time.Hour))
		return e.SnapshotAll()
	}
	older, newer := at("gw-1", 0, 4), at("gw-9", 0, 5)
	first, err := hex.DecodeString("0173010082acb89dc06882acb89dc068000000017801000000000000") // s spoke at the start, x never
	if err != nil {
		t.Fatal(err)
	}
	states := map[string][]byte{"sensors": append(slices.Clone(older["sensors"]), first...)}
	e := engineOf(t, packs, ofGateway(sensorOf("s", safety.CO), "gw-2"), ofGateway(sensorOf("x", safety.CO), "gw-3"))
	if dropped := e.Restore(states); len(dropped) > 0 {
		t.Fatal(dropped)
	}
	got := e.Snapshot()
	if !slices.Equal(slices.Sorted(maps.Keys(got)), []string{"sensors/gw-2", "sensors/gw-3"}) {
		t.Errorf("one blob was saved anew as %v", slices.Sorted(maps.Keys(got)))
	}
	all := e.SnapshotAll()
	if !slices.Equal(all["sensors"], older["sensors"][:len(all["sensors"])]) {
		t.Errorf("times %x, want those of %x", all["sensors"], older["sensors"])
	}
	for _, keys := range [][2]string{{"sensors/gw-1", "sensors/gw-9"}, {"sensors/gw-9", "sensors/gw-1"}} {
		e := engineOf(t, packs, ofGateway(sensorOf("s", safety.CO), "gw-9"), ofGateway(sensorOf("x", safety.CO), "gw-9"))
		e.Restore(map[string][]byte{"sensors": newer["sensors"], keys[0]: older["sensors/gw-1"], keys[1]: newer["sensors/gw-9"]})
		if got := e.SnapshotAll()["sensors/gw-9"]; !slices.Equal(got, newer["sensors/gw-9"]) {
			t.Errorf("restored from %v: %x, want %x", keys, got, newer["sensors/gw-9"])
		}
	}
}
