package rules

import (
	"fmt"

	"nirapod/safety"
)

// asks is what a condition asks of the place. A rule is not bound where the
// site does not say it.
type asks struct {
	calendar bool // changes with the clock alone
	shifts   bool
	hours    bool
	employed bool
	area     bool
	ways     bool
	licence  bool
	required bool
	supply   bool
	peers    bool // neighbours that can be compared
}

func (a *asks) add(b asks) {
	for _, f := range [...]struct {
		into *bool
		also bool
	}{
		{&a.calendar, b.calendar}, {&a.shifts, b.shifts}, {&a.hours, b.hours}, {&a.employed, b.employed}, {&a.area, b.area},
		{&a.ways, b.ways}, {&a.licence, b.licence}, {&a.required, b.required}, {&a.supply, b.supply}, {&a.peers, b.peers},
	} {
		*f.into = *f.into || f.also
	}
}

// placeTests are true or false of the place or, those with a dot in member, of
// a sensor's papers.
var placeTests = map[string]func(*lowerer) cond{
	"in_shift":        (*lowerer).inShift,
	"approved_hours":  (*lowerer).inHours,
	"occupied":        (*lowerer).occupied,
	"stay_out":        (*lowerer).stayOut,
	"licence_expired": (*lowerer).licenceExpired,
}

var placeNumbers = map[string]func(*lowerer) number{
	"since_shift_start": (*lowerer).sinceShiftStart,
	atLeast:             (*lowerer).atLeast,
	atMost:              (*lowerer).atMost,
	"density":           (*lowerer).density,
	"employed":          (*lowerer).employed,
	"licence_left":      (*lowerer).licenceLeft,
	"uncovered":         (*lowerer).uncovered,
}

// Only a rule about an exit may ask whether it is proved and required, and only
// one about a sensor what feeds it.
const (
	provedName    = "proved"
	requiredName  = "required"
	unpoweredName = "unpowered"
)

// placeEnvironment adds what a condition may ask of the place.
func placeEnvironment(r *Rule, env map[string]any) {
	for name := range placeTests {
		env[name] = false
	}
	for name := range placeNumbers {
		env[name] = 0.0
	}
	env[egressName] = func(level, stairs float64) float64 { return 0 } // for its type
	env[egressLessName] = env[egressName]
	if r.Scope == ScopeExit || r.Scope == "" {
		env[provedName], env[requiredName] = false, false
	}
	if r.Scope == ScopeSensor {
		env[unpoweredName] = false
	}
}

// placeTest lowers a test of the place or of a sensor's papers.
func (l *lowerer) placeTest(name string) (cond, bool) {
	if test := placeTests[name]; test != nil {
		return test(l), true
	}
	switch name {
	case provedName:
		return l.proved(), true
	case requiredName:
		return l.requiredNow(), true
	case unpoweredName:
		return l.unpowered(), true
	case "isolated", "untested":
		return l.permitTest(name), true
	}
	return l.paperTest(name)
}

func (l *lowerer) placeNumber(name string) (number, bool) {
	if of := placeNumbers[name]; of != nil {
		return of(l), true
	}
	if name == "neighbour_gap" {
		return l.neighbourGap(), true
	}
	return l.paperNumber(name)
}

// ofPlace is a test that the zone, the calendar or the site answers.
func ofPlace(text string, ask func(*view) truth) cond {
	return cond{eval: ask, why: func(*view, bool, *evidence) {}, text: text}
}

func (l *lowerer) stayOut() cond {
	return ofPlace("stay_out", func(v *view) truth { return truthOf(v.site.stayOut) })
}

// lacks says what the place does not say that the rule asks, "" if nothing.
func (b *binder) lacks(r *bound, z *place) string {
	a, c := r.uses.place, &b.engine.calendar
	switch {
	case a.shifts && len(c.shifts) == 0:
		return "the site has no shifts"
	case a.hours && len(c.hours) == 0:
		return "the site has no approved hours"
	case a.employed && z.Employed == 0:
		return "nobody is employed in zone " + z.ID
	case a.area && z.Area <= 0:
		return "zone " + z.ID + " does not say its area"
	case a.ways && len(z.ways) == 0:
		return "no exit leads from zone " + z.ID
	case a.licence && z.licensed == noBoiler:
		return "no boiler stands in zone " + z.ID
	case a.licence && z.licensed == undated:
		return "a boiler of zone " + z.ID + " does not say when its licence ends"
	case a.required && len(z.required) == 0:
		return "zone " + z.ID + " requires no detection"
	}
	return ""
}

// placed leaves out a sensor whose zone or site does not say what the rule asks.
func (b *binder) placed(r *bound, s *sensor) bool {
	why := b.lacks(r, s.zone)
	if why != "" {
		b.leaveOut(r, s, why)
	}
	return why == ""
}

// leavesOutZone leaves out a zone of which the site does not say what the rule asks.
func (b *binder) leavesOutZone(r *bound, z *place) bool {
	why := b.lacks(r, z)
	if why != "" {
		b.tell(fmt.Sprintf("rule %s does not watch zone %s: %s", r.Name, z.ID, why))
	}
	return why != ""
}

// also returns the sensors that the instance reads and that are in none of its lists.
func (in *instance) also() []*sensor {
	var out []*sensor
	uses := in.rule.uses.place
	if uses.supply && in.own != nil && in.own.mains != nil {
		for _, s := range in.own.mains.fed {
			if s.spec.Quantity == safety.Mains {
				out = append(out, s)
			}
		}
	}
	if uses.required {
		for _, need := range in.zone.required {
			out = append(out, need.by...)
		}
	}
	return out
}

// bindExits binds a rule to each exit. Its lists of doors and locks hold those
// of the exit, other lists those of the zone that it leads from.
func (b *binder) bindExits(r *bound) {
	if len(b.engine.exits) == 0 {
		b.tell(fmt.Sprintf("rule %s watches nothing: no exit is known here", r.Name))
	}
	for _, x := range b.engine.exits {
		z := b.places[x.spec.From]
		if x.spec.Kind == "window" || !r.Filter.wantsZone(z) || b.leavesOutZone(r, z) {
			continue // nobody opens a window to prove it
		}
		in := &instance{rule: r, zone: z, exit: x, machine: newborn}
		in.lists = b.lists(r, z)
		for slot, q := range r.uses.lists {
			own := map[safety.Quantity]*sensor{safety.DoorOpen: x.contact, safety.Locked: x.lock, safety.ExitConfirmed: x.confirm}
			if s, isPart := own[q]; isPart {
				if in.lists[slot] = nil; s != nil {
					in.lists[slot] = []*sensor{s}
				}
			}
		}
		b.bind(in, x.spec.ID)
	}
}
