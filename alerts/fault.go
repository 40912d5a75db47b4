package alerts

import (
	"time"

	"nirapod/safety"
)

// Faults that alerts itself finds. They are transitions like all others, so
// that people see them where they see every fault.
const (
	faultSkipped = "alert-skipped" // scope: point. A transition could not be made an alert.
	faultRefused = "desk-refused"  // scope: id of the signal or notice. The desk does not take it.
)

const (
	faultPack    = "alerts"
	faultVersion = "1" // of the meaning of the faults above
)

// fault is one of them at one place.
type fault struct {
	rule, scope string
	clause      string // what is wrong, in words
}

// transition says at now that the fault began (to is firing) or ended (inactive).
func (f fault) transition(factory string, to safety.State, now time.Time) safety.Transition {
	from := safety.Inactive
	if to == safety.Inactive {
		from = safety.Firing
	}
	return safety.Transition{
		Factory: factory, Source: safety.ServerSource, Point: safety.PointID(factory, f.rule, f.scope),
		Pack: faultPack, Rule: f.rule, RuleVersion: faultVersion, Hazard: safety.HazardSystem,
		Class: safety.ClassFault, Severity: safety.Warning, Clause: f.clause, From: from, To: to, At: now,
	}
}
