// Package annunciate decides what the buzzer, the evacuation sounder and the
// beacon do. It is pure: what happened and the monotonic time go in, outputs
// come out. It drives nothing and reads no clock.
//
// A staff alert may come from anything. Evacuation needs a manual call point
// or a detector of grade industrial or better; what is only indicative may
// hasten an evacuation that such a detector has begun, and never begins one.
// A single detector is investigated first: staff have V1 to acknowledge and
// then V2 to look, if anybody is there; a second detector ends both at once.
// The evacuation sounder is silenced by the panel key only.
//
// Whatever is late or replayed never gets here: the outputs belong to the
// gateway that measures, now.
package annunciate

import (
	"slices"
	"time"

	"nirapod/safety"
)

const (
	// Cap bounds V1 and V2 together (EN 54-2, recalled, to be verified).
	Cap = 10 * time.Minute
	// NoSilence is how long an evacuation sounder cannot be silenced.
	NoSilence = 5 * time.Minute
)

// Delays are the times for staff before an evacuation from one detector.
type Delays struct {
	V1 time.Duration `yaml:"v1"` // to acknowledge
	V2 time.Duration `yaml:"v2"` // to investigate, from the acknowledgement
}

// Outputs is what should sound now.
type Outputs struct {
	Staff    bool // buzzer
	Evacuate bool // sounder
	Beacon   bool
	Fault    bool // something that should watch does not
}

// Moment is when something happened, and whether somebody is there to
// acknowledge. At is monotonic and never goes back.
type Moment struct {
	At       time.Duration
	Attended bool
}

// Annunciator holds what has happened so far. It is not safe for concurrent
// use.
type Annunciator struct {
	delays Delays
	s      State
	broken map[string]bool // parts of the gateway itself by point; true: staff have yet to acknowledge
}

// New returns a quiet annunciator. V1 and V2 together must not exceed Cap.
func New(d Delays) *Annunciator {
	return &Annunciator{delays: d, broken: map[string]bool{}}
}

// Outputs returns what should sound as of the last event.
func (a *Annunciator) Outputs() Outputs {
	return Outputs{
		Staff:    a.calls(),
		Evacuate: a.s.Phase == Evacuating,
		Beacon:   a.s.Phase == Evacuating || a.s.Phase == Silenced,
		Fault:    len(a.broken)+len(a.s.Faults) > 0,
	}
}

// calls reports whether something waits for an acknowledgement.
func (a *Annunciator) calls() bool {
	for _, urgent := range a.broken {
		if urgent {
			return true
		}
	}
	return slices.ContainsFunc(a.s.Points, func(p Point) bool { return !p.Acknowledged })
}

// Phase returns where an evacuation stands.
func (a *Annunciator) Phase() Phase { return a.s.Phase }

// Tick lets time pass.
func (a *Annunciator) Tick(m Moment) {
	if a.s.Phase != Unacknowledged && a.s.Phase != Investigating {
		return
	}
	if !m.Attended || m.At >= a.deadline() {
		a.evacuate(m)
	}
}

func (a *Annunciator) deadline() time.Duration {
	end := a.s.Began + a.delays.V1
	if a.s.Phase == Investigating {
		end = max(end, a.s.Acknowledged+a.delays.V2)
	}
	return min(end, a.s.Began+Cap)
}

func (a *Annunciator) evacuate(m Moment) {
	if a.s.Phase != Evacuating {
		a.s.Phase, a.s.Sounded = Evacuating, m.At
	}
}

// Transition takes one change of a rule's condition. Unknown after firing
// changes nothing: silence is not safety.
func (a *Annunciator) Transition(m Moment, t safety.Transition) {
	a.Tick(m)
	if t.Class == safety.ClassFault {
		a.fault(t.Point, t.To)
	}
	if !asks(t) {
		return
	}
	switch t.To {
	case safety.Firing:
		a.fires(m, Point{
			ID: t.Point, Sensor: t.Sensor, Zone: t.Zone, Grade: t.Grade,
			Detects: detects(t), Confirmed: t.Severity == safety.Evacuate,
		})
	case safety.Inactive:
		a.returns(t.Point)
	}
}

func (a *Annunciator) fault(point string, to safety.State) {
	i, known := slices.BinarySearch(a.s.Faults, point)
	switch {
	case to == safety.Firing && !known:
		a.s.Faults = slices.Insert(a.s.Faults, i, point)
	case to == safety.Inactive && known:
		a.s.Faults = slices.Delete(a.s.Faults, i, i+1)
	}
}

// Concerns reports whether a rule's word changes anything here.
func Concerns(t safety.Transition) bool { return t.Class == safety.ClassFault || asks(t) }

// asks reports whether t is about something that asks for people.
func asks(t safety.Transition) bool {
	return t.Class == safety.ClassAlarm && t.Severity.Rank() >= safety.Warning.Rank()
}

// detects reports whether t is a detector's word for fire or gas.
func detects(t safety.Transition) bool {
	return (t.Hazard == safety.HazardFire || t.Hazard == safety.HazardGas) &&
		t.Severity.Rank() >= safety.Alarm.Rank()
}

// CallPoint takes the debounced state of a manual call point. Operated, it
// evacuates at once.
func (a *Annunciator) CallPoint(m Moment, sensor, zone string, operated bool) {
	a.Tick(m)
	id := "call point " + sensor
	if !operated {
		a.returns(id)
		return
	}
	a.fires(m, Point{
		ID: id, Sensor: sensor, Zone: zone, Grade: safety.Certified, Manual: true, Detects: true, Confirmed: true,
	})
}

func (a *Annunciator) fires(m Moment, p Point) {
	p.Firing = true
	fresh := !slices.ContainsFunc(a.s.Points, func(q Point) bool {
		return q.Detects && q.Firing && !distinct(p, q) && (q.Confirmed || !p.Confirmed)
	})
	switch i := slices.IndexFunc(a.s.Points, func(q Point) bool { return q.ID == p.ID }); {
	case i < 0:
		a.s.Points = append(a.s.Points, p)
	default:
		p.Acknowledged = a.s.Points[i].Firing && a.s.Points[i].Acknowledged
		a.s.Points[i] = p
	}
	if p.Detects {
		a.judge(m, p, fresh)
	}
}

// judge decides what p, which has just fired, means for the evacuation. fresh
// is false when its detector said as much already.
func (a *Annunciator) judge(m Moment, p Point, fresh bool) {
	if !a.source() {
		return
	}
	confirmed := p.Confirmed && counts(p.Grade) || a.agreed()
	switch a.s.Phase {
	case Quiet:
		a.s.Phase, a.s.Began = Unacknowledged, m.At
		if confirmed {
			a.evacuate(m)
		}
		a.Tick(m)
	case Unacknowledged, Investigating:
		if confirmed {
			a.evacuate(m)
		}
	case Silenced:
		if fresh {
			a.evacuate(m)
		}
	}
}

// counts reports whether a grade can begin an evacuation.
func counts(g safety.Grade) bool { return g.Rank() >= safety.Industrial.Rank() }

// source reports whether any detector that is in alarm now can begin an
// evacuation.
func (a *Annunciator) source() bool {
	return slices.ContainsFunc(a.s.Points, func(p Point) bool { return p.Detects && p.Firing && counts(p.Grade) })
}

// agreed reports whether two detectors have spoken in this event, one of them
// of a grade that counts.
func (a *Annunciator) agreed() bool {
	for _, p := range a.s.Points {
		for _, q := range a.s.Points {
			if p.Detects && q.Detects && counts(p.Grade) && distinct(p, q) {
				return true
			}
		}
	}
	return false
}

// distinct reports whether p and q come from different detectors. A rule over
// a whole zone speaks for any sensor in it, so within the zone it is no second
// opinion; a person at a call point always is one.
func distinct(p, q Point) bool {
	if p.Sensor != "" && q.Sensor != "" || p.Manual || q.Manual {
		return p.Sensor != q.Sensor
	}
	return p.Zone != q.Zone
}

// returns notes that the condition of a point is gone. While an event lasts
// its detectors stay on record: a person ends it, not the smoke.
func (a *Annunciator) returns(id string) {
	for i := range a.s.Points {
		if a.s.Points[i].ID == id {
			a.s.Points[i].Firing = false
		}
	}
	a.s.Points = slices.DeleteFunc(a.s.Points, func(p Point) bool {
		return !p.Firing && (!p.Detects || a.s.Phase == Quiet)
	})
}
