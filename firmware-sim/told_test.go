package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/safety"
)

// seconds is an inclusive span of a scenario.
type seconds struct{ from, to float64 }

func (s seconds) has(t time.Duration) bool { return t.Seconds() >= s.from && t.Seconds() <= s.to }

// telling is what a scenario is to make of one rule at one place.
type telling struct {
	class    safety.Class
	severity safety.Severity
	begins   seconds
	ends     seconds // zero: it stands, by a latch or because it goes on
}

var stands = seconds{}

func alarm(s safety.Severity, begins, ends seconds) telling {
	return telling{safety.ClassAlarm, s, begins, ends}
}

func fault(begins, ends seconds) telling {
	return telling{safety.ClassFault, safety.Warning, begins, ends}
}

func info(begins, ends seconds) telling { return telling{safety.ClassInfo, safety.Info, begins, ends} }

// mainDoor stands open from the beginning.
var mainDoor = info(seconds{0, 1}, stands)

// uncovered is a zone of the blackout that nothing watches for more than a minute.
var uncovered = fault(seconds{90, 93}, seconds{99, 135})

// scenarios holds, for each shipped scenario that needs no recording, all that
// the shipped rules tell of it: what is not here must not be told.
var scenarios = map[string]struct {
	until time.Duration
	tells map[string]telling
}{
	"calm": {20 * time.Minute, map[string]telling{
		"exit-leaf-open main-door": mainDoor,
		"exit-leaf-open roof-door": info(seconds{40, 41}, seconds{52, 53}),
	}},
	"smoulder": {4 * time.Minute, map[string]telling{
		"exit-leaf-open main-door": mainDoor,
		"smoke store-smoke":        alarm(safety.Alarm, seconds{40, 50}, stands),
		"heat-static store-heat":   alarm(safety.Alarm, seconds{70, 95}, stands),
		"heat-rise store-heat":     alarm(safety.Alarm, seconds{90, 110}, stands),
		"fire-confirmed store":     alarm(safety.Evacuate, seconds{70, 95}, stands),
		"smoke stair-a-smoke":      alarm(safety.Alarm, seconds{75, 120}, stands),
	}},
	"gas-leak": {10 * time.Minute, map[string]telling{
		"exit-leaf-open main-door":  mainDoor,
		"co-first-stage boiler-co":  alarm(safety.PreAlarm, seconds{55, 75}, stands), // the transmitter is not believed yet
		"co-second-stage boiler-co": alarm(safety.Alarm, seconds{110, 140}, stands),
		"sensor-fault boiler-co":    fault(seconds{240, 242}, stands),
	}},
	"overcrowding": {15 * time.Minute, map[string]telling{
		"exit-leaf-open main-door":  mainDoor,
		"overcrowded sewing-people": alarm(safety.Warning, seconds{134, 137}, seconds{270, 300}),
	}},
	"locked-exit": {10 * time.Minute, map[string]telling{
		"egress-exceeded store":    {safety.ClassInfo, safety.Warning, seconds{119, 122}, seconds{179, 190}}, // the main door is its only exit
		"exit-leaf-open main-door": info(seconds{0, 1}, stands),                                              // shut from 50 s to 130 s
		"exit-locked roof-lock":    alarm(safety.Alarm, seconds{40, 42}, seconds{150, 152}),
		"exit-locked main-lock":    alarm(safety.Alarm, seconds{70, 72}, seconds{120, 122}),
	}},
	"blackout": {15 * time.Minute, withEach(fault(seconds{30, 32}, seconds{99, 105}), map[string]telling{
		"exit-leaf-open main-door": mainDoor,
		"zone-uncovered store":     uncovered, "zone-uncovered sewing": uncovered, "zone-uncovered ironing": uncovered,
		"zone-uncovered boiler":   uncovered,
		"sensor-fault sewing-co2": fault(seconds{35, 45}, seconds{105, 130}), // it has a sample each 5 s, and starts anew
	}, "store-heat", "store-rh", "sewing-heat", "sewing-rh", "ironing-heat", "ironing-rh", "boiler-heat",
		"store-smoke", "sewing-smoke", "stair-a-smoke", "stair-b-smoke", "boiler-co")},
	"boiler": {10 * time.Minute, map[string]telling{
		"exit-leaf-open main-door":            mainDoor,
		"boiler-overpressure boiler-pressure": alarm(safety.Alarm, seconds{80, 110}, stands),
	}},
}

func withEach(t telling, others map[string]telling, sensors ...string) map[string]telling {
	for _, s := range sensors {
		others["sensor-fault "+s] = t
	}
	return others
}

func TestShippedRulesTellOfEachScenarioWhatItIsAbout(t *testing.T) {
	for _, name := range sim.Names() {
		if name == "home-fire" {
			continue // its recording decides
		}
		want, known := scenarios[name]
		if !known {
			t.Errorf("nothing says what is to be told of %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			if testing.Short() {
				want.until = min(want.until, 6*time.Minute) // without what long windows might still tell
			}
			w := watching(t, name)
			w.until(want.until)
			w.tells(want.tells)
		})
	}
}

// tells compares all that fired with what is wanted.
func (w *watch) tells(want map[string]telling) {
	w.t.Helper()
	first, newest := map[string]safety.Transition{}, map[string]safety.Transition{}
	for _, tr := range w.told {
		name := fmt.Sprintf("%s %s", tr.Rule, tr.Sensor+map[bool]string{true: tr.Zone}[tr.Sensor == ""])
		if _, before := first[name]; !before && tr.To == safety.Firing {
			first[name] = tr
		}
		newest[name] = tr
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		what, begun := want[name], first[name]
		over := newest[name]
		at, end := begun.At.Sub(w.begun), over.At.Sub(w.begun)
		switch {
		case begun.To != safety.Firing:
			w.t.Errorf("%s is not told", name)
		case begun.Class != what.class || begun.Severity != what.severity:
			w.t.Errorf("%s is %s %s, want %s %s", name, begun.Class, begun.Severity, what.class, what.severity)
		case !what.begins.has(at):
			w.t.Errorf("%s at %v, want %v s", name, at, what.begins)
		case what.ends == stands && over.To == safety.Inactive:
			w.t.Errorf("%s ended at %v", name, end)
		case what.ends != stands && (over.To != safety.Inactive || !what.ends.has(end)):
			w.t.Errorf("%s is %v since %v, want it to end at %v s", name, over.To, end, what.ends)
		}
	}
	for name, tr := range first {
		if _, wanted := want[name]; !wanted {
			w.t.Errorf("%s (%s %s) at %v: it is not about that", name, tr.Class, tr.Severity, tr.At.Sub(w.begun))
		}
	}
}
