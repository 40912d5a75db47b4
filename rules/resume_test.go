package rules_test

import (
	"testing"

	"nirapod/safety"
)

func TestARestoredEngineSaysWhatHasFiredAndForgetsOnRequest(t *testing.T) {
	before := shippedEngine(t, smokeOf("a", safety.Industrial), smokeOf("b", safety.Industrial))
	for _, sensor := range []string{"a", "b"} {
		observe(before, sensor, 0, 0)
	}
	fired := observe(before, "a", 1, 1)[0]
	before.Observe(safety.Reading{Sensor: "a", At: at(2), Quality: safety.Bad, Reason: safety.Timeout}) // unknown by now
	e := shippedEngine(t, smokeOf("a", safety.Industrial), smokeOf("b", safety.Industrial))
	e.Restore(before.SnapshotAll())
	var alarms []safety.Transition
	for _, tr := range e.Firing() {
		if tr.Class == safety.ClassAlarm {
			alarms = append(alarms, tr)
		}
	}
	if len(alarms) != 1 {
		t.Fatalf("firing: %+v", alarms)
	}
	got := alarms[0]
	if got.Point != fired.Point || got.To != safety.Firing || got.From != safety.Unknown || got.Grade != fired.Grade ||
		got.Severity != fired.Severity || got.Sensor != "a" || got.Zone != fired.Zone {
		t.Errorf("says %+v of what fired as %+v", got, fired)
	}
	if again := observe(e, "b", 3, 0); len(again) != 0 {
		t.Errorf("asking changed something: %v", again)
	}
	e.Forget(fired.Point)
	if blob := e.Snapshot()[fired.Point]; blob == nil {
		t.Error("a forgotten state is not kept as such")
	}
	var anew []safety.Transition
	for _, tr := range observe(e, "a", 3, 1) {
		if tr.Rule == fired.Rule {
			anew = append(anew, tr)
		}
	}
	if len(anew) != 1 || anew[0].To != safety.Firing {
		t.Errorf("a forgotten alarm whose condition holds: %+v", anew)
	}
	e.Forget("nothing")
}
