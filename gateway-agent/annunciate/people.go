package annunciate

import "slices"

// Acknowledge takes the word of a person that an alert has been seen: of one
// point, or of all with "". It quiets the buzzer. When every detector in alarm
// has been acknowledged within V1, V2 begins.
func (a *Annunciator) Acknowledge(m Moment, point string) {
	a.Tick(m)
	any := false
	for i := range a.s.Points {
		if p := &a.s.Points[i]; point == "" || p.ID == point {
			p.Acknowledged, any = true, true
		}
	}
	for id := range a.broken {
		if point == "" || id == point {
			a.broken[id] = false
		}
	}
	open := slices.ContainsFunc(a.s.Points, func(p Point) bool { return p.Detects && !p.Acknowledged })
	if any && !open && a.s.Phase == Unacknowledged {
		a.s.Phase, a.s.Acknowledged = Investigating, m.At
	}
}

// KeyAnswer is what operating the panel key did.
type KeyAnswer string

// The answers.
const (
	KeyNothing  KeyAnswer = "nothing to do"
	KeyTooEarly KeyAnswer = "too early: an evacuation sounder sounds for 5 minutes"
	KeySilenced KeyAnswer = "sounder silenced"
	KeyReset    KeyAnswer = "reset"
	KeyHeld     KeyAnswer = "not reset: a detector is still in alarm"
)

// MayReset returns the points that a person with the panel key may reset now:
// ask the rules to reset them, feed back what changed, then call Key. None
// while the evacuation sounder sounds.
func (a *Annunciator) MayReset() []string {
	if a.s.Phase == Evacuating {
		return nil
	}
	ids := make([]string, len(a.s.Points))
	for i, p := range a.s.Points {
		ids[i] = p.ID
	}
	return ids
}

// Key takes one operation of the panel key. It silences a sounding evacuation,
// though not in its first 5 minutes. Operated again it ends the event, once no
// detector is in alarm any more. During V1 and V2 it ends the event in the same
// way: it postpones nothing that a detector still says.
func (a *Annunciator) Key(m Moment) KeyAnswer {
	a.Tick(m)
	switch a.s.Phase {
	case Evacuating:
		if m.At-a.s.Sounded < NoSilence {
			return KeyTooEarly
		}
		a.s.Phase = Silenced
		return KeySilenced
	case Quiet:
		a.Acknowledge(m, "")
		return KeyNothing
	}
	firing := func(p Point) bool { return p.Detects && p.Firing }
	if slices.ContainsFunc(a.s.Points, firing) {
		a.Acknowledge(m, "")
		return KeyHeld
	}
	a.s.Phase = Quiet
	a.s.Points = slices.DeleteFunc(a.s.Points, func(p Point) bool { return !p.Firing })
	return KeyReset
}

// Fault says that a part of the gateway itself is broken, or sound again. Urgent
// is what staff must know at once: an evacuation could not be told, so they
// would have to. The buzzer says so until somebody acknowledges; after a restart
// whoever tells of faults tells again.
func (a *Annunciator) Fault(point string, broken, urgent bool) {
	if broken {
		a.broken[point] = urgent
	} else {
		delete(a.broken, point)
	}
}
