package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"nirapod/safety"
)

// Incident is an incident with the time of the machine's next decision on it.
type Incident struct {
	safety.Incident
	NextAt *time.Time // nil: only when something happens
}

func scanIncident(row scanner) (i Incident, err error) {
	var doc []byte
	var next sql.NullInt64
	if err := row.Scan(&doc, &next); err != nil {
		return i, err
	}
	if next.Valid {
		at := time.UnixMilli(next.Int64).UTC()
		i.NextAt = &at
	}
	return i, json.Unmarshal(doc, &i.Incident)
}

// Incident returns the incident with that id.
func (b *Book) Incident(ctx context.Context, id string) (Incident, error) {
	return one(ctx, b.tx, scanIncident, `SELECT doc, next_at FROM incidents WHERE id = ?`, id)
}

// RecentIncidents returns a factory's open incidents that have an alert which
// is not cleared or occurred at or after since, oldest first.
func (b *Book) RecentIncidents(ctx context.Context, factory string, since time.Time) ([]Incident, error) {
	return query(ctx, b.tx, scanIncident, `SELECT doc, next_at FROM incidents WHERE state = 'open' AND id IN
		(SELECT incident FROM alerts WHERE factory = ? AND incident <> '' AND (state <> ? OR occurred_at >= ?))
		ORDER BY id`, factory, safety.Cleared, since.UnixMilli())
}

// DueIncidents returns incidents on which the machine has to decide at now.
func (b *Book) DueIncidents(ctx context.Context, now time.Time, limit int) ([]Incident, error) {
	return query(ctx, b.tx, scanIncident, `SELECT doc, next_at FROM incidents WHERE next_at <= ? ORDER BY next_at LIMIT ?`,
		now.UnixMilli(), limit)
}

// SaveIncident writes i as it now is.
func (b *Book) SaveIncident(ctx context.Context, i Incident) error {
	change, err := b.nextChange(ctx)
	if err != nil {
		return err
	}
	doc, err := docs(i.Incident)
	if err != nil {
		return err
	}
	err = b.save(ctx, ledgeredIncidents, i.ID, func() error {
		_, err := b.tx.ExecContext(ctx, `INSERT INTO incidents (id, factory, kind, state, occurred_at, next_at, change, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, state = excluded.state, occurred_at = excluded.occurred_at,
			next_at = excluded.next_at, change = excluded.change, doc = excluded.doc`,
			i.ID, i.FactoryID, i.Kind, i.State, i.OccurredAt.UnixMilli(), optional(i.NextAt), change, doc[0])
		return err
	})
	return err
}
