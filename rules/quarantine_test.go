package rules_test

import (
	"strings"
	"testing"

	"nirapod/safety"
)

// fault makes a pack whose rule says whether a channel is in quarantine.
const fault = `
  - name: fault
    hazard: system
    class: fault
    severity: warning
    scope: sensor
    quantity: any
    when: quarantined
    runs: [server]
    clause: test
`

// quarantineEnds plays 20 minutes, a reading of each sensor every second, and
// returns when the fault of s ended, in seconds; -1 if it did not.
func quarantineEnds(t *testing.T, say func(id string, second int) safety.Reading, sensors ...safety.Sensor) int {
	t.Helper()
	e := engineOf(t, packOf(t, fault), sensors...)
	ends := -1
	for i := range 1200 {
		for _, s := range sensors {
			r := say(s.ID, i)
			if r == (safety.Reading{}) {
				continue
			}
			r.Sensor, r.At = s.ID, at(float64(i))
			for _, tr := range e.Observe(r) {
				if tr.Sensor == "s" && tr.To == safety.Inactive && tr.From == safety.Firing {
					ends = i
				}
				if tr.Sensor == "s" && tr.To == safety.Firing {
					ends = -1
				}
			}
		}
		e.Tick(at(float64(i) + 0.9))
	}
	return ends
}

func good(v float64) safety.Reading                  { return safety.Reading{Value: v, Quality: safety.Good} }
func broken(r safety.Reason) safety.Reading          { return safety.Reading{Reason: r} }
func inZone(s safety.Sensor, z string) safety.Sensor { s.Zone = z; return s }

func TestAFaultIsNotCuredByOneGoodNumber(t *testing.T) {
	s, n := sensorOf("s", safety.Temperature), sensorOf("n", safety.Temperature)
	then := func(first, then safety.Reading, neighbour float64) func(string, int) safety.Reading {
		return func(id string, second int) safety.Reading {
			switch {
			case id == "n":
				return good(neighbour)
			case second == 10:
				return first
			}
			return then
		}
	}
	for _, c := range []struct {
		name    string
		say     func(string, int) safety.Reading
		sensors []safety.Sensor
		want    int
	}{
		{"alone: ten minutes of good", then(broken(safety.WireOpen), good(25), 0), []safety.Sensor{s}, 11 + 600},
		{"with a neighbour that agrees: ten minutes", then(broken(safety.WireOpen), good(25), 29), []safety.Sensor{s, n}, 11 + 600},
		{"with one that does not: never", then(broken(safety.WireOpen), good(25), 31), []safety.Sensor{s, n}, -1},
		{"with one next door that does not: never", then(broken(safety.WireOpen), good(25), 31), []safety.Sensor{s, inZone(n, "y")}, -1},
		{"the room counts before the room next door", func(id string, second int) safety.Reading {
			if id == "far" {
				return good(90)
			}
			return then(broken(safety.WireOpen), good(25), 25)(id, second)
		}, []safety.Sensor{s, n, inZone(sensorOf("far", safety.Temperature), "y")}, 11 + 600},
		{"a neighbour that is dead cannot vouch and does not block", func(id string, second int) safety.Reading {
			if id == "n" {
				return broken(safety.NACK)
			}
			return then(broken(safety.WireOpen), good(25), 0)(id, second)
		}, []safety.Sensor{s, n}, 11 + 600},
		{"after a power cut those of a loop vouch for each other", func(_ string, second int) safety.Reading {
			if second == 10 {
				return broken(safety.WireOpen)
			}
			return good(25)
		}, []safety.Sensor{s, n}, 11 + 600},
		{"an impossible value", then(good(9.91e37), good(25), 0), []safety.Sensor{s}, 11 + 600},
		{"an error of the bus needs no proof", then(broken(safety.CRC), good(25), 0), []safety.Sensor{s}, -1},
		{"a neighbour that is silent does neither, whatever it said last", func(id string, second int) safety.Reading {
			if id == "n" && second > 5 {
				return safety.Reading{}
			}
			return then(broken(safety.WireOpen), good(25), 90)(id, second)
		}, []safety.Sensor{s, n}, 11 + 600},
		{"a silence in between starts it anew", func(id string, second int) safety.Reading {
			if second > 300 && second < 310 {
				return safety.Reading{}
			}
			return then(broken(safety.WireOpen), good(25), 0)(id, second)
		}, []safety.Sensor{s}, 310 + 600},
		{"one bad value in between starts it anew", func(id string, second int) safety.Reading {
			if second == 300 {
				return broken(safety.CRC)
			}
			return then(broken(safety.WireShort), good(25), 0)(id, second)
		}, []safety.Sensor{s}, 301 + 600},
		{"one uncertain value in between starts it anew", func(id string, second int) safety.Reading {
			if second == 300 {
				return safety.Reading{Value: 25, Quality: safety.Uncertain, Reason: safety.Stuck}
			}
			return then(broken(safety.WireShort), good(25), 0)(id, second)
		}, []safety.Sensor{s}, 301 + 600},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := quarantineEnds(t, c.say, c.sensors...); got != c.want {
				t.Errorf("ended at %d s, want %d", got, c.want)
			}
		})
	}
}

// A broken thermocouple passes through every temperature. Where a sound one
// watches the same zone it makes no fire of it; where nobody else does, it may.
func TestAChannelInQuarantineRaisesOnlyWhereNobodyElseWatches(t *testing.T) {
	hot := strings.NewReplacer("quantity: co", "quantity: temperature", "unit: ppm", "unit: Cel").Replace(head)
	for _, c := range []struct {
		name  string
		other safety.Sensor
		says  safety.Reading
		want  bool
	}{
		{"a sound one in the zone", sensorOf("n", safety.Temperature), good(20), false},
		{"one next door", inZone(sensorOf("n", safety.Temperature), "y"), good(20), true},
		{"another quantity", sensorOf("n", safety.Humidity), good(20), true},
		{"one that is bad", sensorOf("n", safety.Temperature), broken(safety.NACK), true},
		{"one that is only uncertain", sensorOf("n", safety.Temperature), safety.Reading{Value: 20, Quality: safety.Uncertain, Reason: safety.Stuck}, true},
		{"one that is silent", sensorOf("n", safety.Temperature), safety.Reading{}, true},
		{"one that is in quarantine itself", sensorOf("n", safety.Temperature), broken(safety.WireOpen), true},
	} {
		e := engineOf(t, packOf(t, hot+"    when: value >= limit\n"), sensorOf("s", safety.Temperature), c.other)
		fired := false
		for i := range 20 {
			for id, r := range map[string]safety.Reading{"s": good(9.91e37), "n": c.says} {
				if id == "s" && i > 0 {
					r = good(500)
				}
				if r == (safety.Reading{}) {
					continue
				}
				r.Sensor, r.At = id, at(float64(i))
				for _, tr := range e.Observe(r) {
					fired = fired || tr.To == safety.Firing && tr.Sensor == "s"
				}
			}
			e.Tick(at(float64(i) + 0.9))
		}
		if fired != c.want {
			t.Errorf("%s: fired %v, want %v", c.name, fired, c.want)
		}
	}
}

func TestAContactInQuarantineRaises(t *testing.T) {
	e := engineOf(t, packOf(t, strings.NewReplacer("quantity: co", "quantity: smoke", "unit: ppm", "unit: Cel").Replace(head)+"    when: value == 1\n"),
		sensorOf("s", safety.Smoke), sensorOf("n", safety.Smoke))
	observe(e, "n", 0, 0)
	e.Observe(safety.Reading{Sensor: "s", Reason: safety.WireOpen, At: at(0)})
	if got := lines(observe(e, "s", 1, 1)); got != "1s high s unknown>firing" {
		t.Errorf("got %q", got)
	}
}

func TestInQuarantineAValueRaisesAndClearsNothing(t *testing.T) {
	e := engineOf(t, packOf(t, head+"    when: value >= limit\n"), sensorOf("s", safety.CO))
	open := func(seconds float64) []safety.Transition {
		return e.Observe(safety.Reading{Sensor: "s", Reason: safety.WireOpen, At: at(seconds)})
	}
	got := lines(observe(e, "s", 0, 1), open(1), observe(e, "s", 2, 1), observe(e, "s", 3, 300), observe(e, "s", 4, 1))
	want := "0s high s unknown>inactive; 1s high s inactive>unknown; 3s high s unknown>firing; 4s high s firing>unknown"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := lines(e.ClearFault("s", at(5))); got != "5s high s unknown>inactive" {
		t.Errorf("a person's word: got %q", got)
	}
	window := engineOf(t, packOf(t, head+"    when: mean(\"4s\") >= limit\n"), sensorOf("s", safety.CO))
	window.Observe(safety.Reading{Sensor: "s", Reason: safety.WireOpen, At: at(0)})
	for i := 1; i < 5; i++ {
		observe(window, "s", float64(i), 1)
	}
	for i := 5; i < 9; i++ {
		window.ClearFault("s", at(4))
		if got, want := lines(observe(window, "s", float64(i), 1)), map[int]string{8: "8s high s unknown>inactive"}[i]; got != want {
			t.Errorf("second %d, samples from the quarantine in the window: got %q, want %q", i, got, want)
		}
	}
	open(6)
	if got := lines(e.ClearFault("s", at(7)), e.ClearFault("nobody", at(7))); got != "" {
		t.Errorf("nobody clears a channel that is bad now: got %q", got)
	}
}
