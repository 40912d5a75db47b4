package rules

import "math"

// truth is a truth value of Kleene's strong three-valued logic. The order is
// the logic: and is the minimum, or the maximum, not the mirror image.
type truth uint8

// The zero value is unknown so that a forgotten answer never looks quiet.
const (
	unknown truth = iota
	no
	yes
)

// rank puts the values in the order no < unknown < yes.
var rank = [...]uint8{unknown: 1, no: 0, yes: 2}

func (t truth) String() string { return [...]string{"unknown", "false", "true"}[t] }

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func and(a, b truth) truth {
	if rank[a] <= rank[b] {
		return a
	}
	return b
}

func or(a, b truth) truth {
	if rank[a] >= rank[b] {
		return a
	}
	return b
}

func not(a truth) truth {
	return [...]truth{unknown: unknown, no: yes, yes: no}[a]
}

func iff(a, b truth) truth {
	if a == unknown || b == unknown {
		return unknown
	}
	return truthOf(a == b)
}

// span is a number that is known to lie in [lo, hi]. A known number has lo ==
// hi; one of which nothing is known spans everything. So a count with unknown
// members is honest, and k-of-n needs no special case: count >= k.
type span struct{ lo, hi float64 }

var anything = span{math.Inf(-1), math.Inf(1)}

func exactly(v float64) span {
	if math.IsNaN(v) {
		return anything
	}
	return span{v, v}
}

func (a span) known() bool { return a.lo == a.hi && !math.IsInf(a.lo, 0) }

func less(a, b span) truth {
	switch {
	case a.hi < b.lo:
		return yes
	case a.lo >= b.hi:
		return no
	}
	return unknown
}

func equal(a, b span) truth {
	switch {
	case a.known() && b.known() && a.lo == b.lo:
		return yes
	case a.hi < b.lo || b.hi < a.lo:
		return no
	}
	return unknown
}

// comparisons by operator. They are looked up when a condition is lowered: each
// reading pays for what it asks only.
var comparisons = map[string]func(a, b span) truth{
	"<":  less,
	">":  func(a, b span) truth { return less(b, a) },
	"<=": func(a, b span) truth { return not(less(b, a)) },
	">=": func(a, b span) truth { return not(less(a, b)) },
	"==": equal,
	"!=": func(a, b span) truth { return not(equal(a, b)) },
}

// calculate returns a op b, and anything where the result is not a number.
func calculate(op string, a, b span) span {
	var out span
	switch op {
	case "+":
		out = span{a.lo + b.lo, a.hi + b.hi}
	case "-":
		out = span{a.lo - b.hi, a.hi - b.lo}
	case "*":
		out = corners(a, b, func(x, y float64) float64 { return x * y })
	case "/":
		if b.lo <= 0 && b.hi >= 0 {
			return anything
		}
		out = corners(a, b, func(x, y float64) float64 { return x / y })
	default:
		return anything
	}
	if math.IsNaN(out.lo) || math.IsNaN(out.hi) {
		return anything
	}
	return out
}

func corners(a, b span, op func(x, y float64) float64) span {
	p, q, r, s := op(a.lo, b.lo), op(a.lo, b.hi), op(a.hi, b.lo), op(a.hi, b.hi)
	return span{min(p, q, r, s), max(p, q, r, s)}
}
