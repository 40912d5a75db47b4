package rules

import (
	"fmt"
	"math"

	"github.com/expr-lang/expr/ast"

	"nirapod/safety"
)

// sway is how what an expression gives moves when a limit rises.
type sway uint8

const (
	still   sway = 0
	rising  sway = 1
	falling sway = 2
	either       = rising | falling
)

func (t sway) flipped() sway {
	if t == rising || t == falling {
		return t ^ either
	}
	return t
}

// lifeSafety says whether people get out by this rule.
func (r *Rule) lifeSafety() bool {
	return r.worst() == safety.Evacuate ||
		r.Class == safety.ClassAlarm && (r.Hazard == safety.HazardFire || r.Hazard == safety.HazardGas)
}

// doubt says why a person should look again at what a site makes of a limit of
// a life-safety rule: it protects less than the pack's, or is far from it. More
// than half is far (our choice): few standards are that far apart, and slips of
// a digit are further.
func doubt(r *Rule, was, own safety.SiteLimit) string {
	if !r.lifeSafety() || own.Value == was.Value {
		return ""
	}
	raises := r.raises(own.Limit)
	switch {
	case raises == falling && own.Value > was.Value, raises == rising && own.Value < was.Value:
		return "it protects less than the pack's: people are warned later or not at all"
	case raises == either:
		return "which way protects more hangs on the place: look at the rule again"
	case math.Abs(own.Value-was.Value) > math.Abs(was.Value)/2:
		return fmt.Sprintf("it is more than half away from the pack's %s: is it a slip?", ownFigure(was))
	}
	return ""
}

// raises says whether the rule fires sooner or later when a limit rises. What
// ends it, puts it off or admits the place counts the other way round.
func (r *Rule) raises(limit string) sway {
	env := environment(r)
	of := func(src string) sway {
		if src == "" {
			return still
		}
		n, err := parse(src, env)
		if err != nil {
			return either // refused at load
		}
		return swayOf(n, limit)
	}
	out := of(r.When) | of(r.Reset).flipped() | of(r.Delay).flipped() | of(r.Requires).flipped()
	for _, s := range r.Steps {
		out |= of(s.When)
	}
	return out
}

// swayOf takes factors for positive, as measured things and limits are.
func swayOf(n ast.Node, limit string) sway {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if n.Value == limit {
			return rising
		}
	case *ast.UnaryNode:
		return swayOf(n.Node, limit).flipped()
	case *ast.BinaryNode:
		return swayOfBoth(n, limit)
	case *ast.PredicateNode:
		return swayOf(n.Node, limit)
	case *ast.BuiltinNode:
		return swayOfAll(n.Name, n.Arguments, limit)
	case *ast.CallNode:
		name, _ := n.Callee.(*ast.IdentifierNode)
		if name == nil {
			return swayOfAll("", n.Arguments, limit)
		}
		return swayOfAll(name.Value, n.Arguments, limit)
	}
	return still
}

func swayOfBoth(n *ast.BinaryNode, limit string) sway {
	left, right := swayOf(n.Left, limit), swayOf(n.Right, limit)
	switch n.Operator {
	case "&&", "||", "and", "or", "+", "*":
		return left | right
	case ">", ">=", "-", "/":
		return left | right.flipped()
	case "<", "<=":
		return left.flipped() | right
	}
	if left|right != still {
		return either
	}
	return still
}

func swayOfAll(name string, arguments []ast.Node, limit string) sway {
	out := still
	for _, a := range arguments {
		out |= swayOf(a, limit)
	}
	switch name {
	case "any", "all", "count", "map", "least", "spread":
		return out
	case "none", "count_above", "capacity":
		return out.flipped()
	}
	if out != still {
		return either
	}
	return still
}
