package sim_test

import (
	"testing"
	"time"

	sim "nirapod/firmware-sim"
)

func (r *reader) pin(name string) bool {
	r.t.Helper()
	level, err := r.world.ReadPin(r.now, name)
	if err != nil {
		r.t.Fatal(err)
	}
	return level
}

// changes samples call point 1 every half millisecond and counts its changes.
func (r *reader) changes(over time.Duration) (count int, last bool) {
	r.t.Helper()
	last = r.pin("SIM_CALL_1")
	for end := r.now + over; r.now < end; r.now += 500 * time.Microsecond {
		if level := r.pin("SIM_CALL_1"); level != last {
			count, last = count+1, level
		}
	}
	return count, last
}

func TestContactBounces(t *testing.T) {
	r := load(t, "calm", "", 1)
	r.now = time.Second
	if n, level := r.changes(time.Second); n != 0 || level {
		t.Errorf("at rest: %d changes, level %v", n, level)
	}
	if err := r.world.Set(r.now, sim.Setting{Pin: "SIM_CALL_1", Level: true, For: 2 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if n, _ := r.changes(4 * time.Millisecond); n < 2 {
		t.Errorf("%d changes while it bounces", n)
	}
	if n, level := r.changes(time.Second); n > 1 || !level {
		t.Errorf("settled: %d changes, level %v, want pressed", n, level)
	}
	r.now += 2 * time.Second
	if r.pin("SIM_CALL_1") {
		t.Error("pressed for 2 s, still pressed after 3 s")
	}
}

func TestContactFaults(t *testing.T) {
	r := load(t, "calm", "", 1)
	r.now = time.Second
	inject(t, r, "SIM_CALL_1", sim.Chatter, 0)
	if n, _ := r.changes(time.Second); n < 100 {
		t.Errorf("%d changes in a second of chatter", n)
	}
	inject(t, r, "SIM_MAIN_DOOR", sim.Frozen, 0)
	if err := r.world.Set(r.now, sim.Setting{Pin: "SIM_MAIN_DOOR", Level: false}); err != nil {
		t.Fatal(err)
	}
	r.now += time.Second
	if !r.pin("SIM_MAIN_DOOR") {
		t.Error("a stuck contact moved")
	}
	if err := r.world.Repair(r.now, "SIM_MAIN_DOOR"); err != nil {
		t.Fatal(err)
	}
	if r.pin("SIM_MAIN_DOOR") {
		t.Error("the repaired contact does not show the door")
	}
}

func TestOutputsAreRecorded(t *testing.T) {
	r := load(t, "calm", "", 1)
	wall := time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)
	for i, level := range []bool{false, true, true, false, true} {
		r.now = time.Duration(i) * time.Second
		if err := r.world.WritePin(r.now, wall.Add(r.now), "SIM_SOUNDER", level); err != nil {
			t.Fatal(err)
		}
	}
	want := sim.Output{
		Pin: "SIM_SOUNDER", Level: true, Activations: 2,
		FirstOn: wall.Add(time.Second), FirstOnAt: time.Second, ChangedAt: wall.Add(4 * time.Second),
	}
	all := r.world.Outputs()
	if len(all) != 3 || all[0] != (sim.Output{Pin: "SIM_BUZZER"}) || all[1] != want {
		t.Errorf("got %+v, want the sounder to be %+v", all, want)
	}
	r.world.Forget()
	if got := r.world.Outputs()[1]; got != (sim.Output{Pin: "SIM_SOUNDER", Level: true}) {
		t.Errorf("after Forget: %+v", got)
	}
	for pin, level := range map[string]bool{"SIM_CALL_1": true, "SIM_NOWHERE": true} {
		if err := r.world.WritePin(r.now, wall, pin, level); err == nil {
			t.Errorf("wrote %s", pin)
		}
	}
	for _, pin := range []string{"SIM_SOUNDER", "SIM_NOWHERE"} {
		if level, err := r.world.ReadPin(r.now, pin); err == nil || level {
			t.Errorf("read %s as %v", pin, level)
		}
	}
}
