package rules

import (
	"math"
	"slices"

	"nirapod/safety"
)

// papers are the dates of one sensor in the site: days since 1970.
type papers struct{ calibrated, bumped, walked, life paper }

// papersOfMember is what a condition can ask of a sensor's papers and permits.
type papersOfMember struct {
	CalibrationAge float64 `expr:"calibration_age"`
	BumpAge        float64 `expr:"bump_age"`
	WalkAge        float64 `expr:"walk_age"`
	LifeLeft       float64 `expr:"life_left"`
	NeighbourGap   float64 `expr:"neighbour_gap"`
	Calibrated     bool    `expr:"calibrated"`
	BumpTested     bool    `expr:"bump_tested"`
	WalkTested     bool    `expr:"walk_tested"`
	WornOut        bool    `expr:"worn_out"`
	Isolated       bool    `expr:"isolated"`
	Untested       bool    `expr:"untested"`
}

type paper struct {
	day   int64
	known bool
}

func papersOf(s safety.Sensor) papers {
	date := func(text string) paper {
		day, known := dateOf(text)
		return paper{day, known}
	}
	return papers{date(s.Calibrated), date(s.Bumped), date(s.Walked), date(s.EndOfLife)}
}

// paperNumbers are ages and what is left, in whole days, by the days of
// Bangladesh. An age is unknown without a date, and before it.
var paperNumbers = map[string]func(papers) (p paper, left bool){
	"calibration_age": func(p papers) (paper, bool) { return p.calibrated, false },
	"bump_age":        func(p papers) (paper, bool) { return p.bumped, false },
	"walk_age":        func(p papers) (paper, bool) { return p.walked, false },
	"life_left":       func(p papers) (paper, bool) { return p.life, true },
}

// paperTests say whether a date is there and has come, and whether a sensor is
// past its end of life, which is unknown without a date.
var paperTests = map[string]func(papers) paper{
	"calibrated":  func(p papers) paper { return p.calibrated },
	"bump_tested": func(p papers) paper { return p.bumped },
	"walk_tested": func(p papers) paper { return p.walked },
	"worn_out":    func(p papers) paper { return p.life },
}

func (l *lowerer) paperNumber(name string) (number, bool) {
	of := paperNumbers[name]
	if of == nil {
		return noNumber, false
	}
	l.uses.live, l.uses.place.calendar = true, true
	return l.of(name, "d", func(v *view, s *sensor) span {
		p, left := of(s.papers)
		days := float64(dayOf(v.now) - p.day)
		switch {
		case !p.known || !left && days < 0:
			return anything
		case left:
			return exactly(-days)
		}
		return exactly(days)
	}), true
}

func (l *lowerer) paperTest(name string) (cond, bool) {
	of := paperTests[name]
	if of == nil {
		return nothing, false
	}
	l.uses.live, l.uses.place.calendar = true, true
	return cond{
		eval: func(v *view) truth {
			p := of(v.cur.papers)
			today := dayOf(v.now)
			if name == "worn_out" {
				if !p.known {
					return unknown
				}
				return truthOf(p.day < today)
			}
			return truthOf(p.known && p.day <= today)
		},
		why:  func(v *view, _ bool, found *evidence) { found.add(v.cur, v.cur.flags) },
		text: l.subject() + name,
	}, true
}

// licenceLeft is in how many days the first licence of the zone's boilers ends:
// 0 on its last day, below that it has expired.
func (l *lowerer) licenceLeft() number {
	l.uses.live, l.uses.place.calendar, l.uses.place.licence = true, true, true
	return noted("licence_left", "d", func(v *view) span {
		if v.in.zone.licensed != dated {
			return anything
		}
		return exactly(float64(v.in.zone.licence - dayOf(v.now)))
	})
}

func (l *lowerer) licenceExpired() cond {
	left := l.licenceLeft()
	return cond{
		eval: func(v *view) truth { return less(left.eval(v), exactly(0)) },
		why:  func(v *view, _ bool, found *evidence) { left.why(v, found) },
		text: "licence_expired",
	}
}

// uncovered counts the kinds of detection that the zone requires and that no
// life-safety sensor does now. One that has not spoken yet may. An isolated one
// has a watch in its place.
func (l *lowerer) uncovered() number {
	l.uses.live, l.uses.place.required = true, true
	return number{
		eval: func(v *view) span {
			out := span{}
			for _, need := range v.in.zone.required {
				switch need.done(v) {
				case no:
					out.lo++
					out.hi++
				case unknown:
					out.hi++
				}
			}
			return out
		},
		why: func(v *view, found *evidence) {
			for _, need := range v.in.zone.required {
				for _, s := range need.by {
					if s.at != never {
						found.add(s, s.flags)
					}
				}
				if need.done(v) == no {
					found.note("uncovered."+need.kind, 1)
				}
			}
		},
		unit: "count", plain: true, text: "uncovered",
	}
}

func (r requirement) done(v *view) truth {
	out := no
	for _, s := range r.by {
		switch {
		case s.trust(v.late == s) != none || s.isolatedAt(v.now) || s.badPolls == 1 && !s.stale: // one bad poll is no loss
			return yes
		case s.at == never && !s.stale:
			out = unknown
		}
	}
	return out
}

// comparedPeers bounds what a look at the neighbours costs.
const comparedPeers = 8

// neighbourGap is how far a sensor is from the median of its neighbours, in
// units of what healthy ones differ by (docs/rules.md). Unknown where none
// speaks.
func (l *lowerer) neighbourGap() number {
	l.uses.live, l.uses.place.peers = true, true
	return l.of("neighbour_gap", "1", func(v *view, s *sensor) span {
		tolerance := physics[s.spec.Quantity].tolerance
		if tolerance <= 0 || s.trust(v.late == s) != full {
			return anything
		}
		var values [comparedPeers]float64
		n := 0
		for _, peer := range s.peers {
			if peer != s && n < len(values) && peer.at != never && peer.trust(false) == full {
				values[n] = peer.value
				n++
			}
		}
		if n == 0 {
			return anything
		}
		slices.Sort(values[:n])
		median := (values[(n-1)/2] + values[n/2]) / 2
		return exactly(math.Abs(s.value-median) / tolerance)
	})
}

// compared leaves out sensors without anybody to compare with.
func compared(r *bound, s *sensor) bool {
	return !r.uses.place.peers || slices.ContainsFunc(s.peers, func(peer *sensor) bool { return peer != s }) && physics[s.spec.Quantity].tolerance > 0
}
