package alerts

import (
	"context"
	"slices"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

// Faults that alerts itself finds. They are transitions like all others, so
// that people see them where they see every fault.
const (
	faultSkipped = "alert-skipped" // scope: point. A transition could not be made an alert.
	faultRefused = "desk-refused"  // scope: id of the signal or notice. The desk does not take it.
	faultUnheard = "desk-unheard"  // scope: factory. A signal or notice waits, because the desk does not answer.
	// scope: factory. The desk holds another history of the factory than this server tells.
	faultRewritten = "ledger-rewritten"
)

// unheardAfter is how long a signal or notice may wait for the desk's answer
// before people are told. Refused ones have a fault of their own.
const unheardAfter = 60 * time.Second

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

// watchDesk tells people of every factory whose signals and notices wait too
// long for the desk, and when all that waited has been taken. Each beginning and
// end is told once, also across a restart.
func (a *Alerts) watchDesk(ctx context.Context, now time.Time) error {
	if a.desk == nil {
		return nil
	}
	if err := a.recallUnheard(ctx); err != nil {
		return err
	}
	waiting, err := a.db.WaitingSince(ctx, destDesk, now.Add(-unheardAfter))
	if err != nil {
		return err
	}
	for _, factory := range waiting {
		if !a.unheard[factory] {
			if err := a.tellUnheard(ctx, factory, safety.Firing, now); err != nil {
				return err
			}
		}
	}
	for factory := range a.unheard {
		if !slices.Contains(waiting, factory) {
			if err := a.tellUnheard(ctx, factory, safety.Inactive, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Alerts) tellUnheard(ctx context.Context, factory string, to safety.State, now time.Time) error {
	f := fault{faultUnheard, "", "a signal or notice has waited more than 60 s for the desk's answer: telephone the DIFE office"}
	a.log.Warn("the desk is not heard", "factory", factory, "failing", to == safety.Firing)
	err := a.db.Book(ctx, func(b *state.Book) error { return b.AddTransition(ctx, f.transition(factory, to, now)) })
	if err != nil {
		return err
	}
	if to == safety.Firing {
		a.unheard[factory] = true
	} else {
		delete(a.unheard, factory)
	}
	return nil
}

// recallUnheard finds what was told before this process started.
func (a *Alerts) recallUnheard(ctx context.Context) error {
	if a.unheard != nil {
		return nil
	}
	unheard := map[string]bool{}
	for _, factory := range a.sites.factories() {
		last, err := a.db.LastState(ctx, factory, safety.PointID(factory, faultUnheard, ""))
		if err != nil {
			return err
		}
		if last == safety.Firing {
			unheard[factory] = true
		}
	}
	a.unheard = unheard
	return nil
}
