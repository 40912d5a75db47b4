package rules

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"github.com/expr-lang/expr/checker"

	"nirapod/safety"
)

// member is what a condition can ask of one sensor of a quantity, written
// with a dot inside any, all, none and count. expr reads the types from it;
// values are never put in but by the differential fuzz.
type member struct {
	Value       float64              `expr:"value"`
	Mean        func(string) float64 `expr:"mean"`
	Min         func(string) float64 `expr:"min"`
	Max         func(string) float64 `expr:"max"`
	Rise        func(string) float64 `expr:"rise"`
	Slope       func(string) float64 `expr:"slope"`
	TWA         func(string) float64 `expr:"twa"`
	STEL        func(string) float64 `expr:"stel"`
	CountAbove  aboveFunc            `expr:"count_above"`
	Dose        doseFunc             `expr:"dose"`
	Age         float64              `expr:"age"`
	Known       bool                 `expr:"known"`
	Bad         bool                 `expr:"bad"`
	Stale       bool                 `expr:"stale"`
	Quarantined bool                 `expr:"quarantined"`
	Missing     bool                 `expr:"missing"`
	Blind       bool                 `expr:"blind"`
	BadPolls    float64              `expr:"bad_polls"`
	Reason      string               `expr:"reason"`
	Suffix      string               `expr:"suffix"`

	papersOfMember
}

type aboveFunc = func(length string, limit float64) float64

type doseFunc = func(length string, criterion, exchange float64) float64

var windowNames = []string{"mean", "min", "max", riseName, slopeName}

// quantities lists every quantity by name.
var quantities = slices.Sorted(maps.Keys(physics))

// kept are the builtins of expr that have a lowering.
var kept = []string{"any", "all", "none", "count", "map"}

// environment returns the names that a condition of r may use, for expr.
func environment(r *Rule) map[string]any {
	env := map[string]any{
		"steam_prone": false, "high_bay": false, "s56_exempt": false, "normal_max": 0.0, ratedName: 0.0,
		"acclimatised": false, leastName: func(float64) float64 { return 0 }, // for its type
		wbgtName: func(string) float64 { return 0 }, heatIndexName: func(string) float64 { return 0 }, humidexName: func(string) float64 { return 0 },
		capacityName: func(space, ceiling float64) float64 { return 0 }, // for its type
		spreadName:   func(any) float64 { return 0 },                    // likewise
	}
	for _, q := range quantities {
		env[string(q)] = []member{}
	}
	for _, l := range r.Limits {
		env[l.Name] = 0.0
	}
	placeEnvironment(r, env)
	if r.Scope == ScopeSensor {
		own := reflect.ValueOf(member{})
		for _, f := range reflect.VisibleFields(own.Type()) {
			if name := f.Tag.Get("expr"); name != "" {
				env[name] = own.FieldByIndex(f.Index).Interface()
			}
		}
	}
	return env
}

// reserved reports whether name means something in every condition, so that
// no limit can be called so.
func reserved(name string) bool {
	probe := environment(&Rule{Scope: ScopeSensor})
	probe[provedName] = false
	_, taken := probe[name]
	return taken || slices.Contains(kept, name)
}

// parse lets expr parse and check src. A mistake is a *file.Error.
func parse(src string, env map[string]any) (ast.Node, error) {
	config := conf.New(env)
	config.Expect = reflect.Bool
	for name := range config.Builtins {
		if !slices.Contains(kept, name) {
			config.Disabled[name] = true
			delete(config.Builtins, name)
		}
	}
	tree, err := parser.ParseWithConfig(src, config)
	if err != nil {
		return nil, err
	}
	if _, err := checker.Check(tree, config); err != nil {
		return nil, err
	}
	return tree.Node, nil
}

// unitOfRise returns the unit of a change per minute.
func unitOfRise(u string) string { return unitOfDifference(u) + "/min" }

func unitOfDifference(u string) string {
	if u == "Cel" {
		return "K"
	}
	return u
}

// knownUnit reports whether a limit may have unit u: the unit of a quantity,
// of its difference or rise, of an age, a count, a ratio, a room, a way out or
// an exchange rate of noise.
func knownUnit(u string) bool {
	if slices.Contains([]string{"s", "count", "1", "m", "m3", "mm", "d", "1/m2", "dB"}, u) {
		return true
	}
	for _, q := range quantities {
		if of := string(q.Unit()); u == of || u == unitOfDifference(of) || u == unitOfRise(of) {
			return true
		}
	}
	return false
}

// parseWindow reads the length of a window, such as "60s".
func parseWindow(s string) (time.Duration, bool) {
	d, err := time.ParseDuration(s)
	if err != nil || d < minWindow || d > maxWindow || d%time.Millisecond != 0 {
		return 0, false
	}
	return d, true
}

// commonUnit returns the unit that all of qs have, or "".
func commonUnit(qs []safety.Quantity) string {
	unit := ""
	for i, q := range qs {
		u := string(q.Unit())
		if i > 0 && u != unit {
			return ""
		}
		unit = u
	}
	return unit
}

func isQuantity(name string) bool {
	_, ok := slices.BinarySearch(quantities, safety.Quantity(strings.TrimSpace(name)))
	return ok
}
