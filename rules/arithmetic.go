package rules

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
)

func (l *lowerer) minus(n *ast.UnaryNode) number {
	a := l.number(n.Node)
	return number{
		eval: func(v *view) span {
			s := a.eval(v)
			return span{-s.hi, -s.lo}
		},
		why: a.why, unit: a.unit, literal: a.literal, value: -a.value,
		text: "(- " + a.text + ")",
	}
}

func (l *lowerer) arithmetic(n *ast.BinaryNode) number {
	a, b, op := l.number(n.Left), l.number(n.Right), n.Operator
	unit, ok := resultUnit(op, a, b)
	if !ok {
		if a.unit != bad && b.unit != bad {
			l.refuse(n, "%s has no meaning: %s in %q, %s in %q", describe(n), describe(n.Left), a.unit, describe(n.Right), b.unit)
		}
		return noNumber
	}
	return number{
		eval:  func(v *view) span { return calculate(op, a.eval(v), b.eval(v)) },
		why:   func(v *view, found *evidence) { a.why(v, found); b.why(v, found) },
		unit:  unit,
		plain: a.plain && b.plain && unit == "count",
		text:  fmt.Sprintf("(%s %s %s)", op, a.text, b.text),
	}
}

// resultUnit returns the unit of a op b. Differences of temperatures are in K,
// and K may be added to a temperature; a ratio has unit 1. A plain number
// would be a limit without a source.
func resultUnit(op string, a, b number) (string, bool) {
	switch {
	case a.literal || b.literal || a.unit == bad || b.unit == bad:
		return "", false
	case op == "-" && a.unit == b.unit:
		return unitOfDifference(a.unit), true
	case op == "+" && a.unit == b.unit && a.unit != "Cel":
		return a.unit, true
	case (op == "+" || op == "-") && a.unit == "Cel" && b.unit == "K":
		return "Cel", true
	case op == "+" && a.unit == "K" && b.unit == "Cel":
		return "Cel", true
	case (op == "*" || op == "/") && b.unit == "1":
		return a.unit, true
	case op == "*" && a.unit == "1":
		return b.unit, true
	case op == "/" && a.unit == b.unit:
		return "1", true
	}
	return "", false
}
