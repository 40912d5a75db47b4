package annunciate_test

import (
	"testing"
	"time"

	"nirapod/gateway-agent/annunciate"
	"nirapod/safety"
)

var delays = annunciate.Delays{V1: 30 * time.Second, V2: 180 * time.Second}

// script drives one annunciator; each step names the moment in seconds.
type script struct {
	*annunciate.Annunciator
	unattended bool
}

func (s *script) moment(seconds float64) annunciate.Moment {
	return annunciate.Moment{At: time.Duration(seconds * float64(time.Second)), Attended: !s.unattended}
}

type step func(*script, annunciate.Moment)

func fire(sensor string, g safety.Grade) step { return change(sensor, g, safety.Alarm, safety.Firing) }
func gone(sensor string) step {
	return change(sensor, safety.Industrial, safety.Alarm, safety.Inactive)
}
func lost(sensor string) step {
	return change(sensor, safety.Industrial, safety.Alarm, safety.Unknown)
}

func change(sensor string, g safety.Grade, sev safety.Severity, to safety.State) step {
	return func(s *script, m annunciate.Moment) {
		s.Transition(m, safety.Transition{
			Point: "p-" + sensor, Sensor: sensor, Zone: "z-" + sensor, Hazard: safety.HazardFire,
			Class: safety.ClassAlarm, Severity: sev, Grade: g, To: to,
		})
	}
}
func again(sensor, rule string) step {
	return func(s *script, m annunciate.Moment) {
		s.Transition(m, safety.Transition{
			Point: rule, Sensor: sensor, Zone: "z-" + sensor, Hazard: safety.HazardFire,
			Class: safety.ClassAlarm, Severity: safety.Alarm, Grade: safety.Industrial, To: safety.Firing,
		})
	}
}
func wholeZone(zone string) step {
	return func(s *script, m annunciate.Moment) {
		s.Transition(m, safety.Transition{
			Point: "zone-rule", Zone: zone, Hazard: safety.HazardFire,
			Class: safety.ClassAlarm, Severity: safety.Alarm, Grade: safety.Industrial, To: safety.Firing,
		})
	}
}
func crowd(s *script, m annunciate.Moment) {
	s.Transition(m, safety.Transition{
		Point: "crowd", Zone: "z", Hazard: safety.HazardCrowd, Class: safety.ClassAlarm,
		Severity: safety.Alarm, Grade: safety.Certified, To: safety.Firing,
	})
}
func ack(s *script, m annunciate.Moment)  { s.Acknowledge(m, "") }
func key(s *script, m annunciate.Moment)  { s.Key(m) }
func wait(s *script, m annunciate.Moment) { s.Tick(m) }
func night(s *script, m annunciate.Moment) {
	s.unattended, m.Attended = true, false
	s.Tick(m)
}
func call(operated bool) step {
	return func(s *script, m annunciate.Moment) { s.CallPoint(m, "call-1", "store", operated) }
}

type at struct {
	seconds float64
	do      step
	want    string // s staff, E evacuate, b beacon, f fault
}

func TestAnnunciation(t *testing.T) {
	const ind, cheap = safety.Industrial, safety.Indicative
	evac := change("zone", ind, safety.Evacuate, safety.Firing)
	cases := []struct {
		name  string
		steps []at
	}{
		{"nobody acknowledges one detector: evacuation after V1", []at{{0, fire("a", ind), "s"}, {29.9, wait, "s"}, {30, wait, "sEb"}}},
		{"acknowledged: evacuation after V2", []at{{0, fire("a", ind), "s"}, {20, ack, ""}, {199.9, wait, ""}, {200, wait, "Eb"}}},
		{"a second detector ends V1", []at{{0, fire("a", ind), "s"}, {10, fire("b", ind), "sEb"}}},
		{"a second detector ends V2", []at{{0, fire("a", ind), "s"}, {20, ack, ""}, {50, fire("b", ind), "sEb"}}},
		{"the same detector by another rule is no second one", []at{{0, fire("a", ind), "s"}, {10, again("a", "rise"), "s"}}},
		{"a rule over its whole zone is no second one either", []at{{0, fire("a", ind), "s"}, {10, wholeZone("z-a"), "s"}}},
		{"a rule over another zone is", []at{{0, fire("a", ind), "s"}, {10, wholeZone("z-b"), "sEb"}}},
		{"an acknowledged detector that comes again is told again", []at{{0, fire("a", ind), "s"}, {5, ack, ""}, {6, gone("a"), ""}, {7, fire("a", ind), "s"}}},
		{"an indicative sensor agrees with an industrial one", []at{{0, fire("a", ind), "s"}, {10, fire("m", cheap), "sEb"}}},
		{"in the other order as well", []at{{0, fire("m", cheap), "s"}, {10, fire("a", ind), "sEb"}}},
		{"indicative sensors alert staff and evacuate nobody", []at{{0, fire("m", cheap), "s"}, {1, fire("n", cheap), "s"}, {9999, wait, "s"}}},
		{"a rule that asks for evacuation on indicative sensors does not get it", []at{{0, change("m", cheap, safety.Evacuate, safety.Firing), "s"}, {9999, wait, "s"}}},
		{"a rule of several sensors that asks for evacuation gets it at once", []at{{0, evac, "sEb"}}},
		{"a call point evacuates at once", []at{{0, call(true), "sEb"}}},
		{"a crowd alerts staff, however certain", []at{{0, crowd, "s"}, {9999, wait, "s"}}},
		{"at night there is no delay", []at{{0, night, ""}, {1, fire("a", ind), "sEb"}}},
		{"night falls during V2", []at{{0, fire("a", ind), "s"}, {20, ack, ""}, {60, night, "Eb"}}},
		{"smoke that clears by itself does not end V1", []at{{0, fire("a", ind), "s"}, {5, gone("a"), "s"}, {30, wait, "sEb"}}},
		{"a detector that burns through does not end V1", []at{{0, fire("a", ind), "s"}, {5, lost("a"), "s"}, {30, wait, "sEb"}}},
		{"the key ends an investigated event once its detector is quiet", []at{{0, fire("a", ind), "s"}, {20, ack, ""}, {60, gone("a"), ""}, {61, key, ""}, {9999, wait, ""}}},
		{"the key postpones nothing that a detector still says", []at{{0, fire("a", ind), "s"}, {20, key, ""}, {199, key, ""}, {200, wait, "Eb"}}},
		{"no key in the first five minutes", []at{{0, call(true), "sEb"}, {299, key, "sEb"}, {300, key, "sb"}}},
		{"acknowledging does not silence the sounder", []at{{0, call(true), "sEb"}, {400, ack, "Eb"}}},
		{"silenced, then a second detector", []at{{0, call(true), "sEb"}, {300, key, "sb"}, {310, fire("a", ind), "sEb"}, {311, key, "sEb"}}},
		{"silenced, and the same call point still says so", []at{{0, call(true), "sEb"}, {300, key, "sb"}, {310, call(true), "sb"}}},
		{"silenced, then an indicative sensor alone", []at{{0, call(true), "sEb"}, {300, key, "sb"}, {301, call(false), "sb"}, {302, fire("m", cheap), "sb"}}},
		{"silenced, then reset, then quiet", []at{{0, call(true), "sEb"}, {300, key, "sb"}, {301, call(false), "sb"}, {302, key, ""}}},
		{"silenced and still in alarm is not reset", []at{{0, call(true), "sEb"}, {300, key, "sb"}, {302, key, "b"}, {303, key, "b"}}},
		{"a staff alert ends with its condition", []at{{0, fire("m", cheap), "s"}, {1, gone("m"), ""}}},
		{"an acknowledged alert that comes again is told again", []at{{0, fire("m", cheap), "s"}, {1, ack, ""}, {2, gone("m"), ""}, {3, fire("m", cheap), "s"}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &script{Annunciator: annunciate.New(delays)}
			for _, step := range c.steps {
				step.do(s, s.moment(step.seconds))
				if got := word(s.Outputs()); got != step.want {
					t.Fatalf("at %v s: outputs %q (%v), want %q", step.seconds, got, s.Phase(), step.want)
				}
			}
		})
	}
}

func word(o annunciate.Outputs) string {
	w := ""
	for _, c := range []struct {
		on bool
		as string
	}{{o.Staff, "s"}, {o.Evacuate, "E"}, {o.Beacon, "b"}, {o.Fault, "f"}} {
		if c.on {
			w += c.as
		}
	}
	return w
}

func TestFaultsAreShownUntilAllAreGone(t *testing.T) {
	a := annunciate.New(delays)
	dead := safety.Transition{Point: "p", Class: safety.ClassFault, Severity: safety.Warning, To: safety.Firing}
	a.Transition(annunciate.Moment{Attended: true}, dead)
	a.Fault("spool", true, false)
	if got := word(a.Outputs()); got != "f" {
		t.Fatalf("outputs %q, want the fault only", got)
	}
	dead.To = safety.Inactive
	a.Transition(annunciate.Moment{Attended: true}, dead)
	if got := word(a.Outputs()); got != "f" {
		t.Fatalf("outputs %q while the spool is broken", got)
	}
	a.Fault("spool", false, false)
	if got := word(a.Outputs()); got != "" {
		t.Fatalf("outputs %q, want none", got)
	}
}

func TestRebootDuringADelayEndsTheDelay(t *testing.T) {
	for name, sameBoot := range map[string]bool{"process restarted": true, "box rebooted": false} {
		t.Run(name, func(t *testing.T) {
			s := &script{Annunciator: annunciate.New(delays)}
			fire("a", safety.Industrial)(s, s.moment(100))
			b := annunciate.New(delays)
			b.Restore(s.moment(110), s.State(), sameBoot)
			if got, want := b.Outputs().Evacuate, !sameBoot; got != want {
				t.Errorf("evacuates %v, want %v", got, want)
			}
			b.Tick(s.moment(130))
			if !b.Outputs().Evacuate {
				t.Error("V1 did not survive")
			}
		})
	}
}

func TestForgottenPointCanBeResetAndMayFireAgain(t *testing.T) {
	s := &script{Annunciator: annunciate.New(delays)}
	fire("a", safety.Industrial)(s, s.moment(0))
	ack(s, s.moment(1))
	s.Forget("p-a")
	if got := s.Key(s.moment(2)); got != annunciate.KeyReset {
		t.Fatalf("key: %s, want a reset", got)
	}
	fire("a", safety.Industrial)(s, s.moment(3))
	if got := word(s.Outputs()); got != "s" {
		t.Errorf("outputs %q, want a staff alert", got)
	}
}
