package rules

import (
	"slices"

	"nirapod/safety"
)

// neverHidden are the quantities that no permit isolates: call points and exits.
var neverHidden = []safety.Quantity{safety.CallPoint, safety.DoorOpen, safety.Locked, safety.ExitConfirmed}

// permit reads for which work a permit may cover the rule.
func (f fields) permit() []safety.Work {
	var out []safety.Work
	for _, n := range f.words("permit") {
		if !slices.Contains(safety.Works, safety.Work(n.Value)) {
			f.src.wrong(n, "permit %q: want some of %v", n.Value, safety.Works)
			continue
		}
		out = append(out, safety.Work(n.Value))
	}
	return out
}

// permitted refuses a permit on what no permit may cover: call points, static
// heat, the second gas stage, exits (safety.md 4).
func (f fields) permitted(r Rule) {
	if len(r.Permit) == 0 {
		return
	}
	b, _ := lowerRule(&r, newSlots())
	reads := slices.Concat(r.Quantities, b.uses.lists)
	refuse := func(what string) { f.src.wrong(f.of["permit"], "%s is never covered by a permit", what) }
	switch {
	case r.Class != safety.ClassAlarm:
		refuse("what is no alarm")
	case r.Hazard == safety.HazardExit || slices.ContainsFunc(reads, func(q safety.Quantity) bool { return slices.Contains(neverHidden, q) }):
		refuse("a call point or an exit")
	case r.Hazard == safety.HazardGas && secondStage(r):
		refuse("the second stage of a gas")
	case r.Scope == ScopeSensor && len(r.Quantities) == 0:
		refuse("a rule about any quantity")
	case r.Scope == ScopeSensor && slices.Contains(r.Quantities, safety.Temperature) && b.uses.value:
		refuse("static heat")
	}
}

// secondStage reports whether a gas rule is beyond the first stage. What is
// poisonous warns people before it harms them; what can burn harms nobody
// before it burns, so its first stage is an alarm already.
func secondStage(r Rule) bool {
	first := safety.PreAlarm
	if slices.Equal(r.Quantities, []safety.Quantity{safety.LEL}) {
		first = safety.Alarm
	}
	return r.Severity.Rank() > first.Rank()
}
