package rules

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"nirapod/safety"
)

func isBool(n ast.Node) bool { return n.Type().Kind() == reflect.Bool }

func describe(n ast.Node) string {
	text := strings.Join(strings.Fields(n.String()), " ")
	if len(text) > 40 {
		text = text[:40] + "..."
	}
	return text
}

// ofMember returns the name in `.name` inside a predicate.
func (l *lowerer) ofMember(n *ast.MemberNode) (string, bool) {
	_, isElement := n.Node.(*ast.PointerNode)
	name, isName := n.Property.(*ast.StringNode)
	if !isElement || !isName || n.Optional {
		return "", false
	}
	return name.Value, true
}

// test lowers a name that is true or false by itself.
func (l *lowerer) test(n ast.Node, name string) cond {
	var ask func(*view, *sensor) bool
	switch name {
	case "steam_prone":
		return l.flag(name, func(z *safety.Zone) bool { return z.SteamProne })
	case "s56_exempt":
		return l.flag(name, func(z *safety.Zone) bool { return z.Exempt })
	case "acclimatised":
		return l.flag(name, func(z *safety.Zone) bool { return z.Acclimatised })
	case "high_bay":
		return l.flag(name, func(z *safety.Zone) bool { return z.HighBay })
	case "known":
		ask = func(v *view, s *sensor) bool { return v.sees(s.trust(v.late == s)) }
	case "bad":
		ask = func(_ *view, s *sensor) bool { return s.at != never && s.quality == safety.Bad }
	case "stale":
		ask = func(_ *view, s *sensor) bool { return s.stale }
	case "missing":
		l.uses.missing = true
		ask = func(_ *view, s *sensor) bool { return s.missing }
	case "quarantined":
		ask = func(_ *view, s *sensor) bool { return s.quarantine.on }
	case "blind":
		l.uses.meta = true
		ask = func(v *view, s *sensor) bool { return s.blind() && !s.excusedAt(v.now) }
	default:
		if c, ok := l.placeTest(name); ok {
			return c
		}
		l.refuse(n, "%s is not true or false", name)
		return nothing
	}
	return l.asked(name, ask)
}

func (l *lowerer) flag(name string, ask func(*safety.Zone) bool) cond {
	return cond{
		eval: func(v *view) truth { return truthOf(ask(v.in.zone.Zone)) },
		why:  func(*view, bool, *evidence) {},
		text: name,
	}
}

func (l *lowerer) asked(text string, ask func(*view, *sensor) bool) cond {
	l.uses.live = true
	return cond{
		eval: func(v *view) truth { return truthOf(ask(v, v.cur)) },
		why:  func(v *view, _ bool, found *evidence) { found.add(v.cur, v.cur.flags) },
		text: l.subject() + text,
	}
}

// subject marks in canonical text whether the own sensor or a member is asked.
func (l *lowerer) subject() string {
	if l.member != "" {
		return "."
	}
	return ""
}

// wordIs lowers reason == "word" and suffix == "R", and both with !=.
func (l *lowerer) wordIs(n *ast.BinaryNode) (cond, bool) {
	word, isWord := n.Right.(*ast.StringNode)
	name := ""
	switch left := n.Left.(type) {
	case *ast.IdentifierNode:
		name = left.Value
	case *ast.MemberNode:
		name, _ = l.ofMember(left)
	}
	var c cond
	switch {
	case isWord && name == "reason":
		c = l.reason(n, safety.Reason(word.Value))
	case isWord && name == "suffix":
		c = l.suffix(n, word.Value)
	default:
		return nothing, false
	}
	if n.Operator == "!=" {
		return negate(c), true
	}
	return c, true
}

func (l *lowerer) reason(n *ast.BinaryNode, reason safety.Reason) cond {
	if !reason.Known() {
		l.refuse(n.Right, "%q is not a reason", reason)
	}
	return l.asked("reason="+string(reason), func(_ *view, s *sensor) bool { return s.reason == reason })
}

// suffix asks for the suffix of the sensor's EN 54-5 class. It never changes.
func (l *lowerer) suffix(n *ast.BinaryNode, suffix string) cond {
	if suffix != "R" && suffix != "S" {
		l.refuse(n.Right, "%q is not a suffix of EN 54-5: R or S", suffix)
	}
	return cond{
		eval: func(v *view) truth { return truthOf(v.cur.suffix == suffix) },
		why:  func(*view, bool, *evidence) {},
		text: l.subject() + "suffix=" + suffix,
	}
}

func (l *lowerer) comparison(n *ast.BinaryNode) cond {
	a, b, op := l.number(n.Left), l.number(n.Right), n.Operator
	l.checkUnits(n, a, b)
	text := fmt.Sprintf("(%s %s %s)", op, a.text, b.text)
	if op == ">" || op == ">=" {
		text = fmt.Sprintf("(%s %s %s)", strings.Replace(op, ">", "<", 1), b.text, a.text)
	}
	compare := comparisons[op]
	eval := func(v *view) truth { return compare(a.eval(v), b.eval(v)) }
	if b.fixed {
		limit := exactly(b.value)
		eval = func(v *view) truth { return compare(a.eval(v), limit) }
	}
	return cond{
		eval: eval,
		why:  func(v *view, _ bool, found *evidence) { a.why(v, found); b.why(v, found) },
		text: text,
	}
}

func (l *lowerer) checkUnits(n *ast.BinaryNode, a, b number) {
	switch {
	case a.unit == bad || b.unit == bad: // refused already
	case a.literal && b.literal:
		l.refuse(n, "two plain numbers are compared")
	case a.literal || b.literal:
		figure, other, node := a, b, n.Left
		if b.literal {
			figure, other, node = b, a, n.Right
		}
		l.checkPlain(node, figure, other)
	case a.unit != b.unit:
		l.refuse(n, "%s is in %s, %s is in %s", describe(n.Left), a.unit, describe(n.Right), b.unit)
	case (n.Operator == "==" || n.Operator == "!=") && !a.plain && !b.plain:
		l.refuse(n, "a measured value is never exactly equal: use <, <=, > or >=")
	}
}

// checkPlain lets a plain number stand only where it counts or is a switch's state.
func (l *lowerer) checkPlain(at ast.Node, figure, other number) {
	switch {
	case !other.plain:
		l.refuse(at, "%v has no unit and no source: give it a name under limits", figure.value)
	case other.unit == "/" && figure.value != 0 && figure.value != 1:
		l.refuse(at, "a switch is 0 or 1, never %v", figure.value)
	case figure.value != math.Trunc(figure.value) || figure.value < 0:
		l.refuse(at, "a count is a whole number, never %v", figure.value)
	}
}

// limit lowers the name of a limit.
func (l *lowerer) limit(lim *Limit) number {
	out := number{unit: lim.Unit, text: strconv.FormatFloat(lim.Value, 'g', -1, 64) + "[" + lim.Unit + "]"}
	if lim.ByWork != nil {
		return workLimit(lim)
	}
	if lim.ByClass == nil {
		value := exactly(lim.Value)
		out.fixed, out.value = true, lim.Value
		out.eval = func(*view) span { return value }
		out.why = func(_ *view, found *evidence) { found.note(lim.Name, lim.Value) }
		return out
	}
	table, text := tabled(classes[:], lim.ByClass)
	out.text = text + "[" + lim.Unit + "]"
	out.eval = func(v *view) span {
		if v.cur == nil || v.cur.class == noClass {
			return anything
		}
		return table[v.cur.class]
	}
	out.why = func(v *view, found *evidence) {
		if s := out.eval(v); s.known() {
			found.note(lim.Name, s.lo)
		}
	}
	return out
}

// tabled puts values in the order of names, unknown where there is none, and
// writes them canonically.
func tabled(names []string, values map[string]float64) ([]span, string) {
	table := make([]span, len(names))
	for i, name := range names {
		table[i] = anything
		if value, ok := values[name]; ok {
			table[i] = exactly(value)
		}
	}
	var text []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text = append(text, name+"="+strconv.FormatFloat(values[name], 'g', -1, 64))
	}
	return table, "{" + strings.Join(text, ",") + "}"
}
