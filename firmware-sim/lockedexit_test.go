package sim_test

import (
	"testing"
	"time"

	"nirapod/safety"
)

func TestLockedExitIsAnAlarmWhilePeopleMayBeInside(t *testing.T) {
	w := watching(t, "locked-exit")
	w.until(4 * time.Minute)
	alarms := w.alarms()
	between(t, "roof door", alarms["exit-locked roof-lock"], 40*time.Second, 42*time.Second)
	between(t, "main door", alarms["exit-locked main-lock"], 70*time.Second, 72*time.Second)
	if len(alarms) != 2 {
		t.Errorf("alarms %v, want the two locks", alarms)
	}
	over := map[string]time.Duration{}
	for _, tr := range w.told {
		if tr.Rule == "exit-locked" && tr.From == safety.Firing {
			over[tr.Sensor] = tr.At.Sub(w.begun)
		}
		if tr.Severity == safety.Evacuate && tr.To == safety.Firing {
			t.Errorf("%s: a locked door evacuates nobody", tr.Rule)
		}
	}
	between(t, "roof door opened", over["roof-lock"], 150*time.Second, 152*time.Second)
	between(t, "main door opened", over["main-lock"], 120*time.Second, 122*time.Second)
}
