package rules

import (
	"fmt"
	"math"
	"time"

	"github.com/expr-lang/expr/ast"

	"nirapod/rules/comfort"
	"nirapod/safety"
)

const (
	wbgtName      = "wbgt"
	heatIndexName = "heat_index"
	humidexName   = "humidex"
	leastName     = "least"
)

// breathing is how high a sensor may hang and still say what people feel, m: our
// choice. Under the roof it is hotter.
const breathing = 2.5

// air is what the zone's sensors say of a time: the hottest place, with the
// driest and the dampest of what is known of its humidity. NaN where nothing is.
type air struct {
	hottest, driest, dampest, globe, wetBulb float64
	blind                                    bool // a sensor that should say is not known
}

// climates are the numbers over a zone's air, and what they read.
var climates = map[string]struct {
	unit  string
	reads []safety.Quantity
	of    func(air) span
}{
	wbgtName:      {"Cel", []safety.Quantity{safety.Temperature, safety.Humidity, safety.GlobeTemperature, safety.WetBulb}, wbgt},
	heatIndexName: {"Cel", []safety.Quantity{safety.Temperature, safety.Humidity}, atLeastOf(comfort.HeatIndex)},
	humidexName:   {"1", []safety.Quantity{safety.Temperature, safety.Humidity}, atLeastOf(comfort.Humidex)},
}

// wbgt is measured where there are a wet bulb and a globe, bounded where there
// are a globe and humidity, and only bounded from below without a globe.
func wbgt(a air) span {
	var out span
	switch {
	case !math.IsNaN(a.wetBulb + a.globe):
		out = exactly(comfort.WBGT(a.wetBulb, a.globe))
	case !math.IsNaN(a.wetBulb + a.hottest):
		out = span{comfort.WBGT(a.wetBulb, a.hottest), math.Inf(1)}
	case math.IsNaN(a.hottest + a.driest):
		return anything
	default:
		out.lo, _ = comfort.WBGTBounds(a.hottest, a.driest, a.globe)
		_, out.hi = comfort.WBGTBounds(a.hottest, a.dampest, a.globe)
	}
	if a.blind {
		out.hi = math.Inf(1)
	}
	return out
}

// atLeastOf is an index of air and humidity. Radiant heat and work come on top
// of it: it may warn and never says that it is fine.
func atLeastOf(index func(air, humidity float64) float64) func(air) span {
	return func(a air) span {
		if math.IsNaN(a.hottest + a.driest) {
			return anything
		}
		return span{index(a.hottest, a.driest), math.Inf(1)}
	}
}

// climate lowers wbgt("60m"), heat_index("60m") and humidex("60m").
func (l *lowerer) climate(n *ast.CallNode, name string) number {
	text, isText := n.Arguments[0].(*ast.StringNode)
	length, err := time.ParseDuration(textOf(text))
	if !isText || err != nil || length%time.Minute != 0 || length < 10*time.Minute || length > time.Hour {
		l.refuse(n.Arguments[0], "%s wants a time from 10m to 60m in whole minutes, such as %s(\"60m\")", name, name)
		return noNumber
	}
	if l.member != "" {
		l.refuse(n, "%s is of the zone, not of one of its sensors", name)
		return noNumber
	}
	how := climates[name]
	var asks []climateAsk
	for _, q := range how.reads {
		list := l.list(q)
		slot, spell := l.slots.minutes(meter{kind: level}, reach{minutes: int(length / time.Minute)})
		asks = append(asks, climateAsk{minuteAsk{q, slot, spell}, list})
		l.uses.minutes = append(l.uses.minutes, minuteAsk{q, slot, spell})
	}
	l.uses.value, l.uses.live = true, true
	l.uses.climates = append(l.uses.climates, name)
	label := fmt.Sprintf("%s(%v)", name, length)
	ask := func(v *view) span { return how.of(airOf(v, asks)) }
	return number{
		eval: ask,
		unit: how.unit,
		text: label,
		why: func(v *view, found *evidence) {
			for _, a := range asks {
				for _, s := range v.in.lists[a.list] {
					if s.track(a.slot) != nil {
						found.add(s, s.minuteFlags(a.slot, a.spell))
					}
				}
			}
			if value := ask(v); !math.IsInf(value.lo, 0) {
				found.note(fmt.Sprintf("%s(%s)", name, shortly(length)), value.lo)
			}
		},
	}
}

// climateAsk is the minutes of a list of the zone's sensors.
type climateAsk struct {
	minuteAsk
	list int
}

func airOf(v *view, asks []climateAsk) air {
	none := math.NaN()
	out := air{none, none, none, none, none, false}
	for _, a := range asks {
		for _, s := range v.in.lists[a.list] {
			t := s.track(a.slot)
			if t == nil {
				continue // it hangs too high, or is too slow
			}
			value := anything
			if v.sees(s.trust(v.late == s)) && t.open.number != never {
				v.doubt = v.doubt || t.doubtful(t.spells[a.spell])
				value = t.average(t.spells[a.spell], s.at, v.careful)
			}
			out.add(a.quantity, value)
		}
	}
	return out
}

func (a *air) add(q safety.Quantity, value span) {
	if !value.known() {
		a.blind = true
		return
	}
	higher := func(x *float64) {
		if math.IsNaN(*x) || value.lo > *x {
			*x = value.lo
		}
	}
	switch q {
	case safety.Temperature:
		higher(&a.hottest)
	case safety.Humidity:
		higher(&a.dampest)
		if math.IsNaN(a.driest) || value.lo < a.driest {
			a.driest = value.lo
		}
	case safety.GlobeTemperature:
		higher(&a.globe)
	case safety.WetBulb:
		higher(&a.wetBulb)
	}
}

// least lowers least(number), for a reset: the low end as if it were the number,
// so that a warning can end of which nobody can say that all is well.
func (l *lowerer) least(n *ast.CallNode) number {
	if l.field != "reset" {
		l.refuse(n, "least is for a reset, so that a warning can end: elsewhere it would make of what is not known a number")
		return noNumber
	}
	of := l.number(n.Arguments[0])
	l.uses.least = true
	out := of
	out.text = "(least " + of.text + ")"
	out.eval = func(v *view) span {
		if s := of.eval(v); !math.IsInf(s.lo, 0) {
			return exactly(s.lo)
		}
		return anything
	}
	return out
}

// breathes reports whether a sensor hangs where people are, and often speaks.
func (s *sensor) breathes() bool {
	return s.spec.MountHeight <= breathing && s.spec.Period <= slowest
}

// climated leaves out a zone whose air the rule cannot know: it has neither a
// wet bulb nor both a thermometer and a hygrometer, where people are, or does not
// say how hard they work.
func (b *binder) climated(in *instance) bool {
	has, meant := map[safety.Quantity]bool{}, false
	for _, list := range in.lists {
		for _, s := range list {
			has[s.spec.Quantity] = has[s.spec.Quantity] || s.breathes()
			meant = meant || s.spec.Quantity != safety.Temperature
		}
	}
	why := ""
	for _, name := range in.rule.uses.climates {
		air := has[safety.Temperature] && has[safety.Humidity]
		if !air && (name != wbgtName || !has[safety.WetBulb]) {
			why = fmt.Sprintf("no thermometer and hygrometer with four readings a minute hang there at %g m or below", breathing)
		}
	}
	if why == "" && in.rule.byWork() && workOf(in.zone.Zone) == noWork {
		why = "it does not say its metabolic class"
	}
	if why != "" && meant {
		b.tell(fmt.Sprintf("rule %s does not watch zone %s: %s", in.rule.Name, in.zone.ID, why))
	}
	return why == ""
}
