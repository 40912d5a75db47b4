package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"nirapod/rules"
)

// speaker turns conditions into words and remembers what they read.
type speaker struct {
	limits  map[string]rules.Limit
	unknown []string
}

// condition says an expression in words. One that does not parse is said as
// it stands: packs are loaded before they are explained.
func (s *speaker) condition(src string) string {
	tree, err := parser.Parse(src)
	if err != nil {
		return src
	}
	return s.say(tree.Node)
}

func (s *speaker) unknowns() []string { return s.unknown }

func (s *speaker) may(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.unknown, text) {
		s.unknown = append(s.unknown, text)
	}
}

var operators = map[string]string{
	"&&": "and", "||": "or", "and": "and", "or": "or",
	">=": "is at least", ">": "is more than", "<=": "is at most", "<": "is less than", "==": "is", "!=": "is not",
	"+": "plus", "-": "less", "*": "times", "/": "divided by",
}

func (s *speaker) say(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BinaryNode:
		return s.bracketed(n, n.Left) + " " + operators[n.Operator] + " " + s.bracketed(n, n.Right)
	case *ast.UnaryNode:
		if n.Operator == "-" {
			return "minus " + s.say(n.Node)
		}
		return "not (" + s.say(n.Node) + ")"
	case *ast.IdentifierNode:
		return s.name(n.Value)
	case *ast.MemberNode:
		if p, ok := n.Property.(*ast.StringNode); ok {
			return s.name(p.Value)
		}
	case *ast.CallNode:
		return s.call(called(n), n.Arguments)
	case *ast.BuiltinNode:
		if windows[n.Name] != "" {
			return s.call(n.Name, n.Arguments)
		}
		return s.over(n)
	case *ast.PredicateNode:
		return s.say(n.Node)
	case *ast.StringNode:
		return n.Value
	}
	return n.String()
}

// bracketed keeps "and" and "or" apart.
func (s *speaker) bracketed(outer *ast.BinaryNode, n ast.Node) string {
	text := s.say(n)
	inner, isBinary := n.(*ast.BinaryNode)
	if isBinary && (operators[inner.Operator] == "and" || operators[inner.Operator] == "or") && inner.Operator != outer.Operator {
		return "(" + text + ")"
	}
	return text
}

var names = map[string]string{
	"value": "its newest value", "age": "the time since its newest reading", "bad_polls": "its run of bad readings",
	"known": "it has a value", "bad": "it is bad", "stale": "it is silent", "missing": "it is silent while its gateway runs", "quarantined": "it has not proved itself since a fault",
	"blind": "an alarm rule cannot see because of it", "reason": "the reason why it is not good",
	"acclimatised": "those who work in the zone are used to its heat", "steam_prone": "the zone is steam-prone", "high_bay": "the zone is a high bay", "s56_exempt": "the zone is exempt from s.56",
	"normal_max": "the zone's normal maximum", "rated_pressure": "what the boiler of the zone is rated for", "suffix": "its EN 54-5 suffix",
}

func (s *speaker) name(name string) string {
	if text, ok := ofPlace[name]; ok {
		if why := placeUnknown[name]; why != "" {
			s.may("%s", why)
		}
		return text
	}
	switch name {
	case "value":
		s.may("the newest reading is bad, or older than three periods (3 s at least)")
	case "normal_max":
		s.may("the zone does not say its normal maximum")
	}
	if text, ok := names[name]; ok {
		return text
	}
	if l, ok := s.limits[name]; ok {
		if l.ByClass != nil {
			s.may("the sensor has no EN 54-5 class")
		}
		if l.ByWork != nil {
			s.may("the zone does not say its metabolic class")
		}
		return name + " (" + figure(l) + ")"
	}
	return name
}

var windows = map[string]string{
	"mean": "its mean over", "min": "its least over", "max": "its most over", "rise": "how fast it rises over", "slope": "how fast its straight line rises over",
}

var sums = map[string]string{
	"twa": "its average of a shift (the sum by 8 hours) over", "stel": "its average over", "dose": "the noise dose at its place, by criterion and exchange rate, over",
}

var climates = map[string]string{
	"wbgt": "the wet-bulb globe temperature where people work, averaged over", "heat_index": "the heat index of air and humidity, averaged over",
	"humidex": "the humidex of air and humidity, averaged over",
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func called(n *ast.CallNode) string {
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		return callee.Value
	case *ast.MemberNode:
		return strings.Trim(callee.Property.String(), `"`)
	}
	return ""
}

func (s *speaker) call(name string, arguments []ast.Node) string {
	var args []string
	for _, a := range arguments {
		args = append(args, s.say(a))
	}
	list := strings.Join(args, ", ")
	switch {
	case windows[name] != "":
		s.may("fewer than 75 %% of the readings of the last %s are there, or none for three periods", list)
		return windows[name] + " " + list
	case name == "count_above":
		s.may("so many readings of the last %s are missing that it depends on them", first(args))
		return "the number of its readings above " + strings.Join(args[1:], "") + " over " + first(args)
	case sums[name] != "":
		s.may("more than a quarter of the minutes of %s are missing and what is known of them is not enough to raise, or the newest reading is not believed", first(args))
		return sums[name] + " " + list
	case climates[name] != "":
		s.may("less than 75 %% of the minutes of %s are known of a sensor of the zone that should say; and it is never known to be below anything without a globe or a wet bulb", list)
		return climates[name] + " " + list
	case name == "least":
		return "the least that can be, of " + list
	case ofExits[name] != "":
		s.may("it hangs on a lock that cannot be read")
		return ofExits[name] + ", at " + list + " for each person, by an estimate"
	case name == "spread":
		s.may("fewer than two sensors of the zone have a value; and it is never known to be small while one has none")
		return "the highest of the zone, less the mean of the others, of " + list
	case name == "capacity":
		s.may("the zone has neither a posted maximum nor an area and a height")
		return "the room's capacity at " + list
	}
	return name + " of " + list
}

// over says any, all, none, count and map over the sensors of a quantity.
func (s *speaker) over(n *ast.BuiltinNode) string {
	quantity, body := s.say(n.Arguments[0]), ""
	if len(n.Arguments) > 1 {
		body = s.say(n.Arguments[1])
	}
	if n.Name == "map" {
		return body + ", for each sensor of " + quantity
	}
	s.may("it hangs on a sensor of %s that is unknown", quantity)
	switch n.Name {
	case "any":
		return "of some sensor of " + quantity + ": (" + body + ")"
	case "all":
		return "of every sensor of " + quantity + ": (" + body + ")"
	case "none":
		return "of no sensor of " + quantity + ": (" + body + ")"
	}
	return "the number of sensors of " + quantity + " with (" + body + ")"
}
