package rules

import (
	"container/heap"
	"math"
)

// noTurn is the turn of an instance that time alone does not change.
const noTurn = math.MaxInt64

// turns are the instances whose conditions read the clock: they are looked at
// again at each moment at which the clock changes what they say, whoever
// notices first, a reading or a tick.
type turns struct {
	calendar calendar
	turning  []*instance
	earliest int64 // no turn is before; never: not known
}

// firstTurn is the turn of an instance that was never looked at.
func (r *bound) firstTurn() int64 {
	if r.uses.place.calendar {
		return never
	}
	return noTurn
}

// mayTurn adds an instance to those that may have turns.
func (t *turns) mayTurn(in *instance) {
	if !in.turns {
		in.turns = true
		t.turning = append(t.turning, in)
	}
	t.earliest = min(t.earliest, in.turn)
}

// turnUp looks at the instance at each of its turns up to at. An instance that
// was never looked at is about to be.
func (e *Engine) turnUp(in *instance, at int64) {
	if in.turn == never {
		e.turned(in, at)
		return
	}
	for in.turn <= at {
		due := in.turn
		e.turned(in, due)
		e.evaluate(in, due)
	}
}

func (e *Engine) turned(in *instance, at int64) {
	in.turned, in.turn, in.dirty = at, e.nextTurn(in, at), true
	e.earliest = min(e.earliest, in.turn)
	if e.horizon != never && in.turn <= e.horizon {
		e.pushTurn(in, in.turn)
	}
}

// nextTurn returns the first moment after at when time alone may change what
// the instance's condition says.
func (e *Engine) nextTurn(in *instance, at int64) int64 {
	next := int64(noTurn)
	if in.rule.uses.place.calendar {
		next = e.calendar.next(at)
	}
	return min(next, in.isolationEnd(at))
}

// collectTurns puts the turns up to the horizon on the agenda.
func (e *Engine) collectTurns() {
	if e.earliest > e.horizon {
		return
	}
	e.earliest = noTurn
	for _, in := range e.turning {
		switch {
		case in.turn == never:
			e.pushTurn(in, e.horizon)
		case in.turn <= e.horizon:
			e.pushTurn(in, in.turn)
		default:
			e.earliest = min(e.earliest, in.turn)
		}
	}
}

func (e *Engine) pushTurn(in *instance, at int64) {
	heap.Push(&e.due, event{at: at, in: in, order: int(in.order), turn: true})
}

// takeTurn looks at the instance at a moment that was put on the agenda.
func (e *Engine) takeTurn(in *instance, at int64) {
	switch in.turn {
	case never:
		e.evaluate(in, at)
	case at:
		e.turnUp(in, at)
	default:
		return // a reading was first
	}
	e.settleMetas(at)
}

// resumeTurns says when to look again after Restore. All turns up to the last
// tick have been taken, and those of an instance up to its own last one.
func (e *Engine) resumeTurns() {
	e.earliest = never
	for _, in := range e.turning {
		if in.turned != never {
			in.turn = e.nextTurn(in, max(in.turned, e.now))
		}
	}
}
