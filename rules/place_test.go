package rules_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"nirapod/rules"
	"nirapod/safety"
)

// placePack is a pack of all that keeps state of the place.
const placePack = `
  - {name: shift, hazard: hours, class: info, severity: info, scope: zone, runs: [server], clause: c,
     when: 'in_shift && people_at_least >= 1', for: 500ms, keep_firing_for: 5s}
  - {name: hours, hazard: hours, class: info, severity: info, scope: zone, runs: [server], clause: c, when: '!approved_hours'}
  - {name: proof, hazard: exit, class: info, severity: warning, scope: exit, runs: [server], clause: c, when: 'in_shift && !proved', for: 30s}
  - {name: age, hazard: system, class: fault, severity: warning, scope: sensor, quantity: co, runs: [server], clause: c, when: '!calibrated'}
  - {name: head, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: smoke, runs: [server], clause: c,
     when: value == 1, for: 2s, permit: hot_work}
  - {name: two, hazard: fire, class: alarm, severity: alarm, scope: zone, runs: [server], clause: c,
     when: 'count(smoke, .value == 1) >= 2', permit: hot_work}
  - {name: apart, hazard: system, class: isolation, severity: info, scope: sensor, quantity: any, runs: [server], clause: c, when: isolated}
  - {name: test, hazard: system, class: fault, severity: warning, scope: sensor, quantity: any, runs: [server], clause: c, when: untested}
  - {name: power, hazard: system, class: fault, severity: warning, scope: sensor, quantity: any, runs: [server], clause: c,
     when: bad && !unpowered}
  - {name: blind, hazard: system, class: fault, severity: warning, scope: sensor, quantity: any, runs: [server], clause: c, when: blind, for: 3s}
`

// begun is a Monday, a minute before a shift, local time.
var begun = time.Date(2026, 1, 5, 1, 59, 0, 0, time.UTC)

func placeEngine(packs []rules.Pack) *rules.Engine {
	sensor := func(id string, q safety.Quantity) safety.Sensor { return ofGateway(sensorOf(id, q), "g") }
	co := sensor("c", safety.CO)
	co.Calibrated = "2026-01-06"
	e, err := rules.New(packs, rules.Plant{
		Factory: "f", Zones: []safety.Zone{{ID: "z"}},
		Sensors: []safety.Sensor{sensor("p", safety.People), sensor("a", safety.Smoke), sensor("b", safety.Smoke), sensor("d", safety.DoorOpen), sensor("m", safety.Mains), co},
		Exits:   []safety.Exit{{ID: "door", From: "z", Kind: "door", Sensor: "d"}, {ID: "bare", From: "z", Kind: "gate"}},
		Calendar: rules.Calendar{
			Shifts: []safety.Shift{{ID: "a", From: "08:00", To: "08:05"}, {ID: "b", From: "23:58", To: "00:03"}},
			Hours:  []safety.Hours{{Days: "mon", From: "08:01", To: "08:04"}},
		},
	}, rules.Server, safety.ServerSource)
	if err != nil {
		panic(err)
	}
	return e
}

// act is something that happens: a reading, or a tick or a person's word.
type act struct {
	r  safety.Reading
	do func(e *rules.Engine) []safety.Transition
}

func (a act) on(e *rules.Engine) []safety.Transition {
	if a.do == nil {
		return e.Observe(a.r)
	}
	return a.do(e)
}

func drawActs(t *rapid.T) []act {
	var out []act
	now := begun
	for n := range rapid.IntRange(10, 120).Draw(t, "acts") {
		now = now.Add(rapid.SampledFrom([]time.Duration{0, 500 * time.Millisecond, time.Second, time.Second, 7 * time.Second, 70 * time.Second, 5 * time.Hour}).Draw(t, "pause"))
		at := now
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0, 1:
			out = append(out, act{do: func(e *rules.Engine) []safety.Transition { return e.Tick(at) }})
		case 2:
			p := safety.Permit{
				ID: fmt.Sprint("p", n), Work: safety.HotWork, Zone: "z", Sensors: []string{rapid.SampledFrom([]string{"a", "b", "d"}).Draw(t, "isolated")},
				From: at, Until: at.Add(rapid.SampledFrom([]time.Duration{3 * time.Second, time.Minute, 4 * time.Hour}).Draw(t, "length")),
				IssuedBy: "i", AcceptedBy: "j", Watch: "w",
			}
			out = append(out, act{do: func(e *rules.Engine) []safety.Transition { trs, _ := e.Permit(p, at); return trs }})
		case 3:
			id := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tested")
			out = append(out, act{do: func(e *rules.Engine) []safety.Transition { return e.SelfTested(id, at) }})
		default:
			r := safety.Reading{Sensor: rapid.SampledFrom([]string{"p", "a", "b", "d", "m", "c"}).Draw(t, "sensor"), At: at, Quality: safety.Good}
			r.Value = float64(rapid.IntRange(0, 1).Draw(t, "value"))
			if rapid.IntRange(0, 5).Draw(t, "bad") == 0 {
				r.Quality, r.Reason, r.Value = safety.Bad, safety.NACK, 0
			}
			out = append(out, act{r: r})
		}
	}
	return out
}

// A restart between any two acts changes nothing of the calendar, the exits, the
// permits and the mains.
func TestARestartForgetsNothingOfThePlace(t *testing.T) {
	packs, err := rules.Load(fstest.MapFS{"place.yml": {Data: []byte("rules:" + placePack)}})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		acts := drawActs(t)
		cut := rapid.IntRange(0, len(acts)).Draw(t, "cut")
		one := placeEngine(packs)
		store := map[string][]byte{}
		for _, a := range acts[:cut] {
			a.on(one)
			maps.Copy(store, one.Snapshot())
		}
		two := placeEngine(packs)
		if dropped := two.Restore(store); len(dropped) > 0 {
			t.Fatalf("dropped %v", dropped)
		}
		newest := map[string]time.Time{}
		for _, a := range acts[:cut] {
			if a.do == nil && a.r.At.After(newest[a.r.Sensor]) { // others are history
				newest[a.r.Sensor] = a.r.At
				two.Warm(a.r)
			}
		}
		for i, a := range acts[cut:] {
			want, got := a.on(one), a.on(two)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%d acts after the restart: got %s\nwant %s", i+1, lines(got), lines(want))
			}
			for _, tr := range want {
				said[tr.Rule+" "+tr.To.String()]++
			}
		}
	})
	for _, rule := range []string{"shift", "hours", "proof", "age", "head", "two", "apart", "test", "power"} {
		if said[rule+" firing"] == 0 && !testing.Short() {
			t.Errorf("rule %s never fired after a restart (%v)", rule, said)
		}
	}
}

func TestAPermitThatIsNotInOrderChangesNothing(t *testing.T) {
	packs, err := rules.Load(fstest.MapFS{"place.yml": {Data: []byte("rules:" + placePack)}})
	if err != nil {
		t.Fatal(err)
	}
	sound := safety.Permit{
		ID: "p", Work: safety.HotWork, Zone: "z", Sensors: []string{"a"}, From: begun, Until: begun.Add(time.Hour), IssuedBy: "Rahim", AcceptedBy: "Karim", Watch: "Salma",
	}
	for _, c := range []struct {
		name string
		with func(*safety.Permit)
		want string
	}{
		{"one person is not two", func(p *safety.Permit) { p.AcceptedBy = " rahim " }, "two people"},
		{"nobody watches", func(p *safety.Permit) { p.Watch = "" }, "fire watch"},
		{"five hours", func(p *safety.Permit) { p.Until = begun.Add(5 * time.Hour) }, "4h0m0s at most"},
		{"another zone", func(p *safety.Permit) { p.Zone = "y" }, "is in zone z"},
		{"a sensor that is none", func(p *safety.Permit) { p.Sensors = []string{"x"} }, "not found"},
		{"a door", func(p *safety.Permit) { p.Sensors = []string{"a", "d"} }, "may be covered"},
		{"work that covers nothing", func(p *safety.Permit) { p.Work = safety.Painting }, "may be covered"},
		{"work that is none", func(p *safety.Permit) { p.Work = "cooking" }, "is no work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, p := placeEngine(packs), sound
			c.with(&p)
			trs, err := e.Permit(p, begun)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(trs) > 0 {
				t.Errorf("got %v, %v", trs, err)
			}
			if keys := slices.Collect(maps.Keys(e.Snapshot())); slices.Contains(keys, "isolations") {
				t.Error("it isolates all the same")
			}
		})
	}
	e := placeEngine(packs)
	if _, err := e.Permit(sound, begun); err != nil {
		t.Fatal(err)
	}
	again := sound
	again.ID = "q"
	if _, err := e.Permit(again, begun); err == nil || !strings.Contains(err.Error(), "isolated by permit p") {
		t.Errorf("got %v", err)
	}
}

func TestWhatNoPermitMayCoverIsRefusedAtLoad(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{"hazard: fire, class: alarm, severity: evacuate, scope: sensor, quantity: call_point, when: value == 1", "a call point or an exit"},
		{"hazard: exit, class: alarm, severity: alarm, scope: sensor, quantity: locked, when: value == 1", "a call point or an exit"},
		{"hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, when: value >= limit", "the second stage"},
		{"hazard: gas, class: alarm, severity: evacuate, scope: sensor, quantity: lel, when: value >= explosive", "the second stage"},
		{"hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: temperature, when: value >= heat", "static heat"},
		{"hazard: fire, class: info, severity: info, scope: sensor, quantity: smoke, when: value == 1", "no alarm"},
		{"hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: any, when: known", "any quantity"},
	} {
		text := "rules:\n  - {name: r, " + c.rule + `, permit: hot_work, runs: server, clause: c, limits: {limit: {value: 1, unit: ppm, source: s, clause: c, confidence: chosen}, explosive: {value: 1, unit: "%LEL", source: s, clause: c, confidence: chosen}, heat: {value: 1, unit: Cel, source: s, clause: c, confidence: chosen}}}`
		_, err := rules.Load(fstest.MapFS{"p.yml": {Data: []byte(text)}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.rule, err)
		}
	}
}
