package alerts

import (
	"context"
	"slices"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

const (
	groupWindow = 10 * time.Minute // alarms this far apart belong together
	groupPage   = 100
)

// group gives alarms their incidents and judges those that it touched.
func (a *Alerts) group(ctx context.Context, now time.Time) error {
	return a.db.Book(ctx, func(b *state.Book) error {
		alerts, err := b.UngroupedAlerts(ctx, groupPage)
		if err != nil {
			return err
		}
		var touched []string
		known := members{b: b, of: map[string][]state.Alert{}}
		for _, alert := range alerts {
			id, err := a.join(ctx, known, alert, now)
			if err != nil {
				return err
			}
			if !slices.Contains(touched, id) {
				touched = append(touched, id)
			}
		}
		for _, id := range touched {
			inc, err := b.Incident(ctx, id)
			if err != nil {
				return err
			}
			if err := a.review(ctx, b, inc, now); err != nil {
				return err
			}
		}
		a.at("grouped")
		return nil
	})
}

// due judges the incidents whose time has come.
func (a *Alerts) due(ctx context.Context, now time.Time) error {
	return a.db.Book(ctx, func(b *state.Book) error {
		incidents, err := b.DueIncidents(ctx, now, groupPage)
		if err != nil {
			return err
		}
		for _, inc := range incidents {
			if err := a.review(ctx, b, inc, now); err != nil {
				return err
			}
		}
		a.at("judged")
		return nil
	})
}

// members are the alerts of the incidents that one round of grouping asks
// about, read once: in a storm every alarm asks about the same incident.
type members struct {
	b  *state.Book
	of map[string][]state.Alert
}

func (m members) load(ctx context.Context, incident string) ([]state.Alert, error) {
	if known, ok := m.of[incident]; ok {
		return known, nil
	}
	alerts, err := m.b.IncidentAlerts(ctx, incident)
	if err == nil {
		m.of[incident] = alerts
	}
	return alerts, err
}

// join puts an alarm into its incident, an open one that it belongs to, or a
// new one, and returns the incident's id.
func (a *Alerts) join(ctx context.Context, known members, alert state.Alert, now time.Time) (string, error) {
	alert.Grouped = true
	if alert.IncidentID == "" {
		id, err := a.find(ctx, known, alert)
		if err != nil {
			return "", err
		}
		if id == "" {
			if id, err = a.newIncident(ctx, known.b, alert, now); err != nil {
				return "", err
			}
		}
		alert.IncidentID = id
		known.of[id] = append(known.of[id], alert)
	}
	return alert.IncidentID, known.b.SaveAlert(ctx, alert)
}

func (a *Alerts) newIncident(ctx context.Context, b *state.Book, alert state.Alert, now time.Time) (string, error) {
	id := newID(now)
	return id, b.SaveIncident(ctx, state.Incident{Incident: safety.Incident{
		ID: id, FactoryID: alert.FactoryID, Kind: a.law.KindOf(alert.Hazard), State: "open",
		Exercise: alert.Exercise, OccurredAt: alert.OccurredAt, OpenedAt: now,
	}})
}

// find returns the oldest open incident that the alarm belongs to, "" if none.
func (a *Alerts) find(ctx context.Context, known members, alert state.Alert) (string, error) {
	recent, err := known.b.RecentIncidents(ctx, alert.FactoryID, alert.OccurredAt.Add(-groupWindow))
	if err != nil {
		return "", err
	}
	site := a.sites.site(alert.FactoryID)
	for _, inc := range recent {
		alerts, err := known.load(ctx, inc.ID)
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(alerts, func(m state.Alert) bool { return a.related(site, m, alert) }) {
			return inc.ID, nil
		}
	}
	return "", nil
}

// related reports whether two alarms belong together: same or touching zones,
// hazards that may share an incident, and at most groupWindow between them. An
// alarm that is still on is never over.
func (a *Alerts) related(site safety.Site, member, alert state.Alert) bool {
	if !near(site, member.ZoneID, alert.ZoneID) || !a.law.Compatible(member.Hazard, alert.Hazard) {
		return false
	}
	if alert.Work.EndedAt != nil && alert.Work.EndedAt.Add(groupWindow).Before(member.OccurredAt) {
		return false
	}
	return member.Work.EndedAt == nil || !alert.OccurredAt.After(member.Work.EndedAt.Add(groupWindow))
}

// review makes an incident follow its alerts and does what that asks for.
func (a *Alerts) review(ctx context.Context, b *state.Book, inc state.Incident, now time.Time) error {
	alerts, err := b.IncidentAlerts(ctx, inc.ID)
	if err != nil {
		return err
	}
	wasReal := !inc.Exercise
	summarize(&inc, alerts)
	inc.Kind = a.kind(alerts)
	site := a.sites.site(inc.FactoryID)
	v := judge(site, alerts, now)
	if stays := inc.Confirmed && wasReal == !inc.Exercise; stays && !v.confirmed {
		v = verdict{confirmed: true, signal: becauseConfirmed, notice: true}
	}
	if !wasReal && !inc.Exercise {
		inc.ConfirmedAt = nil // that was the drill
	}
	if inc.Confirmed = v.confirmed; inc.Confirmed && inc.ConfirmedAt == nil {
		inc.ConfirmedAt = &now
		a.log.Warn("incident confirmed", "factory", inc.FactoryID, "incident", inc.ID, "kind", inc.Kind, "exercise", inc.Exercise)
		if err := hasten(ctx, b, alerts, now); err != nil {
			return err
		}
	} else if !inc.Confirmed {
		inc.ConfirmedAt = nil
	}
	inc.NextAt = v.next
	if !a.law.Notifiable(inc.Kind) {
		inc.NextAt = nil
		return b.SaveIncident(ctx, inc)
	}
	file := filing{a: a, b: b, site: site, incident: inc.Incident, alerts: alerts, now: now}
	if err := file.carryOut(ctx, v); err != nil {
		return err
	}
	return b.SaveIncident(ctx, inc)
}

// summarize makes an incident's fields follow from its alerts, first-out first.
func summarize(inc *state.Incident, alerts []state.Alert) {
	inc.Alerts, inc.Zones = nil, nil
	inc.Exercise = allExercise(alerts)
	inc.OccurredAt = alerts[0].OccurredAt
	for _, alert := range alerts {
		inc.Alerts = append(inc.Alerts, alert.ID)
		if !slices.Contains(inc.Zones, alert.ZoneID) {
			inc.Zones = append(inc.Zones, alert.ZoneID)
		}
	}
}

func (a *Alerts) kind(alerts []state.Alert) string {
	hazards := make([]safety.Hazard, len(alerts))
	for i, alert := range alerts {
		hazards[i] = alert.Hazard
	}
	return a.law.KindOf(hazards...)
}
