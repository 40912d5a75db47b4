package annunciate

import (
	"slices"
	"time"

	"nirapod/safety"
)

// Phase is where an evacuation stands.
type Phase uint8

// The phases.
const (
	Quiet          Phase = iota
	Unacknowledged       // V1: one detector in alarm, nobody has acknowledged
	Investigating        // V2: somebody is looking
	Evacuating           // the sounder sounds
	Silenced             // by the panel key; the event is not over
)

var phaseNames = [...]string{"quiet", "unacknowledged", "investigating", "evacuating", "silenced"}

func (p Phase) String() string { return phaseNames[p] }

// Point is one rule at one place, or one call point, that asks for people.
type Point struct {
	ID           string       `json:"id"`
	Sensor       string       `json:"sensor"`
	Zone         string       `json:"zone"`
	Grade        safety.Grade `json:"grade"`
	Manual       bool         `json:"manual"`    // a call point
	Detects      bool         `json:"detects"`   // fire or gas, at least an alarm
	Confirmed    bool         `json:"confirmed"` // asks for evacuation by itself
	Firing       bool         `json:"firing"`
	Acknowledged bool         `json:"acknowledged"`
}

// State is what must survive a restart. Times are of the monotonic clock of
// the boot that wrote them.
type State struct {
	Phase        Phase         `json:"phase"`
	Began        time.Duration `json:"began"`        // of V1
	Acknowledged time.Duration `json:"acknowledged"` // start of V2
	Sounded      time.Duration `json:"sounded"`      // of the evacuation
	Points       []Point       `json:"points"`
	Faults       []string      `json:"faults"` // rule points of class fault that are firing, sorted
}

// State returns a copy of what must survive a restart.
func (a *Annunciator) State() State {
	s := a.s
	s.Points, s.Faults = slices.Clone(s.Points), slices.Clone(s.Faults)
	return s
}

// Restore continues from a saved state, before any other event. sameBoot says
// that the monotonic clock is the one of the saved times. After a reboot nobody
// knows how long it took: then a delay is over, and an evacuation sounds for
// its 5 minutes again.
func (a *Annunciator) Restore(m Moment, s State, sameBoot bool) {
	a.s = s
	a.s.Points, a.s.Faults = slices.Clone(s.Points), slices.Clone(s.Faults)
	slices.Sort(a.s.Faults)
	if !sameBoot {
		a.s.Began, a.s.Acknowledged, a.s.Sounded = m.At, m.At, m.At
		if a.s.Phase == Unacknowledged || a.s.Phase == Investigating {
			a.evacuate(m)
		}
	}
	a.Tick(m)
}

// Forget says that the rules no longer know whether the condition of a point
// holds: they lost its state. It stays on record, and a person may reset it;
// if the condition holds it fires again.
func (a *Annunciator) Forget(point string) {
	a.fault(point, safety.Inactive)
	a.returns(point)
}

// Believes returns the points of rules that are firing as far as is known here.
func (a *Annunciator) Believes() []string {
	points := slices.Clone(a.s.Faults)
	for _, p := range a.s.Points {
		if p.Firing && !p.Manual {
			points = append(points, p.ID)
		}
	}
	return points
}

// Operated reports whether a call point is on record as operated.
func (a *Annunciator) Operated(sensor string) bool {
	return slices.ContainsFunc(a.s.Points, func(p Point) bool { return p.Manual && p.Firing && p.Sensor == sensor })
}

// Equal reports whether s and o are the same state.
func (s State) Equal(o State) bool {
	return s.Phase == o.Phase && s.Began == o.Began && s.Acknowledged == o.Acknowledged &&
		s.Sounded == o.Sounded && slices.Equal(s.Points, o.Points) && slices.Equal(s.Faults, o.Faults)
}
