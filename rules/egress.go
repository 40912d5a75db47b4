package rules

import (
	"fmt"
	"math"

	"github.com/expr-lang/expr/ast"

	"nirapod/safety"
)

const (
	egressName     = "egress"
	egressLessName = "egress_less_largest"
)

// egress lowers egress(level, stairs) and egress_less_largest(level, stairs):
// an estimate of how many people the zone's exits can carry, by their clear
// width and the width that each person needs on the level and on stairs.
// Doors and gates count on the level; several exits into one stair count once,
// as stairs; roofs and windows lead nobody out. An exit that is locked does not
// count; one whose lock is not known may.
func (l *lowerer) egress(n *ast.CallNode, name string) number {
	level, stairs := l.number(n.Arguments[0]), l.number(n.Arguments[1])
	if level.unit != "mm" || stairs.unit != "mm" {
		if level.unit != bad && stairs.unit != bad {
			l.refuse(n, "%s wants the width for each person on the level and on stairs, both in mm", name)
		}
		return noNumber
	}
	l.uses.live, l.uses.place.ways = true, true
	l.list(safety.Locked) // those of the exits are in the zone
	lost := name == egressLessName
	ask := func(v *view) span { return v.capacityOfExits(level.eval(v).lo, stairs.eval(v).lo, lost) }
	return number{
		eval: ask,
		why: func(v *view, found *evidence) {
			for _, x := range v.in.zone.ways {
				if x.lock != nil && x.lock.trust(v.late == x.lock) != none {
					found.add(x.lock, x.lock.flags)
				}
			}
			for _, as := range []struct {
				name string
				lost bool
			}{{egressName, false}, {egressLessName, true}} {
				found.note(as.name, v.capacityOfExits(level.eval(v).lo, stairs.eval(v).lo, as.lost).lo)
			}
		},
		unit: "count",
		text: fmt.Sprintf("(%s %s %s)", name, level.text, stairs.text),
	}
}

// capacityOfExits is from those not locked for certain to those not known to be.
func (v *view) capacityOfExits(level, stairs float64, lost bool) span {
	return span{v.carry(level, stairs, lost, true), v.carry(level, stairs, lost, false)}
}

// carry sums what the exits of the zone carry. wary leaves out those that may be
// locked, else only those that are known to be. lost leaves out the largest.
func (v *view) carry(level, stairs float64, lost, wary bool) float64 {
	sum, largest := 0.0, 0.0
	for i, x := range v.in.zone.ways {
		people := v.carries(x, level, stairs, wary)
		for j, y := range v.in.zone.ways { // a stair counts once, by its widest door
			if x.spec.Kind == "stair" && y.spec.Kind == "stair" && x.spec.To == y.spec.To {
				if other := v.carries(y, level, stairs, wary); other > people || other == people && j < i {
					people = 0
				}
			}
		}
		sum += people
		largest = max(largest, people)
	}
	if lost {
		sum -= largest
	}
	return max(0, math.Floor(sum))
}

func (v *view) carries(x *exit, level, stairs float64, wary bool) float64 {
	if x.lock != nil {
		seen := v.sees(x.lock.trust(v.late == x.lock))
		if seen && x.lock.value == 1 || !seen && wary {
			return 0
		}
	}
	switch x.spec.Kind {
	case "door", "gate":
		return float64(x.spec.Width) / level
	case "stair":
		return float64(x.spec.Width) / stairs
	}
	return 0
}

// proved is whether the leaf swung, or a warden confirmed it at the door, since
// the newest shift began. It is never unknown but where no shift has been for
// a month: what is not proved is not proved.
func (l *lowerer) proved() cond {
	l.uses.live, l.uses.place.calendar, l.uses.place.shifts = true, true, true
	l.list(safety.DoorOpen)
	l.list(safety.ExitConfirmed)
	return cond{
		eval: func(v *view) truth {
			start := v.site.calendar.shiftStart(v.now)
			if start == never {
				return unknown
			}
			return truthOf(v.in.exit.proved >= start)
		},
		why: func(v *view, want bool, found *evidence) {
			for _, s := range [...]*sensor{v.in.exit.contact, v.in.exit.confirm} {
				if s != nil && s.at != never {
					found.add(s, s.flags)
				}
			}
			found.note(v.in.exit.spec.ID+"."+provedName, map[bool]float64{true: 1}[want])
		},
		text: provedName,
	}
}

// requiredNow is whether the exit must open now: always, by the site, or else while
// a shift works and the zone is not known to be empty.
func (l *lowerer) requiredNow() cond {
	shift, occupied := l.inShift(), l.occupied()
	return cond{
		eval: func(v *view) truth {
			if v.in.exit.spec.RequiredWhile == requiredAlways {
				return yes
			}
			return and(shift.eval(v), occupied.eval(v))
		},
		why:  occupied.why,
		text: requiredName,
	}
}

// requiredAlways is the word of the site for an exit that must open at any time.
const requiredAlways = "always"
