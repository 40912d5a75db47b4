package rules

import (
	"math"

	"github.com/expr-lang/expr/ast"
)

const capacityName = "capacity"

// capacity lowers capacity(space, ceiling): how many people the zone may hold.
// That is its posted maximum, else its volume by space for each, where height
// above ceiling does not count, rounded down. Unknown without area or height.
func (l *lowerer) capacity(n *ast.CallNode) number {
	space, ceiling := l.number(n.Arguments[0]), l.number(n.Arguments[1])
	if space.unit != "m3" || ceiling.unit != "m" {
		if space.unit != bad && ceiling.unit != bad {
			l.refuse(n, "capacity wants the space for each in m3, then the height that counts in m")
		}
		return noNumber
	}
	l.uses.room = true
	room := func(v *view) span {
		z, each, height := v.in.zone, space.eval(v), ceiling.eval(v)
		switch {
		case z.PostedMaximum > 0:
			return exactly(float64(z.PostedMaximum))
		case z.Area <= 0 || z.Height <= 0 || !each.known() || each.lo <= 0 || !height.known():
			return anything
		}
		return exactly(math.Floor(z.Area * min(z.Height, height.lo) / each.lo))
	}
	return number{
		eval: room,
		why: func(v *view, found *evidence) {
			if limit := room(v); limit.known() {
				found.note(capacityName, limit.lo)
			}
		},
		unit: "count",
		text: "(capacity " + space.text + " " + ceiling.text + ")",
	}
}
