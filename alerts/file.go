package alerts

import (
	"bytes"
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
		return f.notices(ctx, v.confirmed)
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

// notices opens the papers that the law asks for, each as a draft; those that
// may go unsigned are sent once the incident is confirmed.
func (f filing) notices(ctx context.Context, confirmed bool) error {
	for _, kind := range f.a.law.Notices(f.incident.Kind, f.site, f.awareAt()) {
		if err := f.notice(ctx, kind, confirmed && kind.Unsigned()); err != nil {
			return err
		}
	}
	return nil
}

func (f filing) notice(ctx context.Context, kind notice.Paper, send bool) error {
	old, known, err := f.opened(ctx, kind.ID)
	if err != nil || known && old.Status != safety.NoticeDraft {
		return err
	}
	n := f.draft(kind, old, known)
	if !send {
		if same, err := equal(old, n); same || err != nil {
			return err
		}
		return f.b.SaveNotice(ctx, n)
	}
	n.Status = safety.NoticePrepared
	f.a.log.Warn("notice prepared", "factory", n.FactoryID, "incident", n.IncidentID, "notice", n.ID, "kind", n.Kind, "exercise", n.Exercise)
	if err := f.b.SaveNotice(ctx, n); err != nil {
		return err
	}
	return f.enqueue(ctx, "notice", n.ID, safety.Filing{ID: n.ID, Version: 1, Notice: &n})
}

// opened returns the incident's notice of a kind. A drill that turned out to be
// real has none yet, but its draft becomes the real one.
func (f filing) opened(ctx context.Context, kind string) (n safety.Notice, known bool, err error) {
	n, err = f.b.IncidentNotice(ctx, f.incident.ID, kind, f.incident.Exercise)
	if errors.Is(err, safety.ErrNotFound) && !f.incident.Exercise {
		n, err = f.b.IncidentNotice(ctx, f.incident.ID, kind, true)
		if err == nil && n.Status != safety.NoticeDraft {
			err = safety.ErrNotFound
		}
	}
	if errors.Is(err, safety.ErrNotFound) {
		return safety.Notice{}, false, nil
	}
	return n, err == nil, err
}

// draft writes a draft from what is known now, under its old id and with its
// earliest awareness. What was known of a drill is not known of a fire.
func (f filing) draft(kind notice.Paper, old safety.Notice, known bool) safety.Notice {
	if !known {
		return f.a.law.Compose(f.facts(newID(f.now)), kind)
	}
	facts := f.facts(old.ID)
	if old.Exercise == f.incident.Exercise {
		facts.CreatedAt = old.CreatedAt
		if old.AwareAt.Before(facts.AwareAt) {
			facts.AwareAt = old.AwareAt
		}
	}
	return f.a.law.Compose(facts, kind)
}

// equal reports whether two notices say the same.
func equal(a, b safety.Notice) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(b)
	return bytes.Equal(x, y), err
}

// awareAt is when the employer became aware: at the first confirmed alarm, or,
// while nothing is confirmed, when the first one was raised. A drill makes
// nobody aware of a fire.
func (f filing) awareAt() time.Time {
	if f.incident.ConfirmedAt != nil {
		return *f.incident.ConfirmedAt
	}
	aware := f.now
	for _, a := range f.alerts {
		if (f.incident.Exercise || !a.Exercise) && a.RaisedAt.Before(aware) {
			aware = a.RaisedAt
		}
	}
	return aware
}

// facts gathers what the machine knows.
func (f filing) facts(id string) notice.Facts {
	facts := notice.Facts{ID: id, Incident: f.incident, Site: f.site, CreatedAt: f.now, AwareAt: f.awareAt()}
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
