package rules

import (
	"slices"

	"nirapod/safety"
)

// works are the metabolic classes of ISO 7243, by which a limit may be tabled: how
// hard people work in a zone.
var works = [...]string{"resting", "low", "moderate", "high", "very_high"}

const noWork = -1

func workOf(z *safety.Zone) int { return slices.Index(works[:], z.Metabolic) }

// byWork reports whether a limit of the rule hangs on how hard people work.
func (r *Rule) byWork() bool {
	return slices.ContainsFunc(r.Limits, func(l Limit) bool { return l.ByWork != nil })
}

// workLimit lowers a limit that is tabled by the metabolic class of the zone.
func workLimit(lim *Limit) number {
	table, text := tabled(works[:], lim.ByWork)
	of := func(v *view) span {
		if work := workOf(v.in.zone.Zone); work != noWork {
			return table[work]
		}
		return anything
	}
	return number{
		eval: of,
		why: func(v *view, found *evidence) {
			if s := of(v); s.known() {
				found.note(lim.Name, s.lo)
			}
		},
		unit: lim.Unit,
		text: text + "[" + lim.Unit + "]",
	}
}
