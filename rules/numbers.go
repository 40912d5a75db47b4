package rules

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/expr-lang/expr/ast"

	"nirapod/safety"
)

// bad is the unit of what was refused, so that one mistake is told once.
const bad = "?"

var noNumber = number{
	eval: func(*view) span { return anything },
	why:  func(*view, *evidence) {},
	unit: bad,
}

func (l *lowerer) number(n ast.Node) number {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return literal(float64(n.Value))
	case *ast.FloatNode:
		return literal(n.Value)
	case *ast.IdentifierNode:
		return l.named(n, n.Value)
	case *ast.MemberNode:
		if name, ok := l.ofMember(n); ok {
			return l.named(n, name)
		}
	case *ast.CallNode:
		return l.call(n)
	case *ast.BuiltinNode:
		if n.Name == "count" {
			return l.count(n)
		}
	case *ast.UnaryNode:
		if n.Operator == "-" {
			return l.minus(n)
		}
	case *ast.BinaryNode:
		return l.arithmetic(n)
	}
	l.refuse(n, "%s cannot be used as a number", describe(n))
	return noNumber
}

func literal(value float64) number {
	s := exactly(value)
	return number{
		eval:    func(*view) span { return s },
		why:     func(*view, *evidence) {},
		literal: true,
		fixed:   true,
		value:   value,
		text:    strconv.FormatFloat(value, 'g', -1, 64),
	}
}

func (l *lowerer) named(n ast.Node, name string) number {
	switch name {
	case "value":
		return l.read(n)
	case "age":
		l.uses.clock, l.uses.live = true, true
		return l.of("age", "s", func(v *view, s *sensor) span {
			if s.at == never {
				return anything
			}
			return exactly(float64(v.now-s.at) / 1000)
		})
	case "bad_polls":
		l.uses.live = true
		out := l.of("bad_polls", "count", func(_ *view, s *sensor) span { return exactly(float64(s.badPolls)) })
		out.plain = true
		return out
	case "normal_max":
		return normalMax
	case ratedName:
		l.uses.rated = true
		return rated
	}
	if of, ok := l.placeNumber(name); ok {
		return of
	}
	for i := range l.rule.Limits {
		if l.rule.Limits[i].Name == name {
			return l.limit(&l.rule.Limits[i])
		}
	}
	l.refuse(n, "%s is not a number", name)
	return noNumber
}

// normalMax is the zone's normal maximum temperature, unknown where not stated.
var normalMax = number{
	eval: func(v *view) span {
		if v.in.zone.NormalMax == 0 {
			return anything
		}
		return exactly(v.in.zone.NormalMax)
	},
	why:  func(v *view, found *evidence) { found.note("normal_max", v.in.zone.NormalMax) },
	unit: "Cel",
	text: "normal_max",
}

// of is a number that is asked of the current sensor.
func (l *lowerer) of(name, unit string, ask func(*view, *sensor) span) number {
	return number{
		eval: func(v *view) span { return ask(v, v.cur) },
		why: func(v *view, found *evidence) {
			found.add(v.cur, v.cur.flags)
			found.read(v, name, ask(v, v.cur))
		},
		unit: unit,
		text: l.subject() + name,
	}
}

// measured returns the quantities and the unit of what is being asked.
func (l *lowerer) measured(n ast.Node, name string) ([]safety.Quantity, string, bool) {
	qs := l.rule.Quantities
	if l.member != "" {
		if _, own := n.(*ast.IdentifierNode); own {
			l.refuse(n, "inside a predicate write .%s for the sensor it is asked of", name)
			return nil, bad, false
		}
		qs = []safety.Quantity{l.member}
	}
	unit := commonUnit(qs)
	if unit == "" {
		l.refuse(n, "%s has no unit here: the rule is not about one quantity", name)
		return nil, bad, false
	}
	return qs, unit, true
}

func (l *lowerer) read(n ast.Node) number {
	qs, unit, ok := l.measured(n, "value")
	if !ok {
		return noNumber
	}
	l.uses.value, l.uses.live = true, true
	works := l.coverable(qs, true)
	out := l.of("value", unit, func(v *view, s *sensor) span {
		if !v.sees(s.trust(v.late == s)) || len(works) > 0 && s.hidden(works, v.now) {
			return anything
		}
		return exactly(s.value)
	})
	out.plain = unit == "/"
	return out
}

// call lowers what is written with arguments.
func (l *lowerer) call(n *ast.CallNode) number {
	name, at := "", n.Callee
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		name = callee.Value
	case *ast.MemberNode:
		name, _ = l.ofMember(callee)
	}
	switch {
	case name == capacityName && len(n.Arguments) == 2:
		return l.capacity(n)
	case (name == egressName || name == egressLessName) && len(n.Arguments) == 2:
		return l.egress(n, name)
	case name == spreadName && len(n.Arguments) == 1:
		return l.spread(n)
	}
	switch _, ok := climates[name]; {
	case ok && len(n.Arguments) == 1:
		return l.climate(n, name)
	case name == aboveName && len(n.Arguments) == 2:
		return l.countAbove(n, at)
	case name == leastName && len(n.Arguments) == 1:
		return l.least(n)
	}
	if how, ok := exposures[name]; ok && len(n.Arguments) == how.arguments {
		return l.exposure(n, at, name)
	}
	if !slices.Contains(windowNames, name) || len(n.Arguments) != 1 {
		l.refuse(n, "%s cannot be used as a number", describe(n))
		return noNumber
	}
	text, isText := n.Arguments[0].(*ast.StringNode)
	if !isText {
		l.refuse(n.Arguments[0], "the window must be written out, such as \"60s\"")
		return noNumber
	}
	length, ok := parseWindow(text.Value)
	if !ok {
		l.refuse(text, "window %q: want a time from %v to %v, such as \"60s\"", text.Value, minWindow, maxWindow)
		return noNumber
	}
	qs, unit, ok := l.measured(at, name)
	if !ok {
		return noNumber
	}
	if unit == "/" && (name == "mean" || steepness(name)) {
		l.refuse(n, "a switch has no %s", name)
		return noNumber
	}
	return l.window(name, unit, length, qs)
}

// steepness reports whether a statistic is one per minute.
func steepness(name string) bool { return name == riseName || name == slopeName }

func (l *lowerer) window(name, unit string, length time.Duration, qs []safety.Quantity) number {
	slot := l.slots.number(length, qs...)
	l.uses.live = true
	l.uses.value = l.uses.value || !steepness(name)
	if l.member == "" {
		l.windows = append(l.windows, length)
	} else {
		l.uses.paces = append(l.uses.paces, pace{l.member, length})
	}
	if steepness(name) {
		unit = unitOfRise(unit)
	}
	statistic := map[string]func(*window, *history, bool) span{
		"mean": (*window).mean, "min": (*window).min, "max": (*window).max, riseName: (*window).rise, slopeName: (*window).slope,
	}[name]
	label := fmt.Sprintf("%s(%v)", name, length)
	works := l.coverable(qs, !steepness(name))
	ask := func(v *view, s *sensor) span {
		w := s.history.slots[slot]
		if !v.sees(s.trust(v.late == s)) || len(works) > 0 && s.hidden(works, v.now) {
			return anything
		}
		v.doubt = v.doubt || w.doubtful()
		return statistic(w, s.history, v.careful)
	}
	out := l.of(label, unit, ask)
	out.plain = unit == "/"
	out.why = func(v *view, found *evidence) {
		found.add(v.cur, v.cur.windowFlags(v.cur.history.slots[slot]))
		found.read(v, label, ask(v, v.cur))
	}
	return out
}

// count is an interval: those known to meet the condition, to those that may.
func (l *lowerer) count(n *ast.BuiltinNode) number {
	slot, pred, ok := l.predicate(n)
	if !ok {
		return noNumber
	}
	quantity := l.uses.lists[slot]
	tally := func(v *view) span {
		own, out := v.cur, span{}
		for _, v.cur = range v.in.lists[slot] {
			switch pred.eval(v) {
			case yes:
				out.lo++
				out.hi++
			case unknown:
				out.hi++
			}
		}
		v.cur = own
		return out
	}
	return number{
		eval:  tally,
		unit:  "count",
		plain: true,
		text:  fmt.Sprintf("(count %s %s)", quantity, pred.text),
		why: func(v *view, found *evidence) {
			own := v.cur
			for _, v.cur = range v.in.lists[slot] {
				if pred.eval(v) == yes {
					pred.why(v, true, found)
				}
			}
			v.cur = own
			found.note(fmt.Sprintf("count(%s)", quantity), tally(v).lo)
		},
	}
}
