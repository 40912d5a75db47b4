package rules

import "nirapod/safety"

// evidence is what made a condition true: whose word, what it is worth, and
// whether all of it was an exercise.
type evidence struct {
	grade  safety.Grade
	flags  safety.Flags
	found  bool
	values map[string]float64 // nil while only grade and flags are wanted
}

func (e *evidence) add(s *sensor, flags safety.Flags) {
	if s.spec.Grade.Rank() > e.grade.Rank() {
		e.grade = s.spec.Grade
	}
	if !e.found {
		e.found, e.flags = true, flags
	}
	e.flags &= flags
}

func (e *evidence) note(name string, value float64) {
	if e.values != nil {
		e.values[name] = value
	}
}

// read notes a number asked of the view's current sensor, under its own name
// or the sensor's.
func (e *evidence) read(v *view, name string, value span) {
	if e.values == nil || !value.known() {
		return
	}
	if v.cur != v.in.own {
		name = v.cur.spec.ID + "." + name
	}
	e.values[name] = value.lo
}
