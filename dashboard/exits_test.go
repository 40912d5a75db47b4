package dashboard

import (
	"testing"
	"time"

	"nirapod/safety"
)

func TestExitIsLockedWhateverItsLeafSays(t *testing.T) {
	exit := safety.Exit{ID: "door", From: "hall", Sensor: "leaf", LockSensor: "lock"}
	say := func(id string, value float64, quality string, age time.Duration) sensorView {
		ms := age.Milliseconds()
		v := sensorView{ID: id, Value: &value, Quality: quality, Age: &ms, Period: 1000}
		if quality == badWord {
			v.Value = nil
		}
		return v
	}
	for _, c := range []struct {
		name       string
		leaf, lock sensorView
		want       string
	}{
		{"open", say("leaf", 1, "good", 0), say("lock", 0, "good", 0), "open"},
		{"shut", say("leaf", 0, "good", 0), say("lock", 0, "good", 0), "closed"},
		{"shut and locked", say("leaf", 0, "good", 0), say("lock", 1, "good", 0), "locked"},
		{"bolt out, leaf open", say("leaf", 1, "good", 0), say("lock", 1, "good", 0), "locked"},
		{"locked, leaf not seen", say("leaf", 0, badWord, 0), say("lock", 1, "good", 0), "locked"},
		{"lock not seen", say("leaf", 0, "good", 0), say("lock", 1, badWord, 0), "closed"},
		{"lock long ago", say("leaf", 0, "good", 0), say("lock", 1, "good", time.Minute), "closed"},
		{"neither seen", say("leaf", 0, badWord, 0), say("lock", 0, badWord, 0), "unknown"},
	} {
		v := drawExit("f", exit, []safety.Zone{{ID: "hall", Floor: "f1"}}, []sensorView{c.leaf, c.lock})
		if v.State != c.want || v.Proved {
			t.Errorf("%s: state %s, proved %v; want %s, not proved", c.name, v.State, v.Proved, c.want)
		}
	}
}
