package state

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"nirapod/safety"
)

// Alert is an alert with what package alerts alone has to remember about it.
type Alert struct {
	safety.Alert
	Grouped bool // its incident has seen its newest evidence
	Work    AlertWork
}

// AlertWork is the inner side of an alert.
type AlertWork struct {
	Sources  []string   `json:"sources"`  // who said firing since it was raised
	EndedAt  *time.Time `json:"ended_at"` // when its condition was gone, by event time; nil while it is not
	Evidence []Evidence `json:"evidence"` // oldest first
	ResetAt  *time.Time `json:"reset_at"` // a person reset it
	ResetBy  string     `json:"reset_by"`
	// Unwatched are those of Sources that said that they watch it no longer.
	Unwatched   []string `json:"unwatched,omitempty"`
	ResetReason string   `json:"reset_reason,omitempty"` // why a person could end it before its condition
}

// Evidence is one piece of what made an alert true.
type Evidence struct {
	Transition  int64        `json:"transition"` // id in the transitions
	Source      string       `json:"source"`
	Sensor      string       `json:"sensor"`
	Zone        string       `json:"zone"`
	Grade       safety.Grade `json:"grade"`
	RuleVersion string       `json:"rule_version"`
	At          time.Time    `json:"at"`
	Values      values       `json:"values"` // may hold what is not finite
	Exercise    bool         `json:"exercise"`
}

// Word is one thing that a source said about a point.
type Word struct {
	From  safety.State `json:"from"`
	State safety.State `json:"state"`
	At    time.Time    `json:"at"`
	ID    int64        `json:"id"`   // of the transition
	Held  bool         `json:"held"` // not firing now, but since it did it has not been inactive
}

const alertColumns = `doc, grouped, work`

func scanAlert(row scanner) (a Alert, err error) {
	var doc, work []byte
	if err := row.Scan(&doc, &a.Grouped, &work); err != nil {
		return a, err
	}
	return a, errors.Join(json.Unmarshal(doc, &a.Alert), json.Unmarshal(work, &a.Work))
}

// Alert returns the alert with that id.
func (b *Book) Alert(ctx context.Context, id string) (Alert, error) {
	return one(ctx, b.tx, scanAlert, `SELECT `+alertColumns+` FROM alerts WHERE id = ?`, id)
}

// OpenAlert returns the one open alert at a point.
func (b *Book) OpenAlert(ctx context.Context, point string) (Alert, error) {
	return one(ctx, b.tx, scanAlert, `SELECT `+alertColumns+` FROM alerts WHERE point = ? AND state <> ?`,
		point, safety.Cleared)
}

// ClosedAlerts returns the newest cleared alerts at a point, newest first.
func (b *Book) ClosedAlerts(ctx context.Context, point string, limit int) ([]Alert, error) {
	return query(ctx, b.tx, scanAlert, `SELECT `+alertColumns+` FROM alerts WHERE point = ? AND state = ?
		ORDER BY id DESC LIMIT ?`, point, safety.Cleared, limit)
}

// UngroupedAlerts returns alerts whose incident has not seen their newest evidence.
func (b *Book) UngroupedAlerts(ctx context.Context, limit int) ([]Alert, error) {
	return query(ctx, b.tx, scanAlert, `SELECT `+alertColumns+` FROM alerts WHERE grouped = 0 ORDER BY id LIMIT ?`, limit)
}

// IncidentAlerts returns the alerts of an incident, first-out first.
func (b *Book) IncidentAlerts(ctx context.Context, incident string) ([]Alert, error) {
	return query(ctx, b.tx, scanAlert, `SELECT `+alertColumns+` FROM alerts WHERE incident = ? ORDER BY occurred_at, id`, incident)
}

// SaveAlert writes a as it now is. A second open alert at one point is refused
// with an error wrapping safety.ErrConflict.
func (b *Book) SaveAlert(ctx context.Context, a Alert) error {
	change, err := b.nextChange(ctx)
	if err != nil {
		return err
	}
	doc, err := docs(a.Alert, a.Work)
	if err != nil {
		return err
	}
	err = b.save(ctx, ledgeredAlerts, a.ID, func() error {
		_, err := b.tx.ExecContext(ctx, `INSERT INTO alerts
		(id, factory, point, class, state, incident, occurred_at, grouped, change, doc, work)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, incident = excluded.incident,
			occurred_at = excluded.occurred_at, grouped = excluded.grouped, change = excluded.change,
			doc = excluded.doc, work = excluded.work`,
			a.ID, a.FactoryID, a.Point, a.Class, a.State, a.IncidentID, a.OccurredAt.UnixMilli(), a.Grouped, change, doc[0], doc[1])
		return err
	})
	return conflict(err, "open alert at point %s", a.Point)
}

// Words returns what every source lately said about a point, by source, in
// order of the time at which it happened.
func (b *Book) Words(ctx context.Context, point string) (map[string][]Word, error) {
	words, err := one(ctx, b.tx, scanJSON[map[string][]Word], `SELECT sources FROM points WHERE point = ?`, point)
	if errors.Is(err, safety.ErrNotFound) {
		return map[string][]Word{}, nil
	}
	return words, err
}

// SaveWords writes what the sources of a point lately said.
func (b *Book) SaveWords(ctx context.Context, factory, point string, words map[string][]Word) error {
	doc, err := docs(words)
	if err != nil {
		return err
	}
	_, err = b.tx.ExecContext(ctx, `INSERT INTO points (point, factory, sources) VALUES (?, ?, ?)
		ON CONFLICT (point) DO UPDATE SET sources = excluded.sources`, point, factory, doc[0])
	return err
}
