package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"pgregory.net/rapid"

	"nirapod/safety"
)

func leftOf(n ast.Node) ast.Node { return n.(*ast.BinaryNode).Left }

// plant is a zone where all is known: an own temperature sensor among three,
// and three smoke heads, each with full windows.
type plant struct {
	in      *instance
	members map[safety.Quantity][]*sensor
}

var oracleRule = Rule{
	Scope: ScopeSensor, Quantities: []safety.Quantity{safety.Temperature},
	Limits: []Limit{
		{Name: "hot", Unit: "Cel", Value: 54}, {Name: "steep", Unit: "K/min", Value: 8},
		{Name: "apart", Unit: "K", Value: 3}, {Name: "ratio", Unit: "1", Value: 1.25},
		{Name: "old", Unit: "s", Value: 2}, {Name: "classy", Unit: "Cel", ByClass: map[string]float64{"A1": 50, "B": 60}},
	},
}

func drawPlant(t *rapid.T, slots *slots) plant {
	zone := &place{Zone: &safety.Zone{ID: "z", SteamProne: rapid.Bool().Draw(t, "steam"), NormalMax: 40}}
	p := plant{members: map[safety.Quantity][]*sensor{}}
	for _, q := range []safety.Quantity{safety.Temperature, safety.Smoke} {
		for i := range 3 {
			spec := safety.Sensor{ID: fmt.Sprint(q, i), Quantity: q, Period: time.Second, Class: rapid.SampledFrom([]string{"A1R", "B"}).Draw(t, "class")}
			s := newSensor(spec, zone, slots)
			base := rapid.IntRange(40, 60).Draw(t, "base")
			for at := range 8 {
				v := float64(base + rapid.IntRange(-4, 4).Draw(t, "step"))
				if q == safety.Smoke {
					v = float64(rapid.IntRange(0, 1).Draw(t, "smoke"))
				}
				s.take(safety.Reading{Value: v, Quality: safety.Good}, int64(at)*1000)
			}
			p.members[q] = append(p.members[q], s)
		}
	}
	own := p.members[safety.Temperature][0]
	p.in = &instance{zone: zone, own: own}
	return p
}

// naive recomputes a window's statistic from the ring alone.
func naive(s *sensor, name string, length time.Duration) float64 {
	last, _ := s.history.newest()
	var sum, low, high, oldV, oldT, oldN, newV, newT, newN float64
	n := 0.0
	for i := range s.history.next {
		x := s.history.at(i)
		if x.at <= last.at-length.Milliseconds() {
			continue
		}
		v := float64(x.micro) / scale
		if n == 0 {
			low, high = v, v
		}
		n, sum, low, high = n+1, sum+v, min(low, v), max(high, v)
		if x.at <= last.at-length.Milliseconds()/2 {
			oldV, oldT, oldN = oldV+v, oldT+float64(x.at), oldN+1
		} else {
			newV, newT, newN = newV+v, newT+float64(x.at), newN+1
		}
	}
	return map[string]float64{
		"mean": sum / n, "min": low, "max": high,
		"rise": (newV/newN - oldV/oldN) / (newT/newN - oldT/oldN) * msPerMinute,
	}[name]
}

func asMember(s *sensor, now int64) member {
	of := func(name string) func(string) float64 {
		return func(length string) float64 {
			d, _ := parseWindow(length)
			return naive(s, name, d)
		}
	}
	return member{
		Value: s.value, Mean: of("mean"), Min: of("min"), Max: of("max"), Rise: of("rise"),
		Age: float64(now-s.at) / 1000, Known: true, BadPolls: float64(s.badPolls), Reason: string(s.reason),
		Suffix: s.suffix, CountAbove: func(length string, limit float64) float64 {
			d, _ := parseWindow(length)
			last, _ := s.history.newest()
			n := 0.0
			for i := range s.history.next {
				if x := s.history.at(i); x.at > last.at-d.Milliseconds() && float64(x.micro)/scale > limit {
					n++
				}
			}
			return n
		},
	}
}

// vm fills expr's own environment with what the plant knows.
func (p plant) vm(now int64) map[string]any {
	env := environment(&oracleRule)
	for q, list := range p.members {
		var out []member
		for _, s := range list {
			out = append(out, asMember(s, now))
		}
		env[string(q)] = out
	}
	own := asMember(p.in.own, now)
	env["value"], env["mean"], env["min"], env["max"], env["rise"] = own.Value, own.Mean, own.Min, own.Max, own.Rise
	env[aboveName] = own.CountAbove
	env["suffix"], env[spreadName] = own.Suffix, naiveSpread
	env["age"], env["known"], env["bad_polls"], env["reason"] = own.Age, own.Known, own.BadPolls, own.Reason
	env["steam_prone"], env["normal_max"] = p.in.zone.SteamProne, p.in.zone.NormalMax
	for _, l := range oracleRule.Limits {
		env[l.Name] = l.Value
		if l.ByClass != nil {
			env[l.Name] = l.ByClass[classes[p.in.own.class]]
		}
	}
	return env
}

// naiveSpread is the highest less the mean of the others, of a list.
func naiveSpread(list any) float64 {
	var values []float64
	for _, x := range list.([]any) {
		values = append(values, x.(float64))
	}
	slices.Sort(values)
	others, sum := values[:len(values)-1], 0.0
	for _, x := range others {
		sum += x
	}
	return values[len(values)-1] - sum/float64(len(others))
}

// drawCondition writes a condition that the language allows.
func drawCondition(t *rapid.T, depth int, dot string) string {
	atoms := []func() string{
		func() string { return drawNumber(t, dot, "Cel") + drawOp(t) + drawNumber(t, dot, "Cel") },
		func() string { return drawNumber(t, dot, "K/min") + drawOp(t) + "steep" },
		func() string { return dot + "age" + drawOp(t) + "old" },
		func() string { return dot + "known" },
		func() string {
			return dot + `count_above("8s", hot) ` + rapid.SampledFrom([]string{">=", "<", "=="}).Draw(t, "op") + fmt.Sprint(" ", rapid.IntRange(0, 5).Draw(t, "n"))
		},
		func() string { return dot + `reason == "nack"` },
		func() string { return dot + `suffix == "R"` },
		func() string { return "steam_prone" },
	}
	if dot == "" {
		atoms = append(atoms, func() string {
			return rapid.SampledFrom([]string{"any", "all", "none"}).Draw(t, "quantifier") +
				"(temperature, " + drawCondition(t, 1, ".") + ")"
		}, func() string {
			return "count(smoke, .value == 1)" + rapid.SampledFrom([]string{" == ", " != ", " >= ", " < "}).Draw(t, "op") +
				fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "k"))
		}, func() string {
			return "spread(map(temperature, " + drawNumber(t, ".", "K/min") + "))" + drawOp(t) + "steep"
		}, func() string {
			return "spread(map(temperature, " + rapid.SampledFrom([]string{".value", ".mean(\"8s\")"}).Draw(t, "of") + "))" + drawOp(t) + "apart"
		}, func() string {
			return "count(smoke, .max(\"4s\") == 1) + count(temperature, " + drawCondition(t, 0, ".") + ") >= 2"
		})
	}
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		return rapid.SampledFrom(atoms).Draw(t, "atom")()
	}
	switch rapid.IntRange(0, 3).Draw(t, "node") {
	case 0:
		return "!(" + drawCondition(t, depth-1, dot) + ")"
	case 1:
		return "(" + drawCondition(t, depth-1, dot) + " == (" + drawCondition(t, depth-1, dot) + "))"
	}
	op := rapid.SampledFrom([]string{" && ", " || ", " and ", " or "}).Draw(t, "join")
	return "(" + drawCondition(t, depth-1, dot) + op + drawCondition(t, depth-1, dot) + ")"
}

func drawOp(t *rapid.T) string {
	return rapid.SampledFrom([]string{" < ", " <= ", " > ", " >= "}).Draw(t, "op")
}

func drawNumber(t *rapid.T, dot, unit string) string {
	if unit == "K/min" {
		return dot + `rise("8s")`
	}
	own := []string{"value", `mean("8s")`, `min("6s")`, `max("4s")`}
	pick := dot + rapid.SampledFrom(own).Draw(t, "own")
	switch rapid.IntRange(0, 5).Draw(t, "form") {
	case 0:
		return "hot"
	case 1:
		return "normal_max"
	case 2:
		return "(" + pick + " - apart)"
	case 3:
		return "(" + pick + " * ratio)"
	case 4:
		if dot == "" {
			return "classy"
		}
	}
	return pick
}

// Where all is known the engine says what expr's own machine says.
func TestTheMachineOfExprAgrees(t *testing.T) {
	told := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		r := oracleRule
		r.When = drawCondition(t, 3, "")
		slots := newSlots()
		b, bad := lowerRule(&r, slots)
		for _, x := range bad {
			if !strings.Contains(x.err, "it reads no sensor") {
				t.Fatalf("%s: refused: %v", r.When, x)
			}
		}
		p := drawPlant(t, slots)
		for _, q := range b.uses.lists {
			p.in.lists = append(p.in.lists, p.members[q])
		}
		p.in.rule = b
		now := p.in.own.at + int64(rapid.IntRange(0, 3000).Draw(t, "now"))
		program, err := expr.Compile(r.When, expr.Env(environment(&r)), expr.AsBool())
		if err != nil {
			t.Fatal(err)
		}
		want, err := expr.Run(program, p.vm(now))
		if err != nil {
			t.Fatal(err)
		}
		told[want.(bool)]++
		if got := b.when.eval(&view{in: p.in, cur: p.in.own, now: now}); got != truthOf(want.(bool)) {
			t.Fatalf("%s is %v, expr says %v", r.When, got, want)
		}
	})
	if !testing.Short() && (told[true] < 10 || told[false] < 10) {
		t.Errorf("the drawn conditions say little: %v", told)
	}
}

// Knowing less never turns a true into a false or back: it makes it unknown.
func TestKnowingLessSaysLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := oracleRule
		r.When = strings.ReplaceAll(drawCondition(t, 3, ""), "known", "stale")
		slots := newSlots()
		b, _ := lowerRule(&r, slots)
		p := drawPlant(t, slots)
		for _, q := range b.uses.lists {
			p.in.lists = append(p.in.lists, p.members[q])
		}
		now := p.in.own.at
		all := b.when.eval(&view{in: p.in, cur: p.in.own, now: now})
		for _, list := range p.members {
			for _, s := range list {
				if rapid.Bool().Draw(t, "lost") {
					s.quality = safety.Bad
				}
			}
		}
		some := b.when.eval(&view{in: p.in, cur: p.in.own, now: now})
		if some != unknown && some != all {
			t.Fatalf("%s: %v with all, %v with less", r.When, all, some)
		}
	})
}
