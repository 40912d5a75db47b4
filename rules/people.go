package rules

import (
	"math"

	"nirapod/safety"
)

// Names of the ends of a count, in conditions and in the evidence.
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

// least returns the low end: at least the highest of the counters' low ends,
// because what one counter vouches for is there. Nothing vouches for anybody in a
// zone without a counter. Of one that is not known it may be any more.
func (c counters) least(v *view) span {
	out := span{}
	for _, s := range v.in.lists[c.low] {
		if !v.sees(s.trust(v.late == s)) {
			out.hi = math.Inf(1)
			continue
		}
		out.lo = max(out.lo, s.value)
	}
	out.hi = max(out.hi, out.lo)
	return out
}

// most returns the high end: the sum of the counters' high ends, because two
// counters may have counted different people. Unknown with one that is not
// known, and without any.
func (c counters) most(v *view) span {
	if len(v.in.lists[c.high]) == 0 {
		return anything
	}
	sum := 0.0
	for _, s := range v.in.lists[c.high] {
		if !v.sees(s.trust(v.late == s)) {
			return anything
		}
		sum += s.value
	}
	return exactly(sum)
}

func (c counters) why(v *view, found *evidence) {
	for _, list := range [...]int{c.low, c.high} {
		for _, s := range v.in.lists[list] {
			if s.trust(v.late == s) != none {
				found.add(s, s.flags)
			}
		}
	}
	found.note(atLeast, c.least(v).lo)
	if most := c.most(v); most.known() {
		found.note(atMost, most.lo)
	}
}

// atLeast and atMost are the ends of how many people are in the zone.
func (l *lowerer) atLeast() number {
	c := l.counters()
	return number{eval: c.least, why: c.why, unit: "count", plain: true, text: atLeast}
}

func (l *lowerer) atMost() number {
	c := l.counters()
	return number{eval: c.most, why: c.why, unit: "count", plain: true, text: atMost}
}

// density is how many people at least are on a square metre of the zone, on the
// average: somewhere in it they stand closer.
func (l *lowerer) density() number {
	c := l.counters()
	l.uses.place.area = true
	return number{
		eval: func(v *view) span {
			people, area := c.least(v), v.in.zone.Area
			if area <= 0 {
				return anything
			}
			return span{people.lo / area, people.hi / area}
		},
		why: func(v *view, found *evidence) {
			c.why(v, found)
			if area := v.in.zone.Area; area > 0 {
				found.note("density", c.least(v).lo/area)
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
			most := c.most(v)
			v.careful, v.doubt = careful, doubt
			return truthOf(!most.known() || most.lo >= 1)
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
