package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"nirapod/safety"
)

// view is one look at what an instance reads.
type view struct {
	site    *Engine
	in      *instance
	cur     *sensor // the instance's own sensor, or the member a predicate asks
	careful bool    // only values of full trust are known
	doubt   bool    // a value of less than full trust was asked for
	late    *sensor // its newest reading was already stale when it came
	now     int64   // ms
}

func (v *view) sees(t trust) bool {
	if t == raiseOnly {
		v.doubt = true
		return !v.careful
	}
	return t == full
}

// cond is a lowered condition: a closure over slots, and one that says why.
type cond struct {
	eval func(*view) truth
	why  func(v *view, want bool, found *evidence)
	text string // canonical: the same for the same meaning
}

// number is a lowered numeric expression with its unit.
type number struct {
	eval    func(*view) span
	why     func(*view, *evidence)
	unit    string
	literal bool // written as a plain number: no unit, no source
	fixed   bool // always value
	plain   bool // may be compared with a plain number: counts and switches
	value   float64
	text    string
}

// uses is what a condition reads.
type uses struct {
	lists    []safety.Quantity // quantities of the zone, by slot
	value    bool              // a momentary value, own or of a member
	live     bool              // anything that changes with readings or time
	clock    bool              // age: changes without a reading
	meta     bool              // blind: changes when other rules do
	room     bool              // the capacity of the zone
	paces    []pace            // windows asked of the zone's sensors
	rated    bool              // the rated pressure of the zone's boiler
	place    asks
	minutes  []minuteAsk
	climates []string // numbers over the zone's air, by name
	least    bool     // a low end for the number
	missing  bool     // changes when a sensor is missing
}

// pace is a window asked of the sensors of a quantity.
type pace struct {
	quantity safety.Quantity
	window   time.Duration
}

// refusal is what the lowerer says no to, at a rune offset in the expression.
type refusal struct {
	offset int
	text   string
}

// lowerer turns a checked tree into closures. What has no lowering is refused.
type lowerer struct {
	rule     *Rule
	slots    *slots
	field    string          // when, reset, ...
	member   safety.Quantity // of the predicate being lowered
	uses     uses
	windows  []time.Duration // asked of the own sensor
	refusals []refusal
}

// slots numbers the window lengths in use and remembers which quantities need which.
type slots struct {
	lengths []time.Duration
	needed  map[safety.Quantity][]time.Duration
	metered []metered
	aboves  []aboves
}

func newSlots() *slots { return &slots{needed: map[safety.Quantity][]time.Duration{}} }

func (s *slots) number(d time.Duration, of ...safety.Quantity) int {
	for _, q := range of {
		if !slices.Contains(s.needed[q], d) {
			s.needed[q] = append(s.needed[q], d)
		}
	}
	if i := slices.Index(s.lengths, d); i >= 0 {
		return i
	}
	s.lengths = append(s.lengths, d)
	return len(s.lengths) - 1
}

func (l *lowerer) refuse(n ast.Node, format string, args ...any) {
	l.refusals = append(l.refusals, refusal{n.Location().From, fmt.Sprintf(format, args...)})
}

// list returns the slot of a quantity's sensors in the zone.
func (l *lowerer) list(q safety.Quantity) int {
	if i := slices.Index(l.uses.lists, q); i >= 0 {
		return i
	}
	l.uses.lists = append(l.uses.lists, q)
	return len(l.uses.lists) - 1
}

var nothing = cond{
	eval: func(*view) truth { return unknown },
	why:  func(*view, bool, *evidence) {},
}

func (l *lowerer) cond(n ast.Node) cond {
	switch n := n.(type) {
	case *ast.BoolNode:
		value := truthOf(n.Value)
		return cond{
			eval: func(*view) truth { return value },
			why:  func(*view, bool, *evidence) {},
			text: value.String(),
		}
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return negate(l.cond(n.Node))
		}
	case *ast.BinaryNode:
		return l.binary(n)
	case *ast.IdentifierNode:
		return l.test(n, n.Value)
	case *ast.MemberNode:
		if name, ok := l.ofMember(n); ok {
			return l.test(n, name)
		}
	case *ast.BuiltinNode:
		return l.quantified(n)
	}
	l.refuse(n, "%s cannot be used in a condition", describe(n))
	return nothing
}

func negate(c cond) cond {
	return cond{
		eval: func(v *view) truth { return not(c.eval(v)) },
		why:  func(v *view, want bool, found *evidence) { c.why(v, !want, found) },
		text: "(not " + c.text + ")",
	}
}

func (l *lowerer) binary(n *ast.BinaryNode) cond {
	switch n.Operator {
	case "&&", "and":
		return join(l.cond(n.Left), l.cond(n.Right), "and", and, false)
	case "||", "or":
		return join(l.cond(n.Left), l.cond(n.Right), "or", or, true)
	case "==", "!=":
		if c, ok := l.wordIs(n); ok {
			return c
		}
		if isBool(n.Left) && isBool(n.Right) {
			return l.same(n)
		}
		return l.comparison(n)
	case "<", "<=", ">", ">=":
		return l.comparison(n)
	}
	l.refuse(n, "operator %q cannot be used in a condition", n.Operator)
	return nothing
}

// join is && or ||. decisive is the value of one side that decides alone.
func join(a, b cond, name string, op func(a, b truth) truth, decisive bool) cond {
	return cond{
		eval: func(v *view) truth {
			left := a.eval(v)
			if left == truthOf(decisive) {
				return left
			}
			return op(left, b.eval(v))
		},
		why: func(v *view, want bool, found *evidence) {
			for _, side := range [...]cond{a, b} {
				if want != decisive || side.eval(v) == truthOf(want) {
					side.why(v, want, found)
				}
			}
		},
		text: canonical(name, a.text, b.text),
	}
}

// canonical writes an operation whose sides may be swapped and nested freely.
func canonical(name string, sides ...string) string {
	var parts []string
	for _, side := range sides {
		if inner, ok := strings.CutPrefix(side, "("+name+"\n"); ok {
			parts = append(parts, strings.Split(strings.TrimSuffix(inner, "\n)"), "\n")...)
			continue
		}
		parts = append(parts, strings.ReplaceAll(side, "\n", " "))
	}
	slices.Sort(parts)
	return "(" + name + "\n" + strings.Join(slices.Compact(parts), "\n") + "\n)"
}

func (l *lowerer) same(n *ast.BinaryNode) cond {
	a, b := l.cond(n.Left), l.cond(n.Right)
	c := cond{
		eval: func(v *view) truth { return iff(a.eval(v), b.eval(v)) },
		why: func(v *view, _ bool, found *evidence) {
			a.why(v, a.eval(v) == yes, found)
			b.why(v, b.eval(v) == yes, found)
		},
		text: canonical("iff", a.text, b.text),
	}
	if n.Operator == "!=" {
		return negate(c)
	}
	return c
}

// quantified is any, all or none over the sensors of a quantity.
func (l *lowerer) quantified(n *ast.BuiltinNode) cond {
	if n.Name != "any" && n.Name != "all" && n.Name != "none" {
		l.refuse(n, "%s(...) is not a condition", n.Name)
		return nothing
	}
	slot, pred, ok := l.predicate(n)
	if !ok {
		return nothing
	}
	text := fmt.Sprintf("(%%s %s %s)", l.uses.lists[slot], pred.text)
	anyOf := over(slot, pred, no, or)
	anyOf.text = fmt.Sprintf(text, "any")
	switch n.Name {
	case "any":
		return anyOf
	case "none":
		return negate(anyOf)
	}
	allOf := over(slot, pred, yes, and)
	allOf.text = fmt.Sprintf(text, "all")
	return allOf
}

// over folds a predicate over a list, from start. All of none is unknown: a
// zone without the sensor does not meet a condition about it.
func over(slot int, pred cond, start truth, op func(a, b truth) truth) cond {
	return cond{
		eval: func(v *view) truth {
			if len(v.in.lists[slot]) == 0 && start == yes {
				return unknown
			}
			own, t := v.cur, start
			for _, v.cur = range v.in.lists[slot] {
				t = op(t, pred.eval(v))
			}
			v.cur = own
			return t
		},
		why: func(v *view, want bool, found *evidence) {
			own := v.cur
			for _, v.cur = range v.in.lists[slot] {
				if pred.eval(v) == truthOf(want) {
					pred.why(v, want, found)
				}
			}
			v.cur = own
		},
	}
}

// predicate lowers the arguments (quantity, predicate) of any, all, none and count.
func (l *lowerer) predicate(n *ast.BuiltinNode) (slot int, pred cond, ok bool) {
	slot, body, ok := l.each(n)
	if !ok {
		return 0, nothing, false
	}
	pred = l.cond(body)
	l.member = ""
	return slot, pred, true
}

// each reads the arguments of what asks every sensor of a quantity. What
// follows is about one of them, until the caller clears l.member.
func (l *lowerer) each(n *ast.BuiltinNode) (slot int, body ast.Node, ok bool) {
	id, isName := n.Arguments[0].(*ast.IdentifierNode)
	if !isName || !isQuantity(id.Value) {
		l.refuse(n.Arguments[0], "%s wants a quantity, such as smoke, then a condition", n.Name)
		return 0, nil, false
	}
	if len(n.Arguments) < 2 {
		l.refuse(n, "%s(%s) wants a condition as well", n.Name, id.Value)
		return 0, nil, false
	}
	pred, isPredicate := n.Arguments[1].(*ast.PredicateNode)
	if !isPredicate || l.member != "" {
		l.refuse(n, "%s cannot be nested", n.Name)
		return 0, nil, false
	}
	l.member = safety.Quantity(id.Value)
	return l.list(l.member), pred.Node, true
}
