package alerts

import (
	"context"
	"slices"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

const noLongerWatched = "no longer watched"

// watched follows whether the source of a newest word still watches the point.
func watched(a *state.Alert, t safety.Transition) {
	a.Work.Unwatched = slices.DeleteFunc(a.Work.Unwatched, func(source string) bool { return source == t.Source })
	if t.To == safety.Unknown && t.Values[safety.Unwatched] != 0 {
		a.Work.Unwatched = append(a.Work.Unwatched, t.Source)
	}
}

// unwatched reports whether nothing can end the condition of an alert any more:
// its place is gone from the registry, or each source that holds it is.
func (a *Alerts) unwatched(ctx context.Context, b *state.Book, alert state.Alert) (bool, error) {
	if alert.Condition == conditionInactive {
		return false, nil
	}
	site := a.sites.site(alert.FactoryID)
	sensor, known := sensorOf(site, alert.SensorID)
	zone := slices.ContainsFunc(site.Zones, func(z safety.Zone) bool { return z.ID == alert.ZoneID })
	if alert.SensorID != "" && !known || alert.ZoneID != "" && !zone {
		return true, nil
	}
	words, err := b.Words(ctx, alert.Point)
	if err != nil {
		return false, err
	}
	for _, source := range alert.Work.Sources {
		w := heard(words).newest(source)
		if w.State != safety.Firing && !w.Held || slices.Contains(alert.Work.Unwatched, source) {
			continue
		}
		registered := slices.ContainsFunc(site.Gateways, func(g safety.Gateway) bool { return g.ID == source })
		if source == safety.ServerSource || registered && (!known || sensor.Gateway == source) {
			return false, nil
		}
	}
	return true, nil
}

// endUnwatched ends an alert on a person's word.
func endUnwatched(a *state.Alert, user string, at time.Time) {
	a.Work.ResetAt, a.Work.ResetBy, a.Work.ResetReason = &at, user, noLongerWatched
	if a.Work.EndedAt == nil {
		a.Work.EndedAt = &at
	}
	a.State, a.ClearedAt = safety.Cleared, &at
	a.Grouped = a.Class != safety.ClassAlarm
}
