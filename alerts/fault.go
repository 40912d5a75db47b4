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
	faultSkipped = "alert-skipped"  // scope: point. A transition could not be made an alert.
	faultRefused = "desk-refused"   // scope: id of the signal or notice. The desk does not take it.
	faultUnheard = "desk-unheard"   // scope: factory. A signal or notice waits, because the desk does not answer.
	faultWaits   = "messages-wait"  // scope: factory. A message waits, because its receiver does not take it.
	faultNobody  = "nobody-reached" // scope: alert. A step of the ladder has nobody whom a receiver reaches.
	// scope: factory. The desk holds another history of the factory than this server tells.
	faultRewritten = "ledger-rewritten"
)

// unheardAfter is how long a signal, a notice or a message may wait before
// people are told. What was refused has a fault of its own.
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

// tellOnce tells of something that will not be known better later: it is there
// until somebody has seen it.
func (f fault) tellOnce(ctx context.Context, b *state.Book, factory, zone, sensor string, now time.Time) error {
	for _, to := range []safety.State{safety.Firing, safety.Inactive} {
		t := f.transition(factory, to, now)
		t.Zone, t.Sensor = zone, sensor
		if err := b.AddTransition(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// watch tells people of every factory that has something which has waited too
// long, and when nothing has. Each beginning and end is told once, also across a
// restart.
type watch struct {
	fault
	waiting func(ctx context.Context, then time.Time) (factories []string, err error)
	told    map[string]bool // by factory; nil: not read yet
}

func (a *Alerts) watches() (all []*watch) {
	if a.desk != nil {
		f := fault{rule: faultUnheard, clause: "a signal or notice has waited more than 60 s for the desk's answer: telephone the DIFE office"}
		all = append(all, &watch{fault: f, waiting: func(ctx context.Context, then time.Time) ([]string, error) {
			return a.db.WaitingSince(ctx, destDesk, then)
		}})
	}
	if len(a.messengers) > 0 {
		f := fault{rule: faultWaits, clause: "a message has waited more than 60 s for its receiver: telephone; nirapod receivers list says why"}
		all = append(all, &watch{fault: f, waiting: a.db.MessagesWaitingSince})
	}
	return all
}

func (a *Alerts) watch(ctx context.Context, w *watch, now time.Time) error {
	if err := a.recall(ctx, w); err != nil {
		return err
	}
	waiting, err := w.waiting(ctx, now.Add(-unheardAfter))
	if err != nil {
		return err
	}
	for _, factory := range waiting {
		if !w.told[factory] {
			if err := a.tellWaiting(ctx, w, factory, safety.Firing, now); err != nil {
				return err
			}
		}
	}
	for factory := range w.told {
		if !slices.Contains(waiting, factory) {
			if err := a.tellWaiting(ctx, w, factory, safety.Inactive, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Alerts) tellWaiting(ctx context.Context, w *watch, factory string, to safety.State, now time.Time) error {
	a.log.Warn("waits too long", "factory", factory, "fault", w.rule, "failing", to == safety.Firing)
	err := a.db.Book(ctx, func(b *state.Book) error { return b.AddTransition(ctx, w.transition(factory, to, now)) })
	if err != nil {
		return err
	}
	if to == safety.Firing {
		w.told[factory] = true
	} else {
		delete(w.told, factory)
	}
	return nil
}

// recall finds what was told before this process started.
func (a *Alerts) recall(ctx context.Context, w *watch) error {
	if w.told != nil {
		return nil
	}
	told := map[string]bool{}
	for _, factory := range a.sites.factories() {
		last, err := a.db.LastState(ctx, factory, safety.PointID(factory, w.rule, ""))
		if err != nil {
			return err
		}
		if last == safety.Firing {
			told[factory] = true
		}
	}
	w.told = told
	return nil
}
