package rules_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

const twoOfThree = `
  - name: two
    hazard: fire
    class: alarm
    severity: alarm
    scope: zone
    when: count(smoke, .value == 1) >= 2
    runs: [server]
    clause: test
`

func smokeOf(id string, g safety.Grade) safety.Sensor {
	s := sensorOf(id, safety.Smoke)
	s.Grade = g
	return s
}

func say(e *rules.Engine, sensor string, seconds, value float64, f safety.Flags) []safety.Transition {
	return e.Observe(safety.Reading{Sensor: sensor, Value: value, Quality: safety.Good, Flags: f, At: at(seconds)})
}

func TestKOfN(t *testing.T) {
	e := engineOf(t, packOf(t, twoOfThree), smokeOf("a", safety.Industrial), smokeOf("b", safety.Industrial), smokeOf("c", safety.Industrial))
	got := lines(
		say(e, "a", 0, 1, 0),   // one, two unknown
		say(e, "b", 0.1, 0, 0), // one, one unknown
		say(e, "c", 0.2, 0, 0), // one of three
		say(e, "c", 1.2, 1, 0), // two
		e.Observe(safety.Reading{Sensor: "a", Reason: safety.WireOpen, At: at(2)}), // one, one unknown
		say(e, "b", 2.1, 1, 0), // two again
	)
	want := "200ms two z unknown>inactive; 1.2s two z inactive>firing; 2s two z firing>unknown; 2.1s two z unknown>firing"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestTheGradeIsThatOfWhoSaidSo(t *testing.T) {
	e := engineOf(t, packOf(t, twoOfThree),
		smokeOf("cheap1", safety.Indicative), smokeOf("cheap2", safety.Indicative), smokeOf("good", safety.Certified))
	say(e, "good", 0, 0, 0)
	say(e, "cheap1", 0.1, 1, 0)
	got := say(e, "cheap2", 0.2, 1, 0)
	if len(got) != 1 || got[0].Grade != safety.Indicative {
		t.Fatalf("two indicative heads: got %+v, want grade indicative", got)
	}
	if v := got[0].Values; v["cheap1.value"] != 1 || v["cheap2.value"] != 1 || v["count(smoke)"] != 2 || len(v) != 3 {
		t.Errorf("values %v", v)
	}
	got = say(e, "good", 1, 1, 0)
	if len(got) != 1 || got[0].From != safety.Firing || got[0].To != safety.Firing || got[0].Grade != safety.Certified {
		t.Fatalf("a better head agrees: got %+v, want firing>firing, certified", got)
	}
	if got = say(e, "good", 2, 0, 0); len(got) != 0 {
		t.Errorf("the grade is never taken back: got %+v", got)
	}
}

func TestOneRealReadingMakesItReal(t *testing.T) {
	const both = safety.Simulated | safety.Drill
	for _, c := range []struct {
		name   string
		flags  []safety.Flags // of the three readings of one head, one a second, that make the rule fire
		fields string
		want   safety.Flags
	}{
		{"all simulated", []safety.Flags{safety.Simulated, safety.Simulated, safety.Simulated}, "when: value == 1\n    for: 2s", safety.Simulated},
		{"simulated within a drill", []safety.Flags{both, both, both}, "when: value == 1\n    for: 2s", both},
		{"a real one during the hold", []safety.Flags{both, 0, both}, "when: value == 1\n    for: 2s", 0},
		{"a real one before the hold is over", []safety.Flags{both, both, 0}, "when: value == 1\n    for: 2s", 0},
		{"what all have in common", []safety.Flags{both, safety.Drill, both}, "when: value == 1\n    for: 2s", safety.Drill},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := strings.Replace(strings.Replace(head, "quantity: co", "quantity: smoke", 1), "limits:", "limits: {}", 1)
			doc, _, _ = strings.Cut(doc, "\n      limit:")
			e := engineOf(t, packOf(t, doc+"\n    "+c.fields+"\n"), sensorOf("s", safety.Smoke))
			var last safety.Transition
			for i, f := range c.flags {
				for _, tr := range append(say(e, "s", float64(i), 1, f), e.Tick(at(float64(i)+0.5))...) {
					last = tr
				}
			}
			if last.To != safety.Firing || last.Flags != c.want {
				t.Errorf("got %v with flags %b, want firing with %b", last.To, last.Flags, c.want)
			}
		})
	}
	t.Run("a real reading after it fired is told", func(t *testing.T) {
		e := engineOf(t, packOf(t, twoOfThree), smokeOf("a", safety.Industrial), smokeOf("b", safety.Industrial))
		say(e, "a", 0, 1, safety.Drill)
		say(e, "b", 0, 1, safety.Drill)
		got := say(e, "b", 1, 1, 0)
		if len(got) != 1 || got[0].From != got[0].To || got[0].Flags != 0 {
			t.Errorf("got %+v, want firing>firing without flags", got)
		}
	})
	t.Run("a window is real if one reading in it is", func(t *testing.T) {
		e := engineOf(t, packOf(t, head+"    when: mean(\"4s\") >= limit\n"), sensorOf("s", safety.CO))
		say(e, "s", 0, 300, 0)
		for i := 1; i < 3; i++ {
			say(e, "s", float64(i), 300, safety.Drill)
		}
		if got := say(e, "s", 3, 300, safety.Drill); len(got) != 1 || got[0].Flags != 0 {
			t.Errorf("with a real reading in the window: got %+v, want no flags", got)
		}
	})
}

func TestATransitionSaysWhy(t *testing.T) {
	e := engineOf(t, packOf(t, head+"    when: value >= limit && mean(\"4s\") >= low\n"), sensorOf("s", safety.CO))
	var got []safety.Transition
	for i := range 4 {
		got = say(e, "s", float64(i), 120, 0)
	}
	if len(got) != 1 {
		t.Fatal(lines(got))
	}
	tr := got[0]
	want := map[string]float64{"value": 120, "limit": 100, "mean(4s)": 120, "low": 50}
	if !maps.Equal(tr.Values, want) {
		t.Errorf("values %v, want %v", tr.Values, want)
	}
	if tr.Factory != "f" || tr.Source != safety.ServerSource || tr.Pack != "p" || tr.Rule != "high" || tr.Zone != "z" ||
		tr.Sensor != "s" || tr.Clause != "test" || tr.Grade != safety.Industrial || tr.Hazard != safety.HazardGas ||
		tr.Point != safety.PointID("f", "high", "s") || len(tr.RuleVersion) != 16 || tr.At.Location() != time.UTC {
		t.Errorf("incomplete: %+v", tr)
	}
	if e.Version() == "" || !slices.Contains([]time.Duration{4 * time.Second}, e.Window()) {
		t.Errorf("version %q, window %v", e.Version(), e.Window())
	}
}
