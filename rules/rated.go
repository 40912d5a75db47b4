package rules

import "nirapod/safety"

const ratedName = "rated_pressure"

// rated is what the boiler of the zone is rated for. A rule that asks for it is
// bound only where there is one.
var rated = number{
	eval: func(v *view) span {
		if v.in.zone.rated == 0 {
			return anything
		}
		return exactly(v.in.zone.rated)
	},
	why:  func(v *view, found *evidence) { found.note(ratedName, v.in.zone.rated) },
	unit: "bar",
	text: ratedName,
}

// ratedPressures returns the rated pressure of each zone with a boiler, in bar:
// the lowest of several, as a sensor does not say on which it sits.
func ratedPressures(hazards []safety.Hazmat) map[string]float64 {
	out := map[string]float64{}
	for _, h := range hazards {
		if h.Kind != safety.KindBoiler || h.RatedBar <= 0 {
			continue
		}
		if other := out[h.Zone]; other == 0 || h.RatedBar < other {
			out[h.Zone] = h.RatedBar
		}
	}
	return out
}

// boilered leaves out a sensor in a zone without a boiler where the rule asks
// for its rated pressure.
func (b *binder) boilered(r *bound, s *sensor) bool {
	if !r.uses.rated || s.zone.rated > 0 {
		return true
	}
	b.leaveOut(r, s, "no boiler with a rated pressure stands in its zone")
	return false
}
