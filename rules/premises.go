package rules

import (
	"cmp"
	"slices"

	"nirapod/safety"
)

// premises are what the rules know of the site beside its zones and sensors: the
// ways out, and what feeds the gateways.
type premises struct {
	exits    []*exit // by id
	leaves   map[*sensor][]*exit
	supplies map[string]*supply // by gateway
	stayOut  bool
	placed   bool // changed since the last Snapshot
}

// licences says what is known of the licences of a zone's boilers.
type licences uint8

const (
	noBoiler licences = iota
	undated           // of one at least the licence's end is not known
	dated
)

// requirement is one kind of detection that the zone must have, and who does it.
type requirement struct {
	kind string
	by   []*sensor
}

// exit is a way out and what watches it.
type exit struct {
	spec                   safety.Exit
	contact, confirm, lock *sensor // nil = none
	proved                 int64   // when it first was in its shift, ms
}

// sensor returns the id of what watches the exit best, "" if nothing does.
func (x *exit) sensor() string {
	for _, s := range [...]*sensor{x.contact, x.lock, x.confirm} {
		if s != nil {
			return s.spec.ID
		}
	}
	return ""
}

// supply is what a gateway's mains input last said for certain.
type supply struct {
	out  bool
	back int64 // since when it is there again, ms; never: it was not out
	fed  []*sensor
}

func (b *binder) premises(plant Plant) {
	e := b.engine
	e.calendar = b.calendar(plant.Calendar)
	e.premises = premises{
		leaves: map[*sensor][]*exit{}, supplies: map[string]*supply{}, stayOut: plant.StayOut,
	}
	for _, z := range b.order {
		z.required = required(z)
	}
	b.licences(plant.Hazards)
	for _, x := range plant.Exits {
		b.addExit(x)
	}
	slices.SortFunc(e.exits, func(x, y *exit) int { return cmp.Compare(x.spec.ID, y.spec.ID) })
	for _, c := range e.channels {
		if slices.ContainsFunc(c.sensors, func(s *sensor) bool { return s.spec.Quantity == safety.Mains }) {
			p := &supply{back: never, fed: c.sensors}
			e.supplies[c.gateway] = p
			for _, s := range c.sensors {
				s.mains = p
			}
		}
	}
}

func (b *binder) addExit(spec safety.Exit) {
	e := b.engine
	x := &exit{spec: spec, proved: never}
	from := b.places[spec.From]
	if from == nil || slices.ContainsFunc(e.exits, func(y *exit) bool { return y.spec.ID == spec.ID }) {
		b.wrong("exit %s: it stands there twice, or zone %q is not in the site", spec.ID, spec.From)
		return
	}
	for _, part := range []struct {
		id       string
		quantity safety.Quantity
		into     **sensor
	}{{spec.Sensor, safety.DoorOpen, &x.contact}, {spec.LockSensor, safety.Locked, &x.lock}, {spec.ConfirmSensor, safety.ExitConfirmed, &x.confirm}} {
		s := e.sensors[part.id]
		if part.id == "" || s == nil {
			continue // a gateway has only its own
		}
		if s.spec.Quantity != part.quantity {
			b.wrong("exit %s: sensor %s measures %s, want %s", spec.ID, part.id, s.spec.Quantity, part.quantity)
			continue
		}
		*part.into = s
		if part.quantity != safety.Locked {
			e.leaves[s] = append(e.leaves[s], x)
		}
	}
	from.ways = append(from.ways, x)
	e.exits = append(e.exits, x)
}

func (b *binder) licences(hazards []safety.Hazmat) {
	for _, h := range hazards {
		r := b.places[h.Zone]
		if h.Kind != safety.KindBoiler || r == nil {
			continue
		}
		day, known := dateOf(h.Expires)
		switch {
		case !known:
			r.licensed = undated
		case r.licensed == noBoiler:
			r.licensed, r.licence = dated, day
		default:
			r.licence = min(r.licence, day)
		}
	}
}

// required finds who does the detection that a zone needs.
func required(z *place) []requirement {
	var out []requirement
	for _, kind := range z.Required {
		r := requirement{kind: kind}
		for _, q := range safety.Detection(kind) {
			for _, s := range z.sensors[q] {
				if s.spec.LifeSafety {
					r.by = append(r.by, s)
				}
			}
		}
		out = append(out, r)
	}
	return out
}

// follow notes what a reading says of the place for longer than it is the newest:
// that an exit is proved, that the mains went or came.
func (e *Engine) follow(s *sensor, at int64) {
	if q := s.spec.Quantity; q != safety.DoorOpen && q != safety.ExitConfirmed && q != safety.Mains {
		return
	}
	if s.quality != safety.Good || s.quarantine.on {
		return
	}
	if s.spec.Quantity == safety.Mains {
		e.supplied(s.mains, s.value == 1, at)
		return
	}
	if s.value != 1 {
		return
	}
	for _, x := range e.leaves[s] {
		if start := e.calendar.shiftStart(at); start != never && x.proved < start {
			x.proved, e.placed = at, true
		}
	}
}

func (e *Engine) supplied(p *supply, there bool, at int64) {
	switch {
	case there && p.out:
		p.out, p.back, e.placed = false, at, true
	case !there && !p.out:
		p.out, e.placed = true, true
	}
}
