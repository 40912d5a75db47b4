package sim_test

import (
	"testing"
	"time"

	"nirapod/safety"
)

// The floor's limit is 592 m² × 3.6 m / 9.5 m³ = 224. The low end of the count
// passes it with the 237th: 237 - 0.05·237 = 225.2, so 226 at least.
func TestOvercrowdingUsesTheLowEndAndIsHeld(t *testing.T) {
	w := watching(t, "overcrowding")
	w.until(7 * time.Minute)
	between(t, "overcrowded", w.first("overcrowded", "sewing-people", safety.Firing), 20*time.Second+114*time.Second, 20*time.Second+117*time.Second)
	alarms := w.alarms()
	if len(alarms) != 1 {
		t.Errorf("alarms %v, want the one", alarms)
	}
	last := safety.Unknown
	for _, tr := range w.told {
		if tr.Rule == "overcrowded" && tr.Sensor == "sewing-people" {
			last = tr.To
		}
		if tr.Rule == "overcrowded" && tr.Severity != safety.Warning {
			t.Errorf("severity %s: crowding is an indicator", tr.Severity)
		}
	}
	if last != safety.Inactive {
		t.Errorf("overcrowded is %v after they have left", last)
	}
}
