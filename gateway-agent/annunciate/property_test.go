package annunciate_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/gateway-agent/annunciate"
	"nirapod/safety"
)

// world draws what can happen to a gateway. grades are those of its sensors;
// without call points and with indicative sensors only, nobody is evacuated.
type world struct {
	grades     []safety.Grade
	callPoints bool
	attended   func(*rapid.T) bool
}

// event is one thing that happens after a pause, as a function of an annunciator.
type event struct {
	name  string
	pause time.Duration
	do    func(*annunciate.Annunciator, annunciate.Moment)
	// what the checks ask about
	key, restart, industrialFires, callOperated bool
}

func (w world) event(t *rapid.T) event {
	kinds := []string{"tick", "transition", "transition", "transition", "ack", "key", "restart"}
	if w.callPoints {
		kinds = append(kinds, "call")
	}
	e := event{
		name:  rapid.SampledFrom(kinds).Draw(t, "event"),
		pause: time.Duration(rapid.Int64Range(0, int64(4*time.Minute)).Draw(t, "pause")),
	}
	switch e.name {
	case "tick":
		e.do = (*annunciate.Annunciator).Tick
	case "transition":
		tr := w.transition(t)
		e.industrialFires = tr.To == safety.Firing && tr.Class == safety.ClassAlarm && tr.Grade != safety.Indicative &&
			tr.Severity.Rank() >= safety.Alarm.Rank() && (tr.Hazard == safety.HazardFire || tr.Hazard == safety.HazardGas)
		e.do = func(a *annunciate.Annunciator, m annunciate.Moment) { a.Transition(m, tr) }
	case "ack":
		point := rapid.SampledFrom([]string{"", "p0", "p1", "nobody"}).Draw(t, "point")
		e.do = func(a *annunciate.Annunciator, m annunciate.Moment) { a.Acknowledge(m, point) }
	case "key":
		e.key = true
		e.do = func(a *annunciate.Annunciator, m annunciate.Moment) { a.Key(m) }
	case "call":
		e.callOperated = rapid.Bool().Draw(t, "operated")
		e.do = func(a *annunciate.Annunciator, m annunciate.Moment) { a.CallPoint(m, "call", "z0", e.callOperated) }
	case "restart":
		e.restart = true
		e.do = func(a *annunciate.Annunciator, m annunciate.Moment) {
			*a = *restarted(a, m)
		}
	}
	return e
}

func restarted(a *annunciate.Annunciator, m annunciate.Moment) *annunciate.Annunciator {
	b := annunciate.New(delays)
	b.Restore(m, a.State(), true)
	return b
}

func (w world) transition(t *rapid.T) safety.Transition {
	n := rapid.IntRange(0, 3).Draw(t, "sensor")
	tr := safety.Transition{
		Point:    []string{"p0", "p1", "p2", "p3"}[n],
		Sensor:   []string{"s0", "s0", "s1", ""}[n],
		Zone:     []string{"z0", "z0", "z1", "z0"}[n],
		Grade:    w.grades[n%len(w.grades)],
		Hazard:   rapid.SampledFrom([]safety.Hazard{safety.HazardFire, safety.HazardGas, safety.HazardCrowd}).Draw(t, "hazard"),
		Class:    rapid.SampledFrom([]safety.Class{safety.ClassAlarm, safety.ClassAlarm, safety.ClassFault, safety.ClassInfo}).Draw(t, "class"),
		Severity: rapid.SampledFrom([]safety.Severity{safety.Info, safety.Warning, safety.PreAlarm, safety.Alarm, safety.Evacuate}).Draw(t, "severity"),
		To:       rapid.SampledFrom([]safety.State{safety.Unknown, safety.Inactive, safety.Firing, safety.Firing}).Draw(t, "to"),
	}
	return tr
}

// play draws events and calls check after each.
func (w world) play(t *rapid.T, a *annunciate.Annunciator, check func(e event, m annunciate.Moment, before annunciate.State)) {
	var now time.Duration
	for range rapid.IntRange(1, 60).Draw(t, "events") {
		e := w.event(t)
		now += e.pause
		m := annunciate.Moment{At: now, Attended: w.attended(t)}
		before := a.State()
		e.do(a, m)
		check(e, m, before)
	}
}

func always(*rapid.T) bool      { return true }
func sometimes(t *rapid.T) bool { return rapid.IntRange(0, 4).Draw(t, "attended") > 0 }

func TestIndicativeSensorsAloneNeverEvacuate(t *testing.T) {
	w := world{grades: []safety.Grade{safety.Indicative}, attended: sometimes}
	rapid.Check(t, func(t *rapid.T) {
		a := annunciate.New(delays)
		w.play(t, a, func(e event, _ annunciate.Moment, _ annunciate.State) {
			if o := a.Outputs(); o.Evacuate || o.Beacon {
				t.Fatalf("evacuates after %s", e.name)
			}
		})
	})
}

func mixed(attended func(*rapid.T) bool) world {
	return world{
		grades:     []safety.Grade{safety.Indicative, safety.Industrial, safety.Certified},
		callPoints: true, attended: attended,
	}
}

func TestOnlyTheKeyEndsASounderAndNotInItsFirstFiveMinutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := annunciate.New(delays)
		mixed(sometimes).play(t, a, func(e event, m annunciate.Moment, before annunciate.State) {
			if before.Phase != annunciate.Evacuating || a.Phase() == annunciate.Evacuating {
				return
			}
			if !e.key || m.At-before.Sounded < annunciate.NoSilence {
				t.Fatalf("%s ended the sounder %v after it began", e.name, m.At-before.Sounded)
			}
		})
	})
}

func TestNoDelayOutlivesV1AndV2OrLackOfPeople(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := annunciate.New(delays)
		mixed(sometimes).play(t, a, func(e event, m annunciate.Moment, before annunciate.State) {
			s := a.State()
			if s.Phase != annunciate.Unacknowledged && s.Phase != annunciate.Investigating {
				return
			}
			if !m.Attended || m.At-s.Began >= delays.V1+delays.V2 {
				t.Fatalf("after %s: %v since %v, attended %v", e.name, s.Phase, m.At-s.Began, m.Attended)
			}
			waiting := before.Phase == annunciate.Unacknowledged || before.Phase == annunciate.Investigating
			if waiting && s.Began != before.Began {
				t.Fatalf("%s began the delay again", e.name)
			}
		})
	})
}

func TestWhatMustSoundSounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := annunciate.New(delays)
		callOperated := false
		mixed(always).play(t, a, func(e event, _ annunciate.Moment, before annunciate.State) {
			if e.callOperated && !callOperated && a.Phase() != annunciate.Evacuating {
				t.Fatal("a call point was operated and nothing sounds")
			}
			if e.name == "call" {
				callOperated = e.callOperated
			}
			if e.industrialFires && a.Phase() == annunciate.Quiet {
				t.Fatal("a detector fires and no delay runs")
			}
			s := a.State()
			for i, p := range s.Points {
				for _, q := range s.Points[:i] {
					both := p.Detects && q.Detects && p.Firing && q.Firing && p.Grade != safety.Indicative &&
						p.Sensor != "" && q.Sensor != "" && p.Sensor != q.Sensor
					if both && s.Phase != annunciate.Evacuating && s.Phase != annunciate.Silenced {
						t.Fatalf("%s and %s agree: %v", p.Sensor, q.Sensor, s.Phase)
					}
				}
			}
		})
	})
}

func TestARestartChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, twin := annunciate.New(delays), annunciate.New(delays)
		mixed(sometimes).play(t, a, func(e event, m annunciate.Moment, _ annunciate.State) {
			if !e.restart {
				e.do(twin, m)
			} else {
				twin.Tick(m)
			}
			if a.Outputs() != twin.Outputs() || !a.State().Equal(twin.State()) {
				t.Fatalf("after %s: %+v, without restarts %+v", e.name, a.State(), twin.State())
			}
		})
	})
}
