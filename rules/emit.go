package rules

import (
	"time"

	"nirapod/safety"
)

// to moves the instance to a state and tells it if it is another.
func (e *Engine) to(in *instance, next safety.State, at int64) {
	from := in.state
	if from == next {
		return
	}
	if from == safety.Unknown || next == safety.Unknown {
		e.unsettle(in)
	}
	e.emit(in, from, next, at)
	in.state, in.dirty = next, true
	if next != safety.Unknown {
		in.before, in.blind = next, never
	}
	if next == safety.Inactive {
		in.since, in.gone, in.held, in.proved = never, never, false, false
		in.grade, in.flags, in.step = 0, 0, 0
	}
}

func (e *Engine) unsettle(in *instance) {
	if in.rule.Class != safety.ClassAlarm {
		return
	}
	if in.own != nil {
		e.unsettled = append(e.unsettled, in.own)
		return
	}
	for _, list := range in.lists {
		e.unsettled = append(e.unsettled, list...)
	}
}

// gather adds what makes the condition true to what is known of the alarm,
// and reports whether that made it stronger: a better grade, or the first
// evidence that is no exercise.
func (e *Engine) gather(in *instance) bool {
	if in.proved && in.flags == 0 && in.grade >= in.best() {
		return false
	}
	found := evidence{grade: in.grade.grade(), flags: in.flags, found: in.proved}
	e.why(in, true, &found)
	stronger := in.proved && (rankOf(found.grade) != in.grade || found.flags != in.flags)
	if !in.proved || stronger {
		in.grade, in.flags, in.proved, in.dirty = rankOf(found.grade), found.flags, true, true
	}
	return stronger
}

func (e *Engine) why(in *instance, want bool, found *evidence) {
	e.view.in, e.view.cur, e.view.careful = in, in.own, false
	in.rule.when.why(&e.view, want, found)
	if want && in.step > 0 {
		in.rule.steps[in.step-1].why(&e.view, want, found)
	}
}

func (e *Engine) emit(in *instance, from, next safety.State, at int64) {
	found := evidence{values: map[string]float64{}}
	e.why(in, next == safety.Firing || next == safety.Pending, &found)
	if in.proved {
		found.grade, found.flags = in.grade.grade(), in.flags
	} else if !found.found {
		found.flags = in.commonFlags()
	}
	if found.grade == "" {
		found.grade = in.best().grade()
	}
	if next == safety.Firing && in.flaps() {
		found.note("flapping", float64(len(*in.firings)))
	}
	in.noteMembers(&found)
	e.out = append(e.out, e.told(in, from, next, at, found))
}

func (e *Engine) told(in *instance, from, next safety.State, at int64, found evidence) safety.Transition {
	r := in.rule
	t := safety.Transition{
		Factory: e.factory, Source: e.source, Point: in.key.String(),
		Pack: r.pack, Rule: r.Name, RuleVersion: r.fingerprint, Hazard: r.Hazard,
		Class: r.Class, Severity: in.severity(), Zone: in.zone.ID, Grade: found.grade,
		Clause: r.Clause, From: from, To: next, At: time.UnixMilli(at).UTC(),
		Values: found.values, Flags: found.flags,
	}
	switch {
	case in.own != nil:
		t.Sensor = in.own.spec.ID
	case in.exit != nil:
		t.Sensor = in.exit.sensor()
	}
	return t
}

// commonFlags are the flags that all sensors read by the instance share.
func (in *instance) commonFlags() safety.Flags {
	flags, any := safety.Simulated|safety.Drill, false
	join := func(s *sensor) {
		flags, any = flags&s.flags, true
	}
	if in.own != nil {
		join(in.own)
	} else {
		for _, list := range in.lists {
			for _, s := range list {
				join(s)
			}
		}
	}
	if !any {
		return 0
	}
	return flags
}

func (e *Engine) flush() []safety.Transition {
	if len(e.out) == 0 {
		return nil
	}
	out := e.out
	e.out = nil
	return out
}
