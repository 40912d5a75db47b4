package rules

import (
	"math"

	"nirapod/safety"
)

// Names of the ends of a count in the evidence.
const (
	atLeast = "people_at_least"
	atMost  = "people_at_most"
)

// counters are the slots of a zone's counters: low and high ends.
type counters struct{ low, high int }

func (l *lowerer) counters() counters {
	l.uses.live = true
	return counters{l.list(safety.People), l.list(safety.PeopleHigh)}
}

// people returns how many are in the zone: at least the highest of the low
// ends, because what one counter vouches for is there; at most the sum of the
// high ends, because two counters may have counted different people. A counter
// that is not known bounds nothing from above, and neither does a zone without.
func (c counters) people(v *view) span {
	out := span{0, 0}
	for _, s := range v.in.lists[c.low] {
		if v.sees(s.trust(v.late == s)) {
			out.lo = max(out.lo, s.value)
		}
	}
	known := len(v.in.lists[c.high]) > 0
	for _, s := range v.in.lists[c.high] {
		if !v.sees(s.trust(v.late == s)) {
			known = false
			continue
		}
		out.hi += s.value
	}
	if !known {
		out.hi = math.Inf(1)
	}
	out.hi = max(out.hi, out.lo) // two counters that disagree
	return out
}

func (c counters) why(v *view, found *evidence) {
	for _, list := range [...]int{c.low, c.high} {
		for _, s := range v.in.lists[list] {
			if s.trust(v.late == s) != none {
				found.add(s, s.flags)
			}
		}
	}
	people := c.people(v)
	found.note(atLeast, people.lo)
	if !math.IsInf(people.hi, 1) {
		found.note(atMost, people.hi)
	}
}

// occupancy is how many people are in the zone.
func (l *lowerer) occupancy() number {
	c := l.counters()
	return number{eval: c.people, why: c.why, unit: "count", plain: true, text: "occupancy"}
}

// density is how many people are on a square metre of the zone, on the average:
// somewhere in it they stand closer.
func (l *lowerer) density() number {
	c := l.counters()
	l.uses.place.area = true
	return number{
		eval: func(v *view) span {
			people, area := c.people(v), v.in.zone.Area
			if area <= 0 {
				return anything
			}
			return span{people.lo / area, people.hi / area}
		},
		why: func(v *view, found *evidence) {
			c.why(v, found)
			if area := v.in.zone.Area; area > 0 {
				found.note("density", c.people(v).lo/area)
			}
		},
		unit: "1/m2",
		text: "density",
	}
}

// occupied is true unless every counter of the zone is trusted and says that at
// most nobody is there. It is never unknown: unknown means occupied.
func (l *lowerer) occupied() cond {
	c := l.counters()
	return cond{
		eval: func(v *view) truth {
			careful, doubt := v.careful, v.doubt
			v.careful = true
			empty := c.people(v).hi < 1
			v.careful, v.doubt = careful, doubt
			return truthOf(!empty)
		},
		why:  func(v *view, _ bool, found *evidence) { c.why(v, found) },
		text: "occupied",
	}
}

// employed is how many workers the site says are employed in the zone in a
// shift: what section 56 speaks of.
func (l *lowerer) employed() number {
	l.uses.place.employed = true
	return noted("employed", "count", func(v *view) span {
		if v.in.zone.Employed == 0 {
			return anything
		}
		return exactly(float64(v.in.zone.Employed))
	})
}
