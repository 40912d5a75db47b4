package alerts

import (
	"fmt"
	"slices"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

const (
	lateAfter   = 60 * time.Second // raised longer after it occurred: late
	resetWindow = 10 * time.Minute // for someone to turn the panel key as well
	maxEvidence = 64               // pieces kept with one alert; the first and the newest
)

// The words for what the sources of an alert say together.
const (
	conditionFiring   = "firing"
	conditionUnknown  = "unknown"
	conditionInactive = "inactive"
)

// raise returns the alert that a firing transition opens at now.
func raise(id string, t safety.Transition, latched bool, now time.Time) state.Alert {
	a := state.Alert{Alert: safety.Alert{
		ID: id, Point: t.Point, FactoryID: t.Factory, ZoneID: t.Zone, SensorID: t.Sensor,
		Rule: t.Rule, RuleVersion: t.RuleVersion, Clause: t.Clause, Hazard: t.Hazard, Class: t.Class,
		Severity: t.Severity, Grade: t.Grade, State: safety.Unacknowledged, Condition: conditionFiring,
		Latched: latched, Exercise: true, OccurredAt: t.At, RaisedAt: now,
	}}
	a.Grouped = t.Class != safety.ClassAlarm
	absorb(&a, t)
	return a
}

// absorb adds a firing transition to an alert: what it proves, since when, how
// grave, and from which source. One real piece of evidence makes the alert real.
func absorb(a *state.Alert, t safety.Transition) {
	if !slices.Contains(a.Work.Sources, t.Source) {
		a.Work.Sources = append(a.Work.Sources, t.Source)
	}
	piece := state.Evidence{
		Transition: t.ID, Source: t.Source, Sensor: t.Sensor, Zone: t.Zone, Grade: t.Grade,
		RuleVersion: t.RuleVersion, At: t.At, Values: t.Values, Exercise: t.Flags.Exercise(),
	}
	if len(a.Work.Evidence) == maxEvidence {
		a.Work.Evidence = slices.Delete(a.Work.Evidence, maxEvidence/2, maxEvidence/2+1)
	}
	a.Work.Evidence = append(a.Work.Evidence, piece)
	if t.At.Before(a.OccurredAt) {
		a.OccurredAt = t.At
	}
	if t.Severity.Rank() > a.Severity.Rank() {
		a.Severity, a.RuleVersion, a.Clause = t.Severity, t.RuleVersion, t.Clause
		realarm(a)
	}
	if t.Grade.Rank() > a.Grade.Rank() {
		a.Grade = t.Grade
	}
	a.Exercise = a.Exercise && piece.Exercise
	a.Late = a.RaisedAt.Sub(a.OccurredAt) > lateAfter
	a.Grouped = a.Class != safety.ClassAlarm
}

// realarm asks for people's attention again.
func realarm(a *state.Alert) {
	if a.State == safety.Acknowledged {
		a.AcknowledgedAt, a.AcknowledgedBy = nil, ""
	}
	a.State = safety.Unacknowledged
}

// settle makes an alert follow what its sources now say. Only the word
// inactive from every source that took part ends the condition.
func settle(a *state.Alert, words heard, now time.Time) {
	was := a.Condition
	a.Condition = conditionInactive
	var ended time.Time
	for _, source := range a.Work.Sources {
		switch w := words.newest(source); {
		case w.State == safety.Firing:
			a.Condition = conditionFiring
		case w.Held && a.Condition != conditionFiring:
			a.Condition = conditionUnknown
		case !w.Held && w.At.After(ended):
			ended = w.At
		}
	}
	if a.Condition == conditionInactive {
		if was != conditionInactive {
			a.Work.EndedAt = &ended
		}
		finish(a, now)
		return
	}
	a.Work.EndedAt = nil
	if was == conditionInactive {
		a.Work.ResetAt, a.Work.ResetBy = nil, ""
		realarm(a)
	}
}

// finish moves an alert whose condition is gone as far as people allow. An
// isolation is what people did; that it is over nobody has to look at.
func finish(a *state.Alert, now time.Time) {
	switch {
	case a.State == safety.Unacknowledged && a.Class != safety.ClassIsolation:
		a.State = safety.Returned
	case a.Class == safety.ClassIsolation, a.State == safety.Acknowledged && (!a.Latched || wasReset(a, now)):
		a.State = safety.Cleared
		a.ClearedAt = &now
		a.Grouped = a.Class != safety.ClassAlarm
	}
}

func wasReset(a *state.Alert, now time.Time) bool {
	return a.Work.ResetAt != nil && now.Sub(*a.Work.ResetAt) <= resetWindow
}

// acknowledge records that user has seen the alert. The first one stays; false
// means that nothing changed.
func acknowledge(a *state.Alert, user string, at time.Time) bool {
	if a.AcknowledgedAt != nil {
		return false
	}
	a.AcknowledgedAt, a.AcknowledgedBy = &at, user
	returned := a.State == safety.Returned
	a.State = safety.Acknowledged
	if returned {
		finish(a, at)
	}
	a.Grouped = a.Class != safety.ClassAlarm
	return true
}

// reset records a person's wish to end a latched alert. While the condition is
// there it only opens the way for the engines; false means that nothing changed.
func reset(a *state.Alert, user string, at time.Time) (bool, error) {
	switch {
	case a.State == safety.Cleared:
		return false, nil
	case !a.Latched:
		return false, fmt.Errorf("alert %s ends by itself when its condition is gone: %w", a.ID, safety.ErrConflict)
	case a.AcknowledgedAt == nil:
		return false, fmt.Errorf("alert %s must be acknowledged before it is reset: %w", a.ID, safety.ErrConflict)
	}
	a.Work.ResetAt, a.Work.ResetBy = &at, user
	if a.Condition == conditionInactive {
		finish(a, at)
	}
	return true, nil
}
