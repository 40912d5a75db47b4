package rules

import "nirapod/safety"

// Firing returns a transition to firing for each instance that has fired and
// that nothing has ended, also where it is unknown by now. It changes nothing:
// after Restore it is for whoever acts on alarms and must not disagree.
func (e *Engine) Firing() []safety.Transition {
	var out []safety.Transition
	for _, in := range e.instances {
		if !in.active() {
			continue
		}
		found := evidence{grade: in.grade.grade(), flags: in.flags}
		if found.grade == "" {
			found.grade = in.best().grade()
		}
		out = append(out, e.told(in, in.state, safety.Firing, e.now, found))
	}
	return out
}

// Forget drops the state of one point: it begins anew, unknown, so that the
// next reading says what it is. It returns no transition.
func (e *Engine) Forget(point string) {
	if in := e.points.at(point); in != nil {
		in.machine, in.dirty, in.turn = newborn, true, in.rule.firstTurn()
		e.earliest = min(e.earliest, in.turn)
		e.note(in)
	}
}
