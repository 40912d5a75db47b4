package rules_test

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

var start = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// pack is one rule about zone z as a file of its own. rest is more fields.
func packOf(t *testing.T, rest string) []rules.Pack {
	t.Helper()
	packs, err := rules.Load(fstest.MapFS{"p.yml": {Data: []byte("rules:\n" + rest)}})
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

const head = `
  - name: high
    hazard: gas
    class: alarm
    severity: alarm
    scope: sensor
    quantity: co
    runs: [gateway, server]
    clause: test
    limits:
      limit: {value: 100, unit: ppm, source: test, clause: test, confidence: chosen}
      low: {value: 50, unit: ppm, source: test, clause: test, confidence: chosen}
`

func sensorOf(id string, q safety.Quantity) safety.Sensor {
	return safety.Sensor{ID: id, Zone: "z", Quantity: q, Grade: safety.Industrial, Period: time.Second}
}

func engineOf(t *testing.T, packs []rules.Pack, sensors ...safety.Sensor) *rules.Engine {
	t.Helper()
	e, err := rules.New(packs, rules.Plant{
		Factory: "f", Zones: []safety.Zone{{ID: "z"}, {ID: "y", Adjacent: []string{"z"}}}, Sensors: sensors,
	}, rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// word reads one sample of a series: a number, ~number (uncertain), a reason
// (bad), or _ (nothing comes).
func word(t *testing.T, sensor, w string, at time.Time) (safety.Reading, bool) {
	t.Helper()
	r := safety.Reading{Sensor: sensor, At: at, Quality: safety.Good}
	if w == "_" {
		return r, false
	}
	if safety.Reason(w).Known() {
		r.Quality, r.Reason = safety.Bad, safety.Reason(w)
		return r, true
	}
	if rest, ok := strings.CutPrefix(w, "~"); ok {
		r.Quality, r.Reason, w = safety.Uncertain, safety.Stuck, rest
	}
	v, err := strconv.ParseFloat(w, 64)
	if err != nil {
		t.Fatal(err)
	}
	r.Value = v
	return r, true
}

// states observes a series, one sample a second, ticking 10 ms before each
// second ends, and returns the state of the only rule after each second.
func states(t *testing.T, e *rules.Engine, series string) string {
	t.Helper()
	state, out := safety.Unknown, []string{}
	for i, w := range strings.Fields(series) {
		at := start.Add(time.Duration(i) * time.Second)
		var got []safety.Transition
		if r, ok := word(t, "s", w, at); ok {
			got = e.Observe(r)
		}
		got = append(got, e.Tick(at.Add(990*time.Millisecond))...)
		for _, tr := range got {
			if tr.From != state {
				t.Fatalf("second %d: transition from %v, state is %v", i, tr.From, state)
			}
			state = tr.To
		}
		out = append(out, state.String())
	}
	return strings.Join(out, " ")
}

func short(s string) string {
	return strings.NewReplacer("inactive", "i", "pending", "p", "firing", "F", "unknown", "?").Replace(s)
}

func TestStates(t *testing.T) {
	for _, c := range []struct{ name, fields, series, want string }{
		{"below the limit nothing happens", "when: value >= limit", "1 99 1", "i i i"},
		{"without a hold it fires at once", "when: value >= limit", "1 100 1", "i F i"},
		{"holds, then fires", "when: value >= limit\n    for: 2s", "300 300 300 300", "p p F F"},
		{"a blip resets the hold", "when: value >= limit\n    for: 2s", "300 1 300 300 300", "p i p p F"},
		{"silence is not safety", "when: value >= limit", "300 300 _ _ _ _ _", "F F F F ? ? ?"},
		{"silence never clears, and the next word is heard", "when: value >= limit", "300 _ _ _ _ 300 1", "F F F ? ? F i"},
		{"a fault is unknown at once", "when: value >= limit", "1 nack 1", "i ? i"},
		{"a fault keeps the alarm", "when: value >= limit", "300 nack 300 nack 1", "F ? F ? i"},
		{"a hold goes on through a fault", "when: value >= limit\n    for: 3s", "300 nack 300 300", "p ? p F"},
		{"a hold does not end in a fault", "when: value >= limit\n    for: 1s", "300 nack nack nack 1", "p ? ? ? i"},
		{"what is seen again after the hold fires then", "when: value >= limit\n    for: 2s", "300 nack nack nack 300", "p ? ? ? F"},
		{"an uncertain value raises", "when: value >= limit", "1 ~300", "i F"},
		{"an uncertain value clears nothing", "when: value >= limit", "300 ~1 1", "F ? i"},
		{"an uncertain value is not quiet", "when: value >= limit", "1 ~1 1", "i ? i"},
		{"it keeps firing for a while", "when: value >= limit\n    keep_firing_for: 2s", "300 1 1 1 1", "F F F i i"},
		{"the while starts anew", "when: value >= limit\n    keep_firing_for: 2s", "300 1 300 1 1 1", "F F F F F i"},
		{"unknown is no part of the while", "when: value >= limit\n    keep_firing_for: 2s", "300 1 nack 1 1 1", "F F ? F F i"},
		{"reset is a deadband", "when: value >= limit\n    reset: value < low", "300 99 50 49", "F F F i"},
		{"reset on an unknown value clears nothing", "when: value >= limit\n    reset: value < low", "300 ~1 nack 1", "F ? ? i"},
		{"reset does not clear what the condition cannot see", "when: mean(\"4s\") >= limit\n    reset: value < low", "300 300 300 300 nack nack 1", "? ? ? F ? ? ?"},
		{"what is true only for want of trust is unknown", "when: value >= limit || !known", "1 ~1 nack", "i ? F"},
		{"a latched alarm stays", "when: value >= limit\n    latch: true", "300 1 1 1", "F F F F"},
		{"a latched alarm stays through faults", "when: value >= limit\n    latch: true", "300 nack 1 _ _ _ 1", "F ? F F F ? F"},
		{"no value is no zero", "when: value < limit", "nack 300 nack 1", "? i ? F"},
		{"nothing is no alarm and no all-clear", "when: value >= limit", "_ _ _", "? ? ?"},
		{"an impossible value is a fault", "when: value >= limit", "1 9.91e37 1", "i ? ?"},
		{"after it a value may raise", "when: value >= limit", "1 9.91e37 1 300", "i ? ? F"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := engineOf(t, packOf(t, head+"    "+c.fields+"\n"), sensorOf("s", safety.CO))
			if got := short(states(t, e, c.series)); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.series, got, c.want)
			}
		})
	}
}

// line writes a transition as tests read it.
func line(tr safety.Transition) string {
	scope := tr.Sensor
	if scope == "" {
		scope = tr.Zone
	}
	return fmt.Sprintf("%v %s %s %v>%v", tr.At.Sub(start), tr.Rule, scope, tr.From, tr.To)
}

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

func observe(e *rules.Engine, sensor string, seconds, value float64) []safety.Transition {
	return e.Observe(safety.Reading{Sensor: sensor, Value: value, Quality: safety.Good, At: at(seconds)})
}

func lines(trs ...[]safety.Transition) string {
	var out []string
	for _, some := range trs {
		for _, tr := range some {
			out = append(out, line(tr))
		}
	}
	return strings.Join(out, "; ")
}

func TestTheTimeIsWhenItHappened(t *testing.T) {
	held := head + "    when: value >= limit\n    for: 2500ms\n"
	t.Run("a hold ends when it is over, not when somebody ticks", func(t *testing.T) {
		e := engineOf(t, packOf(t, held), sensorOf("s", safety.CO))
		got := lines(observe(e, "s", 0, 300), observe(e, "s", 2, 300), e.Tick(at(4.9)))
		if want := "0s high s unknown>pending; 2.5s high s pending>firing"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("a reading after the hold does not hide it", func(t *testing.T) {
		e := engineOf(t, packOf(t, held), sensorOf("s", safety.CO))
		got := lines(observe(e, "s", 0, 300), observe(e, "s", 3, 1))
		if want := "0s high s unknown>pending; 2.5s high s pending>firing; 3s high s firing>inactive"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("silence begins after three periods", func(t *testing.T) {
		e := engineOf(t, packOf(t, head+"    when: value >= limit\n"), sensorOf("s", safety.CO))
		got := lines(observe(e, "s", 0, 1), e.Tick(at(3)), e.Tick(at(60)))
		if want := "0s high s unknown>inactive; 3s high s inactive>unknown"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("silence of just three periods is none", func(t *testing.T) {
		e := engineOf(t, packOf(t, head+"    when: value >= limit\n"), sensorOf("s", safety.CO))
		got := lines(observe(e, "s", 0, 1), e.Tick(at(3)), observe(e, "s", 3, 1))
		if want := "0s high s unknown>inactive"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("a tick at the end of a hold ends it", func(t *testing.T) {
		e := engineOf(t, packOf(t, held), sensorOf("s", safety.CO))
		observe(e, "s", 0, 300)
		if got, want := lines(e.Tick(at(2.5))), "2.5s high s pending>firing"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("after blindness the alarm is of when it was seen again", func(t *testing.T) {
		e := engineOf(t, packOf(t, held), sensorOf("s", safety.CO))
		observe(e, "s", 0, 300)
		e.Observe(safety.Reading{Sensor: "s", Reason: safety.NACK, At: at(1)})
		if got, want := lines(observe(e, "s", 3.5, 300)), "3.5s high s unknown>firing"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("a gap between readings was silence even if nobody ticked", func(t *testing.T) {
		e := engineOf(t, packOf(t, head+"    when: value >= limit\n"), sensorOf("s", safety.CO))
		got := lines(observe(e, "s", 0, 300), observe(e, "s", 60, 300))
		if want := "0s high s unknown>firing; 3s high s firing>unknown; 1m0s high s unknown>firing"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("an older reading is history", func(t *testing.T) {
		e := engineOf(t, packOf(t, head+"    when: value >= limit\n"), sensorOf("s", safety.CO))
		observe(e, "s", 10, 1)
		if got := lines(observe(e, "s", 9, 300), observe(e, "s", 10, 300)); got != "" {
			t.Errorf("got %s, want nothing", got)
		}
	})
	t.Run("a hold keeps its start for a minute of blindness, not longer", func(t *testing.T) {
		for blind, want := range map[float64]string{60: "firing", 62: "pending"} {
			e := engineOf(t, packOf(t, head+"    when: value >= limit\n    for: 2s\n"), sensorOf("s", safety.CO))
			observe(e, "s", 0, 300)
			e.Observe(safety.Reading{Sensor: "s", Reason: safety.NACK, At: at(1)})
			got := observe(e, "s", 1+blind, 300)
			if last := got[len(got)-1]; last.To.String() != want {
				t.Errorf("blind for %v s: %v, want %s", blind, last.To, want)
			}
		}
	})
}

func TestLateReadings(t *testing.T) {
	newEngine := func() *rules.Engine {
		e := engineOf(t, packOf(t, head+"    when: value >= limit\n    for: 2s\n"), sensorOf("s", safety.CO))
		observe(e, "s", 0, 1)
		e.Tick(at(600))
		return e
	}
	t.Run("a backlog raises an alarm at the time at which it happened", func(t *testing.T) {
		e := newEngine()
		got := lines(observe(e, "s", 100, 300), observe(e, "s", 101, 300), observe(e, "s", 102, 300))
		if want := "1m40s high s unknown>pending; 1m42s high s pending>firing"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		got = lines(observe(e, "s", 103, 1), observe(e, "s", 599, 1))
		if want := "1m43s high s firing>unknown; 9m59s high s unknown>inactive"; got != want {
			t.Errorf("a backlog clears nothing, the present does: got %s, want %s", got, want)
		}
	})
	t.Run("a quiet backlog says nothing", func(t *testing.T) {
		e := newEngine()
		got := lines(observe(e, "s", 100, 1), observe(e, "s", 101, 1), e.Tick(at(601)), observe(e, "s", 601, 1))
		if want := "10m1s high s unknown>inactive"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("a backlog that ends in a hold does not fire", func(t *testing.T) {
		e := newEngine()
		got := lines(observe(e, "s", 100, 300), e.Tick(at(601)))
		if want := "1m40s high s unknown>pending; 1m42s high s pending>unknown"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestResetIsForPeople(t *testing.T) {
	e := engineOf(t, packOf(t, head+"    when: value >= limit\n    latch: true\n"), sensorOf("s", safety.CO))
	point := safety.PointID("f", "high", "s")
	reset := func(seconds float64) string { return lines(e.Reset(point, at(seconds))) }
	observe(e, "s", 0, 300)
	if got := reset(1); got != "" {
		t.Errorf("reset while it burns: %s", got)
	}
	e.Observe(safety.Reading{Sensor: "s", Reason: safety.NACK, At: at(2)})
	if got := reset(3); got != "" {
		t.Errorf("reset while nobody can see: %s", got)
	}
	observe(e, "s", 4, 1)
	if got, want := reset(5), "5s high s firing>inactive"; got != want {
		t.Errorf("reset when it is over: %q, want %q", got, want)
	}
	band := engineOf(t, packOf(t, head+"    when: value >= limit\n    reset: value < low\n    latch: true\n"), sensorOf("s", safety.CO))
	observe(band, "s", 0, 300)
	observe(band, "s", 1, 70)
	if got := lines(band.Reset(point, at(2))); got != "" {
		t.Errorf("reset within the deadband: %s", got)
	}
	if got := lines(e.Reset("no such point", at(6))); got != "" {
		t.Errorf("reset of nothing: %s", got)
	}
}

func readShipped(name string) ([]byte, error) { return fs.ReadFile(rules.Shipped, name) }

func mapFS(text string) fs.FS { return fstest.MapFS{"p.yml": {Data: []byte(text)}} }
