package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nirapod/safety"
)

// bound is a rule lowered for one engine.
type bound struct {
	*Rule
	pack        string
	when        cond
	reset       *cond
	steps       []cond
	delay       *cond
	requires    *cond
	uses        uses
	windows     []time.Duration // asked of the own sensor
	fill        int64           // ms: the longest of them in the condition
	ends        bool            // its reset may end it while the condition is unknown
	fingerprint string
}

// binder builds an engine and collects what is wrong with the site.
type binder struct {
	engine   *Engine
	slots    *slots
	places   map[string]*place
	order    []*place // as the site lists them
	mistakes []error
	told     map[string]bool // of engine.unbound
}

func (b *binder) wrong(format string, args ...any) {
	b.mistakes = append(b.mistakes, fmt.Errorf(format+": %w", append(args, safety.ErrInvalid)...))
}

// New binds packs to a plant. source is the gateway's id or
// safety.ServerSource; runs says which rules are taken. The packs stay as they
// are: engines of several plants may share them. All mistakes are returned at once, joined, each wrapping safety.ErrInvalid.
func New(packs []Pack, plant Plant, runs RunsOn, source string) (*Engine, error) {
	b := &binder{slots: newSlots(), places: map[string]*place{}, told: map[string]bool{}, engine: &Engine{
		factory: plant.Factory, source: source,
		sensors: map[string]*sensor{},
		start:   never, now: never, horizon: never,
	}}
	b.engine.view.site = b.engine
	packs, _ = Own(packs, plant.Limits, func(i int, field, text string) { b.wrong("limits[%d].%s: %s", i, field, text) })
	rules := b.lowerAll(packs, runs)
	b.addPlaces(plant)
	b.addSensors(plant.Sensors, plant.Together)
	b.linkPeers()
	b.premises(plant)
	for _, r := range rules {
		switch r.Scope {
		case ScopeSensor:
			b.bindSensors(r)
		case ScopeExit:
			b.bindExits(r)
		default:
			b.bindZones(r)
		}
	}
	if len(b.mistakes) > 0 {
		return nil, errors.Join(b.mistakes...)
	}
	b.finish(rules)
	return b.engine, nil
}

func (b *binder) lowerAll(packs []Pack, runs RunsOn) []*bound {
	var out []*bound
	for p := range packs {
		for i := range packs[p].Rules {
			r := &packs[p].Rules[i]
			if r.Runs&runs == 0 {
				continue
			}
			l, refused := lowerRule(r, b.slots)
			for _, x := range refused {
				b.wrong("rule %s: %s: %s", r.Name, x.field, x.err)
			}
			l.pack = packs[p].Name
			out = append(out, l)
		}
	}
	return out
}

func (b *binder) bindSensors(r *bound) {
	for _, s := range b.engine.order {
		if len(r.Quantities) > 0 && !slices.Contains(r.Quantities, s.spec.Quantity) {
			continue
		}
		if !r.Filter.wantsZone(s.zone) || !r.Filter.wantsSensor(s) || !b.classed(r, s) || !b.paced(r, s) || !b.minutely(r, s) || !b.measured(r, s) || !b.boilered(r, s) ||
			!compared(r, s) || !b.placed(r, s) {
			continue
		}
		in := &instance{rule: r, zone: s.zone, own: s, machine: newborn}
		in.lists = b.lists(r, s.zone)
		b.bind(in, s.spec.ID)
	}
}

func (b *binder) bindZones(r *bound) {
	for _, z := range b.order {
		if !r.Filter.wantsZone(z) || r.uses.rated && z.rated == 0 || b.leavesOutZone(r, z) {
			continue
		}
		in := &instance{rule: r, zone: z, lists: b.lists(r, z), machine: newborn}
		asksOthers := len(in.lists) == 0 // the calendar, or sensors by what the zone requires
		if asksOthers || slices.ContainsFunc(in.lists, func(list []*sensor) bool { return len(list) > 0 }) {
			b.bind(in, z.ID)
		}
	}
}

// lists finds the sensors of the zone that the condition asks, by slot. In a
// zone's rule the filter narrows them.
func (b *binder) lists(r *bound, z *place) [][]*sensor {
	out := make([][]*sensor, len(r.uses.lists))
	for slot, q := range r.uses.lists {
		for _, s := range z.sensors[q] {
			if r.Scope == ScopeZone && !r.Filter.wantsSensor(s) {
				continue
			}
			if q != safety.Temperature || b.classed(r, s) {
				out[slot] = append(out[slot], s)
				b.keepsPace(r, s)
			}
		}
	}
	return out
}

func (b *binder) bind(in *instance, scope string) {
	if !b.climated(in) {
		return
	}
	b.meters(in)
	if in.turn = in.rule.firstTurn(); in.turn != noTurn {
		b.engine.mayTurn(in)
	}
	in.key, _ = keyOf(safety.PointID(b.engine.factory, in.rule.Name, scope))
	if req := in.rule.requires; req != nil {
		v := view{site: b.engine, in: in, cur: in.own}
		if req.eval(&v) == no {
			b.wrong("rule %s at %s: its requirement %q is not met: zone %s, normal maximum %g °C, sensor class %q",
				in.rule.Name, scope, in.rule.Requires, in.zone.ID, in.zone.NormalMax, in.class())
		}
	}
	b.engine.instances = append(b.engine.instances, in)
	b.engine.points = append(b.engine.points, in)
}

func (in *instance) class() string {
	if in.own == nil {
		return ""
	}
	return in.own.spec.Class
}

// classed refuses or leaves out a sensor whose class a table of limits lacks.
func (b *binder) classed(r *bound, s *sensor) bool {
	for _, l := range r.Limits {
		if l.ByClass == nil {
			continue
		}
		if s.class != noClass {
			if _, ok := l.ByClass[classes[s.class]]; ok {
				continue
			}
		}
		if s.spec.LifeSafety || s.spec.Class != "" {
			b.wrong("sensor %s: rule %s has no %s for class %q", s.spec.ID, r.Name, l.Name, s.spec.Class)
		} else {
			b.leaveOut(r, s, "it has no EN 54-5 class")
		}
		return false
	}
	return true
}

// paced leaves out a sensor that is too slow for the rule's windows.
func (b *binder) paced(r *bound, s *sensor) bool {
	for _, d := range r.windows {
		if !fits(s.spec.Period, d) {
			b.leaveOut(r, s, fmt.Sprintf("a reading every %v is too few for a window of %v", s.spec.Period, d))
			return false
		}
	}
	return true
}

// measured leaves out a sensor whose zone has no size that the rule asks for.
func (b *binder) measured(r *bound, s *sensor) bool {
	if !r.uses.room || s.zone.PostedMaximum > 0 || s.zone.Area > 0 && s.zone.Height > 0 {
		return true
	}
	b.leaveOut(r, s, "zone "+s.zone.ID+" says neither its posted maximum nor its area and height")
	return false
}

// keepsPace tells of a sensor among those of a zone that is too slow for what
// the rule asks of it: it stays in the list, unknown for good.
func (b *binder) keepsPace(r *bound, s *sensor) {
	for _, p := range r.uses.paces {
		if p.quantity == s.spec.Quantity && !fits(s.spec.Period, p.window) {
			b.leaveOut(r, s, fmt.Sprintf("a reading every %v is too few for a window of %v", s.spec.Period, p.window))
			return
		}
	}
}

func (b *binder) leaveOut(r *bound, s *sensor, why string) {
	b.tell(fmt.Sprintf("rule %s does not watch sensor %s: %s", r.Name, s.spec.ID, why))
}

func (b *binder) tell(text string) {
	if !b.told[text] {
		b.told[text] = true
		b.engine.unbound = append(b.engine.unbound, text)
	}
}

// finish gives every sensor its instances: rules about rules last.
func (b *binder) finish(rules []*bound) {
	e := b.engine
	slices.SortStableFunc(e.instances, func(x, y *instance) int {
		return int(truthOf(x.rule.uses.meta)) - int(truthOf(y.rule.uses.meta)) // no before yes
	})
	for i, in := range e.instances {
		in.order = int32(i)
		for _, s := range in.reads() {
			s.instances = append(s.instances, in)
			if in.rule.uses.meta {
				s.metas = append(s.metas, in)
			}
		}
		if in.rule.uses.clock {
			e.clocked = append(e.clocked, in)
		}
	}
	e.points.sort()
	e.longest = minStale
	for _, d := range b.slots.lengths {
		e.longest = max(e.longest, d)
	}
	e.instances, e.points = slices.Clip(e.instances), slices.Clip(e.points)
	for _, s := range e.order {
		s.instances = slices.Clip(s.instances)
		e.longest = max(e.longest, time.Duration(s.staleAfter)*time.Millisecond)
	}
	var meanings []string
	for _, r := range rules {
		meanings = append(meanings, r.Name+"="+r.fingerprint)
	}
	slices.Sort(meanings)
	sum := sha256.Sum256([]byte(strings.Join(meanings, "\n")))
	e.version = hex.EncodeToString(sum[:8])
}

// reads returns the sensors whose readings the instance must follow.
func (in *instance) reads() []*sensor {
	var out []*sensor
	if in.own != nil {
		out = append(out, in.own)
	}
	for _, list := range in.lists {
		for _, s := range list {
			if s != in.own {
				out = append(out, s)
			}
		}
	}
	for _, s := range in.also() {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (f Filter) wantsZone(z *place) bool {
	return (f.SteamProne == nil || *f.SteamProne == z.SteamProne) && (f.HighBay == nil || *f.HighBay == z.HighBay)
}

func (f Filter) wantsSensor(s *sensor) bool {
	return (f.Suffix == "" || f.Suffix == s.suffix) &&
		s.spec.Grade.Rank() >= f.MinGrade.Rank() &&
		(f.LifeSafety == nil || *f.LifeSafety == s.spec.LifeSafety)
}
