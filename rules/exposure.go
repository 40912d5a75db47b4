package rules

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"nirapod/safety"
)

// What is asked of a sensor's minutes.
const (
	twaName  = "twa"
	stelName = "stel"
	doseName = "dose"
)

// exposures are the ways to sum minutes: over which time, by what it is
// divided. A time-weighted average is the sum by 480 minutes however much of
// them has passed, and over the zone's shift where that is longer.
var exposures = map[string]struct {
	arguments int
	length    time.Duration
	reach     reach
	divisor   float64 // of the sum in unit·min
}{
	twaName:  {1, 8 * time.Hour, reach{fullShift, true}, fullShift},
	stelName: {1, 15 * time.Minute, reach{15, false}, 15},
	doseName: {3, 8 * time.Hour, reach{fullShift, true}, fullShift / 100.},
}

// metered is a meter that rules of an engine ask for, and how far back.
type metered struct {
	meter   meter
	reaches []reach
}

// minutes numbers a meter and a reach of it.
func (s *slots) minutes(m meter, r reach) (slot, spell int) {
	slot = slices.IndexFunc(s.metered, func(x metered) bool { return x.meter == m })
	if slot < 0 {
		slot = len(s.metered)
		s.metered = append(s.metered, metered{meter: m})
	}
	of := &s.metered[slot]
	spell = slices.Index(of.reaches, r)
	if spell < 0 {
		spell = len(of.reaches)
		of.reaches = append(of.reaches, r)
	}
	return slot, spell
}

// minuteAsk is what a rule asks of the minutes of its own sensor or, with a
// quantity, of those of the zone.
type minuteAsk struct {
	quantity    safety.Quantity
	slot, spell int
}

// exposure lowers twa("8h"), stel("15m") and dose("8h", criterion, exchange).
func (l *lowerer) exposure(n *ast.CallNode, at ast.Node, name string) number {
	how := exposures[name]
	text, isText := n.Arguments[0].(*ast.StringNode)
	if d, err := time.ParseDuration(textOf(text)); !isText || err != nil || d != how.length {
		l.refuse(n.Arguments[0], "%s is over %v by its definition: write %s(%q)", name, how.length, name, shortly(how.length))
		return noNumber
	}
	_, unit, ok := l.measured(at, name)
	m := meter{kind: amount}
	if name == doseName && ok {
		m, ok = l.doseMeter(n, unit)
		unit = "%"
	} else if ok && unit != "ppm" {
		l.refuse(n, "%s is of a gas in ppm, not of %q", name, unit)
		ok = false
	}
	if !ok {
		return noNumber
	}
	l.uses.value, l.uses.live = true, true
	return l.summed(fmt.Sprintf("%s(%s)", name, shortly(how.length)), unit, m, how.reach, how.divisor)
}

// summed is the sum over the minutes of the sensor that is asked, by a divisor.
func (l *lowerer) summed(label, unit string, m meter, r reach, divisor float64) number {
	slot, spell := l.slots.minutes(m, r)
	l.uses.minutes = append(l.uses.minutes, minuteAsk{l.member, slot, spell})
	if l.member == "" {
		l.windows = append(l.windows, time.Duration(r.minutes)*time.Minute)
	}
	ask := func(v *view, s *sensor) span {
		t := s.track(slot)
		seen := v.sees(s.trust(v.late == s))
		if t == nil || t.open.number == never {
			return span{0, math.Inf(1)}
		}
		w := t.spells[spell]
		v.doubt = v.doubt || t.doubtful(w)
		return t.exposure(w, s.at, seen, v.careful, divisor)
	}
	out := l.of(label, unit, ask)
	if m.kind == dose {
		out.text += fmt.Sprintf("[%g %g]", m.criterion, m.exchange)
	}
	out.why = func(v *view, found *evidence) {
		found.add(v.cur, v.cur.minuteFlags(slot, spell))
		found.atLeast(v, label, ask(v, v.cur))
	}
	return out
}

// doseMeter reads the two limits of a dose: what they are is part of each minute.
func (l *lowerer) doseMeter(n *ast.CallNode, unit string) (meter, bool) {
	criterion, known := l.figure(n.Arguments[1])
	exchange, also := l.figure(n.Arguments[2])
	switch {
	case !known || !also || criterion.Unit == bad || exchange.Unit == bad:
		l.refuse(n, "dose wants the names of two limits: the criterion level in dBA, then the exchange rate in dB")
	case unit != "dBA":
		l.refuse(n, "a dose is of noise in dBA, not of %q", unit)
	case criterion.Unit != "dBA" || exchange.Unit != "dB":
		l.refuse(n, "the criterion level is in dBA and the exchange rate in dB, not in %s and %s", criterion.Unit, exchange.Unit)
	case exchange.Value <= 0:
		l.refuse(n.Arguments[2], "an exchange rate is above 0 dB")
	default:
		return meter{dose, criterion.Value, exchange.Value}, true
	}
	return meter{}, false
}

// figure returns the limit that a name stands for, if it is one figure.
func (l *lowerer) figure(n ast.Node) (*Limit, bool) {
	id, isName := n.(*ast.IdentifierNode)
	if !isName {
		return nil, false
	}
	for i := range l.rule.Limits {
		if lim := &l.rule.Limits[i]; lim.Name == id.Value {
			return lim, lim.one()
		}
	}
	return nil, false
}

// one reports whether the limit is the same everywhere.
func (l *Limit) one() bool { return l.ByClass == nil && l.ByWork == nil }

func textOf(n *ast.StringNode) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// shortly writes whole hours and minutes as people do: 8h, 15m.
func shortly(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

func (s *sensor) track(slot int) *track {
	if slot >= len(s.tracks) {
		return nil
	}
	return s.tracks[slot]
}

func (s *sensor) minuteFlags(slot, spell int) safety.Flags {
	if t := s.track(slot); t != nil {
		return t.flags(t.spells[spell], s.at)
	}
	return s.flags
}

// atLeast notes the lower end of a number.
func (e *evidence) atLeast(v *view, name string, value span) {
	if !math.IsInf(value.lo, 0) {
		e.read(v, name, exactly(value.lo))
	}
}

// minutely leaves out a sensor that is too slow for minutes.
func (b *binder) minutely(r *bound, s *sensor) bool {
	for _, ask := range r.uses.minutes {
		if ask.quantity == "" && s.spec.Period > slowest {
			b.leaveOut(r, s, fmt.Sprintf("a reading every %v is too few for minutes: four each", s.spec.Period))
			return false
		}
	}
	return true
}

// meters gives the sensors that an instance asks the tracks that it needs.
func (b *binder) meters(in *instance) {
	for _, ask := range in.rule.uses.minutes {
		sensors := []*sensor{in.own}
		if ask.quantity != "" {
			sensors = in.lists[slices.Index(in.rule.uses.lists, ask.quantity)]
		}
		for _, s := range sensors {
			if s.spec.Period > slowest {
				b.leaveOut(in.rule, s, fmt.Sprintf("a reading every %v is too few for minutes: four each", s.spec.Period))
				continue
			}
			if b.slots.metered[ask.slot].meter.kind == level && !s.breathes() {
				b.leaveOut(in.rule, s, fmt.Sprintf("it hangs at %g m: above %g m it is hotter than where people are", s.spec.MountHeight, breathing))
				continue
			}
			s.meter(b.slots.metered, ask)
		}
	}
}

func (s *sensor) meter(all []metered, ask minuteAsk) {
	if s.tracks == nil {
		s.tracks = make([]*track, len(all))
	}
	of := all[ask.slot]
	if s.tracks[ask.slot] == nil {
		s.tracks[ask.slot] = newTrack(of.meter, s.spec.Period)
	}
	s.tracks[ask.slot].watch(ask.spell, of.reaches[ask.spell].in(s.zone.Zone))
}
