package rules

import (
	"container/heap"
	"time"

	"nirapod/safety"
)

// Plant is what the rules are bound to: the part of the site that they read.
// A gateway passes its own sensors, the server all of the factory's.
type Plant struct {
	Factory string
	Zones   []safety.Zone
	Hazards []safety.Hazmat // of them, the boilers
	Sensors []safety.Sensor // a period of 0 is taken as 1 s

	Exits    []safety.Exit
	Calendar Calendar
	StayOut  bool // nobody may be in the building

	Limits []safety.SiteLimit // in place of those of the packs

	// Together says that readings of all gateways come in the order in which
	// they happened; else only those of one gateway do.
	Together bool
}

// PlantOf returns the part of a site that the rules read.
func PlantOf(s safety.Site) Plant {
	return Plant{
		Factory: s.Factory.ID, Zones: s.Zones, Hazards: s.Hazards, Sensors: s.Sensors, Exits: s.Exits, StayOut: s.Building.StayOut,
		Limits: s.Factory.Limits,
		Calendar: Calendar{
			Hours: s.Factory.Hours, Shifts: s.Factory.Shifts, WeeklyHoliday: s.Factory.WeeklyHoliday, Holidays: s.Factory.Calendar,
		},
	}
}

// Engine evaluates rules over one plant. It is not safe for concurrent use:
// one goroutine owns it. The same inputs give the same transitions.
type Engine struct {
	factory, source string
	version         string
	sensors         map[string]*sensor
	order           []*sensor // by id
	points          points
	instances       []*instance // in order of rule, then scope
	clocked         []*instance // read the time itself
	unbound         []string
	longest         time.Duration

	start, now int64 // first moment and newest Tick, ms
	view       view
	out        []safety.Transition
	unsettled  []*sensor // rules about rules must look again
	timed      []*instance
	due        agenda // during Tick
	horizon    int64
	channels   []*channels

	turns
	premises
	permits

	// Since the last Snapshot:
	changed []*instance
	moved   []*channels
	shifted bool // the engine's times
}

// Observe evaluates the rules that read r's sensor and returns what changed,
// in order. r.At is when it was measured. A reading not newer than the
// sensor's newest evaluated one is history and is ignored; so is an unknown
// sensor. A reading that is stale already when it comes may raise, not clear.
//
// A clock that is set back would make everything history: a gateway passes
// times that follow its monotonic clock, and turns those of transitions into
// wall time when it tells of them.
func (e *Engine) Observe(r safety.Reading) []safety.Transition {
	s, at := e.sensors[r.Sensor], r.At.UnixMilli()
	if s == nil || s.at != never && at <= s.at {
		return nil
	}
	if e.start == never {
		e.start, e.shifted = at, true
	}
	if s.stale {
		e.silence(s, at)
	}
	e.lapse(s, at)
	late := e.now != never && at+s.staleAfter < e.now
	e.setLate(s, late)
	for _, in := range s.instances {
		e.expire(in, at)
	}
	s.take(r, at)
	s.stale = late
	e.follow(s, at)
	e.move(s)
	for _, in := range s.instances {
		e.evaluate(in, at)
	}
	e.view.late = nil
	e.settleMetas(at)
	return e.flush()
}

func (e *Engine) setLate(s *sensor, late bool) {
	e.view.late = nil
	if late {
		e.view.late = s
	}
}

// silence lets the time pass in which s, stale already, said nothing before a
// reading at at.
func (e *Engine) silence(s *sensor, at int64) {
	last := s.staleAt(e.start)
	if at <= last {
		return
	}
	e.setLate(s, s.at != never)
	for _, in := range s.instances {
		e.expire(in, last)
	}
	e.goStale(s, last)
}

func (e *Engine) goStale(s *sensor, at int64) {
	s.stale = true
	s.missing = s.missing || s.channels.own && s.missingAt(e.start) <= at
	e.move(s)
	e.view.late = nil
	for _, in := range s.instances {
		e.evaluate(in, at)
	}
	e.settleMetas(at)
}

// Tick lets time pass up to now: holds expire and silent sensors go stale. A
// now that is not later than the last one is ignored. On a server now must
// trail the clock by what packs take to arrive, and wait for resends after a start.
func (e *Engine) Tick(now time.Time) []safety.Transition {
	ms := now.UnixMilli()
	if e.now != never && ms <= e.now {
		return nil
	}
	if e.start == never {
		e.start = ms
	}
	e.now, e.horizon, e.shifted = ms, ms, true
	e.collect()
	e.collectTurns()
	for len(e.due) > 0 {
		ev := heap.Pop(&e.due).(event)
		switch {
		case ev.turn:
			e.takeTurn(ev.in, ev.at)
		case ev.in != nil && ev.in.deadline() == ev.at:
			e.expire(ev.in, ev.at)
			e.watch(ev.in)
			e.note(ev.in)
			e.settleMetas(ev.at)
		case ev.missing:
			e.goMissing(ev.s, ev.at)
		case ev.s != nil && !ev.s.stale:
			e.goStale(ev.s, ev.at)
		}
	}
	e.horizon = never
	for _, in := range e.clocked {
		e.evaluate(in, ms)
	}
	e.settleMetas(ms)
	return e.flush()
}

// collect puts all that is due by the horizon on the agenda.
func (e *Engine) collect() {
	for _, s := range e.order {
		if last := s.staleAt(e.start); !s.stale && last < e.horizon {
			e.due = append(e.due, event{at: last, s: s, order: len(e.due)})
		}
	}
	for _, s := range e.order {
		if due := s.missingAt(e.start); s.channels.own && !s.missing && due < e.horizon {
			e.due = append(e.due, event{at: due, s: s, missing: true, order: len(e.due)})
		}
	}
	kept := e.timed[:0]
	for _, in := range e.timed {
		due := in.deadline()
		in.timed = due != never
		if in.timed {
			kept = append(kept, in)
		}
		if in.timed && due <= e.horizon {
			e.due = append(e.due, event{at: due, in: in, order: int(in.order)})
		}
	}
	e.timed = kept
	heap.Init(&e.due)
}

// watch notes that time alone may change the instance.
func (e *Engine) watch(in *instance) {
	due := in.deadline()
	if due == never {
		return
	}
	if !in.timed {
		in.timed = true
		e.timed = append(e.timed, in)
	}
	if e.horizon != never && due <= e.horizon {
		heap.Push(&e.due, event{at: due, in: in, order: int(in.order)})
	}
}

// event is a moment at which time alone changes something: the end of an
// instance's hold, or of a sensor's ordinary pause.
type event struct {
	at    int64
	in    *instance
	s     *sensor
	order int
	turn  bool // the instance's turn, not the end of its hold

	missing bool // of the sensor's pause while its gateway runs
}

// agenda is a heap of events: earliest first, holds before silence, then in
// the order of rules and sensors.
type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	switch {
	case a[i].at != a[j].at:
		return a[i].at < a[j].at
	case (a[i].in != nil) != (a[j].in != nil):
		return a[i].in != nil
	}
	return a[i].order < a[j].order
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(event)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	*a = (*a)[:last]
	return x
}

// settleMetas lets the rules about rules follow what others just did.
func (e *Engine) settleMetas(at int64) {
	for len(e.unsettled) > 0 {
		s := e.unsettled[0]
		e.unsettled = e.unsettled[1:]
		for _, in := range s.metas {
			e.evaluate(in, at)
		}
	}
	e.unsettled = e.unsettled[:0]
}

// Window returns how far back Warm needs readings.
func (e *Engine) Window() time.Duration { return e.longest }

// Watches reports whether a rule is bound at a point.
func (e *Engine) Watches(point string) bool { return e.points.at(point) != nil }

// Version identifies the meaning of all bound rules.
func (e *Engine) Version() string { return e.version }

// Unbound says, for people, which rules could not be bound where, and why.
func (e *Engine) Unbound() []string { return e.unbound }

// ClearFault is a person's word that a sensor's channel is sound again after
// an open wire or an out-of-range value (docs/rules.md, quarantine). It does
// nothing while the newest reading is bad.
func (e *Engine) ClearFault(id string, at time.Time) []safety.Transition {
	s := e.sensors[id]
	if s == nil || !s.quarantine.on || s.quality == safety.Bad {
		return nil
	}
	s.quarantine.end(s.at)
	e.move(s)
	for _, in := range s.instances {
		e.evaluate(in, max(at.UnixMilli(), s.at))
	}
	e.settleMetas(max(at.UnixMilli(), s.at))
	return e.flush()
}
