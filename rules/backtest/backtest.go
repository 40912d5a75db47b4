// Package backtest asks what an edit of the rules would have raised and missed:
// it plays the same readings of the past to the present rules and to the edited
// ones, and compares what each says. Like the rules it reads no clock and does
// no I/O.
package backtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

// chunk is how much of the past is held in memory at a time.
const chunk = 15 * time.Minute

// Question is what is asked.
type Question struct {
	Present, Edit []rules.Pack
	Plant         rules.Plant
	From, To      time.Time
	// Readings calls yield for all readings with from <= At < to, in any order.
	Readings func(ctx context.Context, from, to time.Time, yield func(safety.Reading) error) error
	// Permits are those that stood at the time, as they really ended.
	Permits []safety.PermitRecord
	// Told is what the gateways and the server told at the time, in order.
	Told []safety.Transition
}

// Span is a time in which a rule was firing, or unknown after that. An open one
// has no end: it lasts beyond what was asked.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
}

// Kind says what the edit changes.
type Kind string

// The kinds.
const (
	Raised Kind = "raised" // by the edit and not by the present rules
	Missed Kind = "missed" // by the edit, and raised by the present rules
	Moved  Kind = "moved"  // raised by both at other times
)

// Change is one difference at one point.
type Change struct {
	Kind     Kind            `json:"kind"`
	Pack     string          `json:"pack"`
	Rule     string          `json:"rule"`
	Zone     string          `json:"zone"`
	Sensor   string          `json:"sensor,omitempty"`
	Class    safety.Class    `json:"class"`
	Severity safety.Severity `json:"severity"`
	Present  *Span           `json:"present,omitempty"`
	Edit     *Span           `json:"edit,omitempty"`
	// Told says when it was told at the time, and by whom; it is empty where
	// nobody did, because the rules were others or the place was.
	Told []Word `json:"told,omitempty"`
}

// Word is what one source told.
type Word struct {
	At     time.Time `json:"at"`
	Source string    `json:"source"`
}

// Report is the answer.
type Report struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Readings int       `json:"readings"`
	// Same counts what both raise at the same times.
	Same    int      `json:"same"`
	Changes []Change `json:"changes"`
	// Gaps say where nothing is known: nothing raised there does not mean nothing happened.
	Gaps []Gap `json:"gaps"`
	// Unbound says which rules are not asked where, by either set of rules.
	Unbound []string `json:"unbound,omitempty"`
}

// Run answers. The error wraps safety.ErrInvalid for rules that do not fit the
// site, and safety.ErrNoData if there is no reading in the time asked for.
func Run(ctx context.Context, q Question) (*Report, error) {
	present, err := newSide("present rules", q.Present, q.Plant)
	if err != nil {
		return nil, err
	}
	edit, err := newSide("edited rules", q.Edit, q.Plant)
	if err != nil {
		return nil, err
	}
	r := &Report{From: q.From, To: q.To, Unbound: append(present.unbound(), edit.unbound()...)}
	cover := newCover(q.Plant.Sensors, q.From, q.To)
	lead := max(present.engine.Window(), edit.engine.Window()) // windows are full when it begins
	for at := q.From.Add(-lead); at.Before(q.To); at = at.Add(chunk) {
		var some []safety.Reading
		end := earlier(at.Add(chunk), q.To)
		if err := q.Readings(ctx, at, end, func(x safety.Reading) error { some = append(some, x); return ctx.Err() }); err != nil {
			return nil, fmt.Errorf("readings from %s to %s: %w", clock(at), clock(end), err)
		}
		slices.SortFunc(some, func(a, b safety.Reading) int {
			return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Sensor, b.Sensor))
		})
		for _, x := range some {
			q.Permits = permitted(q.Permits, x.At, present, edit)
			if !x.At.Before(q.From) {
				r.Readings++
				cover.add(x)
			}
			present.observe(x)
			edit.observe(x)
		}
		q.Permits = permitted(q.Permits, end, present, edit)
		present.hear(present.engine.Tick(end))
		edit.hear(edit.engine.Tick(end))
	}
	if r.Readings == 0 {
		return nil, fmt.Errorf("no reading of %s is in the store from %s to %s: ask for a time in which its gateways were sending, within what the store keeps (series.retention): %w",
			q.Plant.Factory, clock(q.From), clock(q.To), safety.ErrNoData)
	}
	r.Gaps = cover.gaps()
	r.compare(present.points, edit.points, told(q.Told))
	return r, nil
}

// permitted gives both sides the permits that begin by at and returns the rest,
// which are in order of their begin. Rules that no permit covers take none.
func permitted(left []safety.PermitRecord, at time.Time, sides ...*side) []safety.PermitRecord {
	for len(left) > 0 && !left[0].From.After(at) {
		p := left[0].Permit
		p.Until = left[0].End()
		for _, s := range sides {
			if ts, err := s.engine.Permit(p, p.From); err == nil {
				s.hear(ts)
			}
		}
		left = left[1:]
	}
	return left
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// side is one set of rules at work.
type side struct {
	engine *rules.Engine
	points map[string]*point
}

// point is what was said of one point.
type point struct {
	safety.Transition // the newest
	spans             []Span
	on                bool
}

// newSide binds rules to the plant as if one gateway read all of it: readings
// come in order here.
func newSide(what string, packs []rules.Pack, plant rules.Plant) (*side, error) {
	plant.Sensors = slices.Clone(plant.Sensors)
	for i := range plant.Sensors {
		plant.Sensors[i].Gateway = ""
	}
	engine, err := rules.New(packs, plant, rules.Gateway|rules.Server, safety.ServerSource)
	if err != nil {
		return nil, fmt.Errorf("the %s do not fit the site: %w", what, err)
	}
	return &side{engine: engine, points: map[string]*point{}}, nil
}

func (s *side) unbound() []string { return s.engine.Unbound() }

func (s *side) observe(r safety.Reading) { s.hear(s.engine.Observe(r)) }

func (s *side) hear(ts []safety.Transition) {
	for _, t := range ts {
		hear(s.points, t)
	}
}

// hear follows one transition.
func hear(points map[string]*point, t safety.Transition) {
	p := points[t.Point]
	if p == nil {
		p = &point{}
		points[t.Point] = p
	}
	p.Transition = t
	switch {
	case t.To == safety.Firing && !p.on:
		p.on, p.spans = true, append(p.spans, Span{From: t.At})
	case p.on && t.To != safety.Firing && t.To != safety.Unknown:
		p.on = false
		p.spans[len(p.spans)-1].To = t.At
	}
}
