package rules

import (
	"time"

	"nirapod/safety"
)

// holdBound is how long a condition may be unknown before a pending rule
// forgets since when it was true.
const holdBound = 60 * time.Second

// instance is one rule at one sensor or zone.
type instance struct {
	rule  *bound
	key   key
	zone  *place
	own   *sensor // nil for zone scope
	lists [][]*sensor
	exit  *exit // what a rule of scope exit is about
	turn  int64 // ms: when time alone next changes what the condition says

	machine
	order  int32 // among all instances
	dirty  bool  // changed since the last Snapshot
	listed bool  // in Engine.changed
	timed  bool  // in Engine.timed
	turns  bool  // in turns.turning
}

// best is the best grade that evidence can have here.
func (in *instance) best() gradeRank {
	if in.own != nil {
		return rankOf(in.own.spec.Grade)
	}
	var best gradeRank
	for _, list := range in.lists {
		for _, s := range list {
			best = max(best, rankOf(s.spec.Grade))
		}
	}
	return best
}

// machine is the state of an instance: what a snapshot keeps.
type machine struct {
	since   int64 // pending or unknown-from-pending: true since, ms
	blind   int64 // unknown since, ms
	gone    int64 // firing: condition gone since, ms
	turned  int64 // the newest turn that was taken, or the first look, ms
	state   safety.State
	before  safety.State // while unknown: what it was, for timers and latches
	held    bool         // put off by the rule's delay
	grade   gradeRank
	flags   safety.Flags
	proved  bool     // grade and flags come from evidence
	step    uint8    // of the rule's steps; 0 = its own severity
	firings *firings // nil where the rule has no Flapping
}

var newborn = machine{state: safety.Unknown, before: safety.Unknown, since: never, blind: never, gone: never, turned: never}

func (in *instance) scope() string {
	switch {
	case in.own != nil:
		return in.own.spec.ID
	case in.exit != nil:
		return in.exit.spec.ID
	}
	return in.zone.ID
}

// blind reports whether a rule that protects life cannot see because of s. A
// window that is still filling is not blind: it was told that the sensor was
// not heard, and after a start there is nothing to tell.
func (s *sensor) blind() bool {
	if s.at == never { // it is about to speak, or goes stale
		return false
	}
	trusted := s.trust(false) == full
	for _, in := range s.instances {
		if in.rule.Class != safety.ClassAlarm || in.state != safety.Unknown {
			continue
		}
		filling := s.at-s.heard <= in.rule.fill
		if in.own == s && (!trusted || !filling) || in.own == nil && !trusted {
			return true
		}
	}
	return false
}

// judge evaluates the condition: true if the values seen make it so, else what
// trusted values alone say. So a doubtful value can raise and never clear.
func (in *instance) judge(v *view) truth {
	v.in, v.cur, v.careful, v.doubt = in, in.own, false, false
	t := in.rule.when.eval(v)
	if t == yes || !v.doubt {
		return t
	}
	v.careful = true
	t = in.rule.when.eval(v)
	v.careful = false
	if t == yes { // true only because something is not believed
		return unknown
	}
	return t
}

// isGone says whether a firing condition may count as over. Only trusted
// values say so.
func (in *instance) isGone(v *view, now truth) truth {
	if in.rule.reset == nil {
		return not(now)
	}
	v.in, v.cur, v.careful = in, in.own, true
	defer func() { v.careful = false }()
	return in.rule.reset.eval(v)
}

// isDelayed says whether the rule's delay holds now. Unknown delays nothing.
func (in *instance) isDelayed(v *view) bool {
	if in.rule.delay == nil {
		return false
	}
	v.in, v.cur, v.careful = in, in.own, true
	defer func() { v.careful = false }()
	return in.rule.delay.eval(v) == yes
}

// evaluate brings the instance to what its condition says at a moment, ms.
func (e *Engine) evaluate(in *instance, at int64) {
	at = max(at, in.turned) // what the clock said before has been looked at
	e.expire(in, at)
	e.view.now = at
	e.step(in, in.judge(&e.view), at)
	e.watch(in)
	e.note(in)
}

func (e *Engine) step(in *instance, now truth, at int64) {
	switch {
	case now == yes:
		e.stepTrue(in, at)
	case in.active():
		e.stepActive(in, now, at)
	case now == unknown:
		e.goUnknown(in, at)
	default:
		e.to(in, safety.Inactive, at)
	}
}

// active reports whether the rule has fired and nothing has ended it.
func (in *instance) active() bool {
	return in.state == safety.Firing || in.state == safety.Unknown && in.before == safety.Firing
}

func (e *Engine) stepTrue(in *instance, at int64) {
	if in.active() {
		in.setGone(never)
		stronger := e.gather(in)
		stronger = in.climb(&e.view) || stronger
		if in.state == safety.Firing && stronger {
			e.emit(in, safety.Firing, safety.Firing, at)
		}
		e.to(in, safety.Firing, at)
		return
	}
	if in.since == never || in.state == safety.Unknown && at-in.blind > holdBound.Milliseconds() {
		in.since, in.held, in.proved = at, false, false
		in.dirty = true
	}
	e.gather(in)
	wasBlind := in.state == safety.Unknown && in.before == safety.Pending
	if !e.fire(in, at, wasBlind) {
		e.to(in, safety.Pending, at)
	}
}

// fire lets a pending rule fire if its hold is over at a moment, and reports
// whether it did. The alarm happened when the hold was reached; after
// blindness, when the condition was seen again.
func (e *Engine) fire(in *instance, at int64, seenAgain bool) bool {
	when := in.since + in.rule.For.Milliseconds()
	if at < when {
		return false
	}
	latest := when + in.rule.DelayAtMost.Milliseconds()
	if at < latest && in.isDelayed(&e.view) {
		in.dirty = in.dirty || !in.held
		in.held = true
		return false
	}
	if in.held {
		when = min(at, latest)
	}
	if seenAgain {
		when = at
	}
	in.since, in.blind, in.held, in.gone = never, never, false, never
	in.climb(&e.view)
	in.fired(when)
	e.to(in, safety.Firing, when)
	return true
}

// stepActive handles a fired rule whose condition is not true.
func (e *Engine) stepActive(in *instance, now truth, at int64) {
	switch gone := in.isGone(&e.view, now); {
	case gone == unknown || now == unknown && !in.rule.ends:
		in.setGone(never)
		e.goUnknown(in, at)
	case gone == no || in.rule.Latch:
		in.setGone(never)
		e.to(in, safety.Firing, at)
	case in.keep() == 0:
		e.to(in, safety.Inactive, at)
	default:
		if in.gone == never {
			in.setGone(at)
		}
		e.to(in, safety.Firing, at)
	}
}

func (in *instance) setGone(at int64) {
	in.dirty = in.dirty || in.gone != at
	in.gone = at
}

func (e *Engine) goUnknown(in *instance, at int64) {
	if in.state == safety.Unknown {
		return
	}
	in.blind = at
	before := in.state
	e.to(in, safety.Unknown, at)
	in.before = before
}

// deadline returns when time alone will change the instance, ms, or never.
func (in *instance) deadline() int64 {
	switch {
	case in.state == safety.Pending && in.held:
		return in.since + (in.rule.For + in.rule.DelayAtMost).Milliseconds()
	case in.state == safety.Pending:
		return in.since + in.rule.For.Milliseconds()
	case in.state == safety.Firing && in.gone != never:
		return in.gone + in.keep()
	}
	return never
}

// expire lets holds end that end by a moment, ms, at the latest.
func (e *Engine) expire(in *instance, at int64) {
	if in.turn <= at {
		e.turnUp(in, at)
	}
	due := in.deadline()
	if due == never || due > at {
		return
	}
	e.view.now = due
	if in.state == safety.Firing {
		e.to(in, safety.Inactive, due)
		return
	}
	if t := in.judge(&e.view); t != yes {
		e.step(in, t, due)
		return
	}
	e.gather(in)
	if !e.fire(in, due, false) { // put off: look again by the end of the delay
		e.expire(in, at)
	}
}

// Reset is a person's reset of a latched point. It does nothing while the
// condition is not known to be gone.
func (e *Engine) Reset(point string, at time.Time) []safety.Transition {
	in := e.points.at(point)
	if in == nil || !in.rule.Latch || in.state != safety.Firing {
		return nil
	}
	ms := at.UnixMilli()
	e.view.now, e.view.late = ms, nil
	if now := in.judge(&e.view); now != no || in.isGone(&e.view, now) != yes {
		return nil
	}
	e.to(in, safety.Inactive, ms)
	e.note(in)
	e.settleMetas(ms)
	return e.flush()
}
