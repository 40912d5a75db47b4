package rules_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/rules"
	"nirapod/safety"
)

// everyKind is a hall with what a permit may name and what it may not.
func everyKind() rules.Plant {
	p := rules.Plant{
		Factory: "padma",
		Zones:   []safety.Zone{{ID: "hall", Height: 3, NormalMax: 40}},
		Exits:   []safety.Exit{{ID: "gate", From: "hall", To: "outside", Kind: "door", Sensor: "leaf", LockSensor: "lock"}},
	}
	for id, q := range map[string]safety.Quantity{
		"smoke-1": safety.Smoke, "smoke-2": safety.Smoke, "meter": safety.SmokeOD, "flame": safety.Flame, "heat-1": safety.Temperature, "heat-2": safety.Temperature,
		"co": safety.CO, "h2s": safety.H2S, "lel": safety.LEL, "call": safety.CallPoint, "leaf": safety.DoorOpen, "lock": safety.Locked, "people": safety.People,
	} {
		s := safety.Sensor{ID: id, Gateway: "gw", Zone: "hall", Quantity: q, Grade: safety.Industrial, Period: time.Second, LifeSafety: true}
		if q == safety.Temperature {
			s.Class = "A1R"
		}
		p.Sensors = append(p.Sensors, s)
	}
	slices.SortFunc(p.Sensors, func(a, b safety.Sensor) int { return strings.Compare(a.ID, b.ID) })
	return p
}

// extremes are what a sensor of a quantity says in peace and in danger.
var extremes = map[safety.Quantity][]float64{
	safety.Smoke: {0, 1}, safety.Flame: {0, 1}, safety.SmokeOD: {0, 0.05, 0.4}, safety.Temperature: {25, 45, 90}, safety.CO: {0, 60, 300, 1500},
	safety.H2S: {0, 8, 15, 120}, safety.LEL: {0, 12, 30}, safety.CallPoint: {0, 1}, safety.DoorOpen: {0, 1}, safety.Locked: {0, 1}, safety.People: {0, 40},
}

// beyondPermits are the rules that no permit may reach, whatever it names:
// those that do not say that one may.
func beyondPermits(packs []rules.Pack) map[string]bool {
	names := map[string]bool{}
	for _, p := range packs {
		for _, r := range p.Rules {
			if len(r.Permit) == 0 && (r.Class == safety.ClassAlarm || r.Hazard == safety.HazardExit) {
				names[r.Name] = true
			}
		}
	}
	return names
}

// No permit, however people give, end and test it, changes anything that is said
// of call points, static heat, second stages of gas and exits (safety
// requirement 4).
func TestNoPermitChangesWhatNoneMayCover(t *testing.T) {
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	plant, beyond := everyKind(), beyondPermits(packs)
	fired, isolated := map[string]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		with, without := gatewayOf(t, packs, plant), gatewayOf(t, packs, plant)
		var got, want []safety.Transition
		now, given := begun, []string{}
		for n := range rapid.IntRange(10, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "somebody acts") {
				got = append(got, actOnPermit(t, with, plant, &given, n, now)...)
			}
			step := rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, 20 * time.Second}).Draw(t, "step")
			values := map[string]float64{}
			for _, s := range plant.Sensors {
				values[s.ID] = rapid.SampledFrom(extremes[s.Quantity]).Draw(t, s.ID)
			}
			for end := now.Add(step); now.Before(end); {
				now = now.Add(time.Second)
				for _, s := range plant.Sensors {
					r := safety.Reading{Sensor: s.ID, At: now, Quality: safety.Good, Value: values[s.ID]}
					got, want = append(got, with.Observe(r)...), append(want, without.Observe(r)...)
				}
				got, want = append(got, with.Tick(now)...), append(want, without.Tick(now)...)
			}
		}
		for _, tr := range got {
			if tr.Rule == "sensor-isolated" && tr.To == safety.Firing {
				isolated++
			}
		}
		got, want = of(got, beyond), of(want, beyond)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("with permits: %s\nwithout: %s", lines(got), lines(want))
		}
		for _, tr := range want {
			if tr.To == safety.Firing {
				fired[tr.Rule]++
			}
		}
	})
	for _, rule := range []string{"call-point", "heat-static", "lel-second-stage", "co-second-stage", "co-leave", "h2s-second-stage", "exit-leaf-open", "exit-locked"} {
		if fired[rule] == 0 && !testing.Short() {
			t.Errorf("%s never fired: nothing was tested of it", rule)
		}
	}
	if isolated == 0 {
		t.Error("no permit ever isolated anything")
	}
}

func gatewayOf(t *rapid.T, packs []rules.Pack, p rules.Plant) *rules.Engine {
	e, err := rules.New(packs, p, rules.Gateway, "gw")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func actOnPermit(t *rapid.T, e *rules.Engine, plant rules.Plant, given *[]string, n int, at time.Time) []safety.Transition {
	switch rapid.IntRange(0, 5).Draw(t, "act") {
	case 0:
		if len(*given) > 0 {
			return e.EndPermit(rapid.SampledFrom(*given).Draw(t, "ended"), at)
		}
		return nil
	case 1:
		return e.SelfTested(rapid.SampledFrom(plant.Sensors).Draw(t, "tested").ID, at)
	}
	p := safety.Permit{
		ID: fmt.Sprint("p", n), Work: rapid.SampledFrom(safety.Works).Draw(t, "work"), Zone: "hall", From: at,
		Until:    at.Add(rapid.SampledFrom([]time.Duration{5 * time.Second, time.Minute, 4 * time.Hour}).Draw(t, "length")),
		IssuedBy: "i", AcceptedBy: "j", Watch: "w",
	}
	for range rapid.IntRange(1, 2).Draw(t, "named") {
		p.Sensors = append(p.Sensors, rapid.SampledFrom(plant.Sensors).Draw(t, "names").ID)
	}
	ts, err := e.Permit(p, at)
	if err == nil {
		*given = append(*given, p.ID)
	}
	return ts
}

func of(ts []safety.Transition, names map[string]bool) (out []safety.Transition) {
	for _, t := range ts {
		if names[t.Rule] {
			out = append(out, t)
		}
	}
	return out
}

// The manual says what the shipped rules let each kind of work cover.
func TestTheManualSaysWhatPermitsCover(t *testing.T) {
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, work := range safety.Works {
		_, row, found := strings.Cut(string(text), "\n| `"+string(work)+"` | ")
		row, _, _ = strings.Cut(row, "\n")
		if !found {
			t.Errorf("no row for %s", work)
		}
		for _, p := range packs {
			for _, r := range p.Rules {
				if covers, says := slices.Contains(r.Permit, work), strings.Contains(row, "`"+r.Name+"`"); covers != says {
					t.Errorf("%s covers %s: %t, the manual says %t", work, r.Name, covers, says)
				}
			}
		}
	}
}
