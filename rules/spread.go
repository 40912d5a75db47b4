package rules

import (
	"fmt"
	"math"

	"github.com/expr-lang/expr/ast"
)

const spreadName = "spread"

// spread lowers spread(map(quantity, number)): how far the highest of the
// zone's sensors is above the mean of the others. A sensor whose number is not
// known may be the highest, so the spread is never known to be small; and it
// may be as high as the highest, which bounds it from below. Unknown with
// fewer than two known.
func (l *lowerer) spread(n *ast.CallNode) number {
	list, isMap := n.Arguments[0].(*ast.BuiltinNode)
	if !isMap || list.Name != "map" {
		l.refuse(n, "spread wants the sensors and a number of each: spread(map(temperature, .value))")
		return noNumber
	}
	slot, body, ok := l.each(list)
	if !ok {
		return noNumber
	}
	of := l.number(body)
	l.member = ""
	if of.unit == bad {
		return noNumber
	}
	out := number{
		unit: unitOfDifference(of.unit),
		text: fmt.Sprintf("(spread %s %s)", l.uses.lists[slot], of.text),
	}
	out.eval = func(v *view) span {
		own, top, sum, known := v.cur, math.Inf(-1), 0.0, 0
		for _, v.cur = range v.in.lists[slot] {
			if x := of.eval(v); x.known() {
				top, sum, known = max(top, x.lo), sum+x.lo, known+1
			}
		}
		v.cur = own
		return spreadOf(top, sum, known, len(v.in.lists[slot]))
	}
	out.why = func(v *view, found *evidence) {
		own, top := v.cur, math.Inf(-1)
		for _, s := range v.in.lists[slot] {
			v.cur = s
			if x := of.eval(v); x.known() && x.lo > top {
				top, own = x.lo, s
			}
		}
		if v.cur = own; !math.IsInf(top, -1) {
			of.why(v, found)
		}
		v.cur = v.in.own
		if s := out.eval(v); !math.IsInf(s.lo, 0) {
			found.note(fmt.Sprintf("%s(%s)", spreadName, l.uses.lists[slot]), s.lo)
		}
	}
	return out
}

// spreadOf returns top less the mean of the others, of which some are not
// known: at least as if those were as high as top.
func spreadOf(top, sum float64, known, all int) span {
	if known < 2 {
		return anything
	}
	least := (float64(known)*top - sum) / float64(all-1)
	if known < all {
		return span{least, math.Inf(1)}
	}
	return exactly(least)
}
