package rules

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

var limitName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// limits reads the named figures of a rule. A figure without a unit, a
// source and a confidence is not a limit.
func (f fields) limits() []Limit {
	n := f.of["limits"]
	if n == nil {
		return nil
	}
	var out []Limit
	all := f.src.mapping(n, "limits")
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if all.of[key.Value] != n.Content[i+1] {
			continue // told already
		}
		out = append(out, f.src.limit(key, n.Content[i+1]))
	}
	return out
}

func (s *source) limit(key, n *yaml.Node) Limit {
	l := Limit{Name: key.Value}
	switch {
	case !limitName.MatchString(l.Name):
		s.wrong(key, "limit %q: small letters, digits and underscores", l.Name)
	case reserved(l.Name):
		s.wrong(key, "limit %q: the name means something else in conditions", l.Name)
	}
	f := s.mapping(n, "limit "+l.Name, "value", "by_class", "by_metabolic_class", "unit", "source", "clause", "confidence")
	l.Source, l.Clause = f.text("source"), f.text("clause")
	l.Confidence = oneOf(f, "confidence", Verified, Secondary, Recalled, Inferred, Chosen)
	l.Unit = f.text("unit")
	if l.Unit != "" && !knownUnit(l.Unit) {
		s.wrong(f.of["unit"], "unit %q is not known", l.Unit)
		l.Unit = ""
	}
	l.Unit = cmp.Or(l.Unit, bad) // told here: not again in every comparison
	value, byClass, byWork := f.of["value"], f.of["by_class"], f.of["by_metabolic_class"]
	switch {
	case value != nil && byClass == nil && byWork == nil:
		l.Value = s.figure(value)
	case byClass != nil && value == nil && byWork == nil:
		l.ByClass = s.tabled(byClass, "by_class", classes[:])
	case byWork != nil && value == nil && byClass == nil:
		l.ByWork = s.tabled(byWork, "by_metabolic_class", works[:])
	default:
		s.wrong(n, "limit %s wants either value, by_class or by_metabolic_class", l.Name)
	}
	return l
}

func (s *source) tabled(n *yaml.Node, name string, keys []string) map[string]float64 {
	out := map[string]float64{}
	for key, v := range s.mapping(n, name, keys...).of {
		out[key] = s.figure(v)
	}
	if len(out) == 0 {
		s.wrong(n, "%s is empty", name)
	}
	return out
}

func (s *source) figure(n *yaml.Node) float64 {
	v, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || math.IsNaN(v) || math.IsInf(v, 0) || slices.Contains([]string{"!!str", "!!bool"}, n.Tag) {
		s.wrong(n, "%q is not a number", n.Value)
		return 0
	}
	return v
}
