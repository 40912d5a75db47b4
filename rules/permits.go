package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"nirapod/safety"
)

// permits is whether the isolations changed since the last Snapshot.
type permits struct{ permitted bool }

// isolation is the newest permit that names a sensor. It stands until the
// sensor is tested after its end.
type isolation struct {
	permit      string
	work        safety.Work
	from, until int64 // ms; never: there is none
}

var armed = isolation{from: never, until: never}

func (s *sensor) isolatedAt(now int64) bool {
	return s.isolation.from != never && s.isolation.from <= now && now < s.isolation.until
}

// hidden reports whether a permit for one of these works covers the sensor.
func (s *sensor) hidden(works []safety.Work, now int64) bool {
	return s.isolatedAt(now) && slices.Contains(works, s.isolation.work)
}

// excusedAt reports whether a permit is why rules do not see the sensor: it
// stands, or has just ended and they are about to look again.
func (s *sensor) excusedAt(now int64) bool {
	if s.isolation.from == never {
		return false
	}
	return s.isolatedAt(now) || slices.ContainsFunc(s.instances, func(in *instance) bool { return in.turn <= now })
}

// untestedAt reports whether the sensor is armed again and nobody has tested it.
func (s *sensor) untestedAt(now int64) bool {
	return s.isolation.until != never && s.isolation.until <= now
}

// coverable returns the works that hide a sensor from what is being lowered:
// those of the rule, but static heat is never hidden.
func (l *lowerer) coverable(qs []safety.Quantity, level bool) []safety.Work {
	if level && slices.Contains(qs, safety.Temperature) {
		return nil
	}
	return l.rule.Permit
}

func (l *lowerer) permitTest(name string) cond {
	l.uses.live = true
	test := map[string]func(*sensor, int64) bool{"isolated": (*sensor).isolatedAt, "untested": (*sensor).untestedAt}[name]
	return cond{
		eval: func(v *view) truth { return truthOf(test(v.cur, v.now)) },
		why:  func(v *view, _ bool, found *evidence) { found.add(v.cur, v.cur.flags) },
		text: l.subject() + name,
	}
}

// Permit isolates the sensors that p names from the rules that say of
// themselves that a permit for such work may cover them, from p.From or at,
// whichever is later, until p.Until or the end of the shift, whichever is
// earlier; outside of shifts until the next begins. It refuses what Permitted
// refuses, and then nothing has changed.
func (e *Engine) Permit(p safety.Permit, at time.Time) ([]safety.Transition, error) {
	bounded, err := e.Permitted(p, at)
	if err != nil {
		return nil, err
	}
	for _, id := range p.Sensors {
		e.sensors[id].isolation = isolation{p.ID, p.Work, bounded.From.UnixMilli(), bounded.Until.UnixMilli()}
	}
	return e.permitChanged(p.Sensors, at), nil
}

// Permitted returns p with the bounds that Permit would give it. It refuses a
// permit that is not in order, and one that would isolate a sensor that no
// permit may: errors wrap safety.ErrInvalid, ErrNotFound or ErrConflict and say
// what to do instead.
func (e *Engine) Permitted(p safety.Permit, at time.Time) (safety.Permit, error) {
	from := max(p.From.UnixMilli(), at.UnixMilli())
	until := e.permitEnd(from, p.Until.UnixMilli())
	if err := e.mayPermit(p, from, until); err != nil {
		return safety.Permit{}, err
	}
	p.From, p.Until = time.UnixMilli(from).UTC(), time.UnixMilli(until).UTC()
	return p, nil
}

// permitEnd bounds a permit by the shift in which it begins.
func (e *Engine) permitEnd(from, until int64) int64 {
	if end := e.calendar.shiftEnd(from); end != never {
		return min(until, end)
	}
	for edge := e.calendar.next(from); edge < until; edge = e.calendar.next(edge) {
		if e.calendar.within(e.calendar.shifts, edge) {
			return edge
		}
	}
	return until
}

func (e *Engine) mayPermit(p safety.Permit, from, until int64) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if until <= from {
		return fmt.Errorf("permit %s: it would be over before it begins; give a later end: %w", p.ID, safety.ErrInvalid)
	}
	for _, id := range p.Sensors {
		s := e.sensors[id]
		switch {
		case s == nil:
			return fmt.Errorf("permit %s: sensor %s: the site has none of that name: %w", p.ID, id, safety.ErrNotFound)
		case s.zone.ID != p.Zone:
			return fmt.Errorf("permit %s: sensor %s is in zone %s, not in %s; open a permit for each zone: %w", p.ID, id, s.zone.ID, p.Zone, safety.ErrInvalid)
		case !s.mayHide(p.Work):
			return fmt.Errorf("permit %s: no rule about sensor %s may be covered by a permit for %s; leave it out (call points, static heat, the second gas stage and exits are never covered): %w", p.ID, id, p.Work, safety.ErrInvalid)
		case s.isolatedAt(from) && s.isolation.permit != p.ID:
			return fmt.Errorf("permit %s: sensor %s is isolated by permit %s; end that one first: %w", p.ID, id, s.isolation.permit, safety.ErrConflict)
		}
	}
	return nil
}

// mayHide reports whether some rule that reads the sensor may be covered.
func (s *sensor) mayHide(work safety.Work) bool {
	if slices.Contains(neverHidden, s.spec.Quantity) {
		return false
	}
	return slices.ContainsFunc(s.instances, func(in *instance) bool { return slices.Contains(in.rule.Permit, work) })
}

// EndPermit ends a permit before its time. It does nothing if it is over.
func (e *Engine) EndPermit(id string, at time.Time) []safety.Transition {
	var ended []string
	for _, s := range e.order {
		if ms := at.UnixMilli(); s.isolation.permit == id && ms < s.isolation.until {
			s.isolation.until = max(ms, s.isolation.from)
			ended = append(ended, s.spec.ID)
		}
	}
	return e.permitChanged(ended, at)
}

// SelfTested is the word that a sensor was tested after its permit ended.
func (e *Engine) SelfTested(sensor string, at time.Time) []safety.Transition {
	s := e.sensors[sensor]
	if s == nil || !s.untestedAt(at.UnixMilli()) {
		return nil
	}
	s.isolation = armed
	return e.permitChanged([]string{sensor}, at)
}

// permitChanged looks again at what reads the sensors, now and at the ends of
// their permits.
func (e *Engine) permitChanged(sensors []string, at time.Time) []safety.Transition {
	for _, id := range sensors {
		s := e.sensors[id]
		e.permitted = true
		for _, in := range s.instances {
			ms := max(at.UnixMilli(), s.at)
			e.evaluate(in, ms)
			e.turned(in, max(in.turned, ms))
			e.mayTurn(in)
			e.note(in)
		}
		e.settleMetas(max(at.UnixMilli(), s.at))
	}
	return e.flush()
}

// isolationEnd returns the first moment after at when a permit of a sensor that
// the instance reads begins or ends; noTurn if none does.
func (in *instance) isolationEnd(at int64) int64 {
	first := int64(noTurn)
	look := func(s *sensor) {
		for _, edge := range [...]int64{s.isolation.from, s.isolation.until} {
			if edge > at {
				first = min(first, edge)
			}
		}
	}
	if in.own != nil {
		look(in.own)
	}
	for _, list := range in.lists {
		for _, s := range list {
			look(s)
		}
	}
	for _, s := range in.also() {
		look(s)
	}
	return first
}

const isolationsKey = "isolations"

type savedIsolation struct {
	Permit string      `json:"permit"`
	Work   safety.Work `json:"work"`
	From   int64       `json:"from"`
	Until  int64       `json:"until"`
}

var errIsolations = errors.New("unreadable isolations")

func (e *Engine) saveIsolations(out map[string][]byte, all bool) {
	saved := map[string]savedIsolation{}
	for _, s := range e.order {
		if i := s.isolation; i.from != never && (e.permitted || all) {
			saved[s.spec.ID] = savedIsolation{i.permit, i.work, i.from, i.until}
		}
	}
	if e.permitted || len(saved) > 0 {
		out[isolationsKey] = mustMarshal(saved)
	}
	e.permitted = false
}

func (e *Engine) loadIsolations(blob []byte) error {
	var saved map[string]savedIsolation
	if json.Unmarshal(blob, &saved) != nil {
		return errIsolations
	}
	for id, i := range saved {
		s := e.sensors[id]
		if s == nil {
			continue
		}
		s.isolation = isolation{i.Permit, i.Work, i.From, i.Until}
		for _, in := range s.instances {
			e.mayTurn(in)
		}
	}
	return nil
}
