package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nirapod/alerts/notice"
	"nirapod/safety"
	"nirapod/state"
)

// filing carries out a verdict on one incident of a notifiable kind.
type filing struct {
	a        *Alerts
	b        *state.Book
	site     safety.Site
	incident safety.Incident
	alerts   []state.Alert
	now      time.Time
}

func (f filing) carryOut(ctx context.Context, v verdict) error {
	if v.signal != "" {
		if err := f.signal(ctx, v); err != nil {
			return err
		}
	}
	if v.notice {
		return f.notice(ctx, v.confirmed)
	}
	return nil
}

// signal sends the incident's one signal, unless it is on its way already.
func (f filing) signal(ctx context.Context, v verdict) error {
	_, err := f.b.IncidentSignal(ctx, f.incident.ID, f.incident.Exercise)
	if !errors.Is(err, safety.ErrNotFound) {
		return err
	}
	s := notice.ComposeSignal(f.facts(newID(f.now)), v.confirmed, v.signal)
	f.a.log.Warn("signal prepared", "factory", s.FactoryID, "incident", s.IncidentID, "signal", s.ID,
		"because", s.Confidence, "exercise", s.Exercise)
	if err := f.b.SaveSignal(ctx, s); err != nil {
		return err
	}
	return f.enqueue(ctx, "signal", s.ID, safety.Filing{ID: s.ID, Version: 1, Signal: &s})
}

// notice opens the incident's immediate notice, and sends it once confirmed.
func (f filing) notice(ctx context.Context, confirmed bool) error {
	n, err := f.open(ctx)
	if err != nil || n.Status != safety.NoticeDraft {
		return err
	}
	if !confirmed {
		return f.b.SaveNotice(ctx, n)
	}
	n.Status = safety.NoticePrepared
	f.a.log.Warn("notice prepared", "factory", n.FactoryID, "incident", n.IncidentID, "notice", n.ID, "exercise", n.Exercise)
	if err := f.b.SaveNotice(ctx, n); err != nil {
		return err
	}
	return f.enqueue(ctx, "notice", n.ID, safety.Filing{ID: n.ID, Version: 1, Notice: &n})
}

// open returns the incident's notice; a draft is written anew from what is
// known now, under its old id and with its earliest awareness.
func (f filing) open(ctx context.Context) (safety.Notice, error) {
	old, err := f.b.IncidentNotice(ctx, f.incident.ID, notice.Immediate, f.incident.Exercise)
	if errors.Is(err, safety.ErrNotFound) && !f.incident.Exercise {
		// A drill that turned out to be real: its draft becomes the real one.
		old, err = f.b.IncidentNotice(ctx, f.incident.ID, notice.Immediate, true)
		if err == nil && old.Status != safety.NoticeDraft {
			old, err = safety.Notice{}, safety.ErrNotFound
		}
	}
	switch {
	case errors.Is(err, safety.ErrNotFound):
		return f.a.law.Compose(f.facts(newID(f.now))), nil
	case err != nil || old.Status != safety.NoticeDraft:
		return old, err
	}
	facts := f.facts(old.ID)
	facts.CreatedAt = old.CreatedAt
	if old.AwareAt.Before(facts.AwareAt) {
		facts.AwareAt = old.AwareAt
	}
	return f.a.law.Compose(facts), nil
}

// facts gathers what the machine knows. The employer is aware from the first
// confirmed alarm; while nothing is confirmed, from the first alarm raised.
func (f filing) facts(id string) notice.Facts {
	facts := notice.Facts{
		ID: id, Incident: f.incident, Site: f.site, CreatedAt: f.now, AwareAt: f.incident.OpenedAt,
	}
	if f.incident.ConfirmedAt != nil {
		facts.AwareAt = *f.incident.ConfirmedAt
	}
	facts.Shift, _ = shiftAt(f.site, f.incident.OccurredAt)
	for _, a := range f.alerts {
		facts.Alerts = append(facts.Alerts, notice.Alarm{Alert: a.Alert, Evidence: evidenceLines(a)})
	}
	return facts
}

// evidenceLines names what an alert stands on, oldest first.
func evidenceLines(a state.Alert) []string {
	var lines []string
	for _, e := range a.Work.Evidence {
		lines = append(lines, notice.EvidenceLine(a.Alert, e.At, e.Sensor, e.Source, e.RuleVersion, e.Values))
	}
	return lines
}

func (f filing) enqueue(ctx context.Context, kind, id string, filing safety.Filing) error {
	body, err := json.Marshal(filing)
	if err != nil {
		return err
	}
	return f.b.Enqueue(ctx, state.Item{
		Key: fmt.Sprintf("%s/%s/%d", kind, id, filing.Version), Dest: destDesk,
		Factory: f.incident.FactoryID, Kind: kind, Ref: id, Body: body, NotBefore: f.now, Created: f.now,
	})
}
