package rules

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strconv"
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
	site    *Engine // of the calendar only
	around  surroundings
	papers  map[*sensor]papersDrawn
}

var oracleRule = Rule{
	Scope: ScopeSensor, Quantities: []safety.Quantity{safety.Temperature},
	Limits: []Limit{
		{Name: "hot", Unit: "Cel", Value: 54}, {Name: "steep", Unit: "K/min", Value: 8},
		{Name: "apart", Unit: "K", Value: 3}, {Name: "ratio", Unit: "1", Value: 1.25},
		{Name: "due", Unit: "d", Value: 7}, {Name: "early", Unit: "s", Value: 5400}, {Name: "bars", Unit: "bar", Value: 7},
		{Name: "space", Unit: "m3", Value: 9.5}, {Name: "ceiling", Unit: "m", Value: 4.25}, {Name: "crowd", Unit: "count", Value: 40},
		{Name: "old", Unit: "s", Value: 2}, {Name: "classy", Unit: "Cel", ByClass: map[string]float64{"A1": 50, "B": 60}},
	},
}

func drawPlant(t *rapid.T, slots *slots) plant {
	around := drawSurroundings(t)
	zone, calendar := around.place(&safety.Zone{ID: "z", SteamProne: rapid.Bool().Draw(t, "steam"), HighBay: rapid.Bool().Draw(t, "bay"), Exempt: rapid.Bool().Draw(t, "exempt"), NormalMax: 40})
	p := plant{members: map[safety.Quantity][]*sensor{}, site: &Engine{turns: turns{calendar: calendar}}, around: around, papers: map[*sensor]papersDrawn{}}
	for _, q := range []safety.Quantity{safety.Temperature, safety.Smoke} {
		for i := range 3 {
			spec := safety.Sensor{ID: fmt.Sprint(q, i), Quantity: q, Period: time.Second, Class: rapid.SampledFrom([]string{"A1R", "B"}).Draw(t, "class")}
			papers := drawPapers(t, &spec, around.now)
			s := newSensor(spec, zone, slots)
			s.isolation = isolation{"p", safety.Works[0], papers.from.UnixMilli(), papers.until.UnixMilli()}
			p.papers[s] = papers
			base := rapid.IntRange(40, 60).Draw(t, "base")
			for at := range 8 {
				v := float64(base + rapid.IntRange(-4, 4).Draw(t, "step"))
				if q == safety.Smoke {
					v = float64(rapid.IntRange(0, 1).Draw(t, "smoke"))
				}
				s.take(safety.Reading{Value: v, Quality: safety.Good}, around.now.UnixMilli()+int64(at-7)*1000)
			}
			p.members[q] = append(p.members[q], s)
		}
	}
	own := p.members[safety.Temperature][0]
	p.in = &instance{zone: zone, own: own}
	return p
}

// function is one that a condition can call of a sensor: how it is written, in
// which unit it answers, and what it is by a look at all samples. A new one of
// the language is a row in functions.
type function struct {
	name, call string
	unit       string
	of         func(s *sensor, args ...string) float64
}

var functions = []function{
	{"mean", `mean("8s")`, "Cel", overWindow(func(x samples) float64 { return x.sum / x.n })},
	{"min", `min("6s")`, "Cel", overWindow(func(x samples) float64 { return x.low })},
	{"max", `max("4s")`, "Cel", overWindow(func(x samples) float64 { return x.high })},
	{"rise", `rise("8s")`, "K/min", overWindow(func(x samples) float64 {
		return (x.newV/x.newN - x.oldV/x.oldN) / (x.newT/x.newN - x.oldT/x.oldN) * msPerMinute
	})},
	{slopeName, `slope("8s")`, "K/min", leastSquares},
	{aboveName, `count_above("8s", hot)`, "count", func(s *sensor, args ...string) float64 {
		limit, _ := strconv.ParseFloat(args[1], 64)
		return float64(len(slices.DeleteFunc(valuesWithin(s, args[0]), func(v float64) bool { return v <= limit })))
	}},
}

// valuesWithin returns the values of the window of that length.
func valuesWithin(s *sensor, length string) []float64 {
	d, _ := parseWindow(length)
	last, _ := s.history.newest()
	var out []float64
	for i := range s.history.next {
		if x := s.history.at(i); x.at > last.at-d.Milliseconds() {
			out = append(out, float64(x.micro)/scale)
		}
	}
	return out
}

// leastSquares fits a line by the formula of the textbook: covariance by variance.
func leastSquares(s *sensor, args ...string) float64 {
	d, _ := parseWindow(args[0])
	last, _ := s.history.newest()
	var n, t, v, tt, tv int64
	for i := range s.history.next {
		if x := s.history.at(i); x.at > last.at-d.Milliseconds() {
			at := x.at - last.at
			n, t, v, tt, tv = n+1, t+at, v+x.micro, tt+at*at, tv+at*x.micro
		}
	}
	return float64(n*tv-t*v) / float64(n*tt-t*t) / scale * msPerMinute
}

// samples are those of a window, summed.
type samples struct{ n, sum, low, high, oldV, oldT, oldN, newV, newT, newN float64 }

// overWindow recomputes the statistic of a window from the ring alone; its length is the first argument.
func overWindow(statistic func(samples) float64) func(*sensor, ...string) float64 {
	return func(s *sensor, args ...string) float64 {
		length, _ := parseWindow(args[0])
		last, _ := s.history.newest()
		var out samples
		for i := range s.history.next {
			x := s.history.at(i)
			if x.at <= last.at-length.Milliseconds() {
				continue
			}
			v := float64(x.micro) / scale
			if out.n == 0 {
				out.low, out.high = v, v
			}
			out.n, out.sum, out.low, out.high = out.n+1, out.sum+v, min(out.low, v), max(out.high, v)
			if x.at <= last.at-length.Milliseconds()/2 {
				out.oldV, out.oldT, out.oldN = out.oldV+v, out.oldT+float64(x.at-last.at), out.oldN+1
			} else {
				out.newV, out.newT, out.newN = out.newV+v, out.newT+float64(x.at-last.at), out.newN+1
			}
		}
		return statistic(out)
	}
}

func (p plant) asMember(s *sensor, now int64) member {
	m := member{
		Value: s.value, Age: float64(now-s.at) / 1000, Known: true, BadPolls: float64(s.badPolls),
		Reason: string(s.reason), Suffix: s.suffix,
		papersOfMember: p.papers[s].vm(p.around),
	}
	fields := reflect.ValueOf(&m).Elem()
	for i := range fields.NumField() {
		for _, f := range functions {
			if fields.Type().Field(i).Tag.Get("expr") == f.name {
				fields.Field(i).Set(f.bind(s, fields.Field(i).Type()))
			}
		}
	}
	return m
}

// bind makes the function that expr calls.
func (f function) bind(s *sensor, as reflect.Type) reflect.Value {
	return reflect.MakeFunc(as, func(args []reflect.Value) []reflect.Value {
		var words []string
		for _, a := range args {
			words = append(words, fmt.Sprint(a.Interface()))
		}
		return []reflect.Value{reflect.ValueOf(f.of(s, words...))}
	})
}

// vm fills expr's own environment with what the plant knows.
func (p plant) vm(now int64) map[string]any {
	env := environment(&oracleRule)
	for q, list := range p.members {
		var out []member
		for _, s := range list {
			out = append(out, p.asMember(s, now))
		}
		env[string(q)] = out
	}
	own := reflect.ValueOf(p.asMember(p.in.own, now))
	for _, f := range reflect.VisibleFields(own.Type()) {
		if name := f.Tag.Get("expr"); name != "" {
			env[name] = own.FieldByIndex(f.Index).Interface()
		}
	}
	p.around.vm(env)
	env[spreadName] = naiveSpread
	env["high_bay"], env["s56_exempt"] = p.in.zone.HighBay, p.in.zone.Exempt
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
		func() string {
			return dot + `count_above("8s", hot) ` + rapid.SampledFrom([]string{">=", "<", "=="}).Draw(t, "op") + fmt.Sprint(" ", rapid.IntRange(0, 5).Draw(t, "n"))
		},
		func() string {
			return dot + rapid.SampledFrom([]string{"known", "bad", "stale", "quarantined"}).Draw(t, "test")
		},
		func() string {
			return dot + "bad_polls" + drawOp(t) + fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "polls"))
		},
		func() string { return dot + `reason != "nack"` },
		func() string { return dot + `reason == "nack"` },
		func() string { return dot + `suffix == "R"` },
		func() string {
			return rapid.SampledFrom([]string{"steam_prone", "high_bay", "s56_exempt"}).Draw(t, "flag")
		},
	}
	atoms = append(atoms, placeAtoms(t, dot)...)
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
			return "spread(map(temperature, " + drawCall(t, ".", "Cel") + "))" + drawOp(t) + "apart"
		}, func() string {
			return "count(smoke, .max(\"4s\") == 1) + count(temperature, " + drawCondition(t, 0, ".") + ")" + drawOp(t) + fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "k"))
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

// drawCall calls a function that answers in a unit, or asks for the value.
func drawCall(t *rapid.T, dot, unit string) string {
	var calls []string
	if unit == "Cel" {
		calls = append(calls, "value")
	}
	for _, f := range functions {
		if f.unit == unit {
			calls = append(calls, f.call)
		}
	}
	return dot + rapid.SampledFrom(calls).Draw(t, "call")
}

// drawNumber writes a number of a unit that limits have: of it, or in sums with
// what may be added to it.
func drawNumber(t *rapid.T, dot, unit string) string {
	pick := drawCall(t, dot, unit)
	if unit != "Cel" {
		return rapid.SampledFrom([]string{pick, "(" + pick + " * ratio)", "(" + pick + " / ratio)", "-" + pick}).Draw(t, "form")
	}
	forms := []string{
		pick, pick, pick, "hot", "normal_max", "(" + pick + " - apart)", "(" + pick + " + apart)", "(" + pick + " * ratio)", "(" + pick + " / ratio)",
	}
	if dot == "" {
		forms = append(forms, "classy")
	}
	return rapid.SampledFrom(forms).Draw(t, "form")
}

// Where all is known the engine says what expr's own machine says.
func TestTheMachineOfExprAgrees(t *testing.T) {
	told := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) { told[agree(t)]++ })
	if !testing.Short() && (told[true] < 10 || told[false] < 10) {
		t.Errorf("the drawn conditions say little: %v", told)
	}
}

// FuzzLowering is the same for whatever a fuzzer draws.
func FuzzLowering(f *testing.F) {
	for i := range 20 { // draws that go far
		seed := make([]byte, 4096)
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(seed) // never fails
		f.Add(seed)
	}
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) { agree(t) }))
}

// agree holds one drawn condition in a drawn plant against expr's machine, and
// returns what both say.
func agree(t *rapid.T) bool {
	r := oracleRule
	r.When = drawCondition(t, 4, "")
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
	now := p.in.own.at + int64(rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 3000)).Draw(t, "now"))
	p.around.now = time.UnixMilli(now)
	program, err := expr.Compile(r.When, expr.Env(environment(&r)), expr.AsBool())
	if err != nil {
		t.Fatal(err)
	}
	want, err := expr.Run(program, p.vm(now))
	if err != nil {
		t.Fatal(err)
	}
	if got := b.when.eval(&view{site: p.site, in: p.in, cur: p.in.own, now: now}); got != truthOf(want.(bool)) {
		t.Fatalf("%s is %v, expr says %v", r.When, got, want)
	}
	return want.(bool)
}

// aboutQuality is what a condition asks of the knowing itself.
var aboutQuality = regexp.MustCompile(`\.?\b(known|bad)\b`)

// Knowing less never turns a true into a false or back: it makes it unknown.
func TestKnowingLessSaysLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := oracleRule
		r.When = aboutQuality.ReplaceAllString(drawCondition(t, 3, ""), "high_bay")
		slots := newSlots()
		b, _ := lowerRule(&r, slots)
		p := drawPlant(t, slots)
		for _, q := range b.uses.lists {
			p.in.lists = append(p.in.lists, p.members[q])
		}
		now := p.in.own.at
		all := b.when.eval(&view{site: p.site, in: p.in, cur: p.in.own, now: now})
		for _, list := range p.members {
			for _, s := range list {
				if rapid.Bool().Draw(t, "lost") {
					s.quality = safety.Bad
				}
			}
		}
		some := b.when.eval(&view{site: p.site, in: p.in, cur: p.in.own, now: now})
		if some != unknown && some != all {
			t.Fatalf("%s: %v with all, %v with less", r.When, all, some)
		}
	})
}
