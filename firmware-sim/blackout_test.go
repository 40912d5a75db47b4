package sim_test

import (
	"slices"
	"testing"
	"time"

	"nirapod/safety"
)

func TestBlackoutIsFaultsAndNoAlarm(t *testing.T) {
	w := watching(t, "blackout")
	w.until(15 * time.Minute)
	if a := w.alarms(); len(a) > 0 {
		t.Errorf("alarms in a blackout: %v", a)
	}
	onTheBus := []string{
		"store-heat", "store-rh", "sewing-heat", "sewing-rh", "ironing-heat", "ironing-rh", "boiler-heat",
		"store-smoke", "sewing-smoke", "stair-a-smoke", "stair-b-smoke", "boiler-co",
	}
	slower := "sewing-co2" // told_test.go says when
	began, ended := map[string]time.Duration{}, map[string]time.Duration{}
	for _, tr := range w.told {
		at := tr.At.Sub(w.begun)
		switch {
		case tr.Class != safety.ClassFault || tr.Sensor == "":
		case tr.To == safety.Firing:
			if !slices.Contains(onTheBus, tr.Sensor) && tr.Sensor != slower {
				t.Errorf("%s of %s at %v: it has its own supply", tr.Rule, tr.Sensor, at)
			}
			began[tr.Sensor] = at
		case tr.From == safety.Firing:
			ended[tr.Sensor] = at
		}
	}
	for _, id := range onTheBus {
		between(t, id+" is told to be in fault", began[id], 30*time.Second, 32*time.Second)
		between(t, id+" is told to be back", ended[id], 100*time.Second, 105*time.Second)
	}
}

// The supply's return opens the latch of a head in alarm; the alarm stays.
func TestBlackoutEndsNoAlarm(t *testing.T) {
	w := watching(t, "blackout")
	w.until(20 * time.Second)
	w.burn("store", 60*time.Second)
	w.until(5 * time.Minute)
	between(t, "smoke", w.first("smoke", "store-smoke", safety.Firing), 20*time.Second, 30*time.Second)
	for _, tr := range w.told {
		if tr.Rule == "smoke" && tr.Sensor == "store-smoke" && tr.From != safety.Unknown && tr.To == safety.Inactive {
			t.Errorf("the smoke alarm ended at %v", tr.At.Sub(w.begun))
		}
	}
	last := safety.Unknown
	for _, tr := range w.told {
		if tr.Rule == "smoke" && tr.Sensor == "store-smoke" {
			last = tr.To
		}
	}
	if last != safety.Firing {
		t.Errorf("the smoke alarm is %v after the blackout", last)
	}
}
