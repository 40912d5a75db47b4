package state

import (
	"context"

	"nirapod/safety"
)

// Signal returns the signal with that id.
func (b *Book) Signal(ctx context.Context, id string) (safety.Signal, error) {
	return one(ctx, b.tx, scanJSON[safety.Signal], `SELECT doc FROM signals WHERE id = ?`, id)
}

// IncidentSignal returns an incident's signal, the real or the exercise one.
func (b *Book) IncidentSignal(ctx context.Context, incident string, exercise bool) (safety.Signal, error) {
	return one(ctx, b.tx, scanJSON[safety.Signal], `SELECT doc FROM signals WHERE incident = ? AND exercise = ?`, incident, exercise)
}

// SaveSignal writes s as it now is. A second signal of an incident is refused
// with an error wrapping safety.ErrConflict.
func (b *Book) SaveSignal(ctx context.Context, s safety.Signal) error {
	doc, err := docs(s)
	if err != nil {
		return err
	}
	err = b.save(ctx, ledgeredSignals, s.ID, func() error {
		_, err := b.tx.ExecContext(ctx, `INSERT INTO signals (id, factory, incident, exercise, status, doc) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, doc = excluded.doc`,
			s.ID, s.FactoryID, s.IncidentID, s.Exercise, s.Status, doc[0])
		return err
	})
	return conflict(err, "signal of incident %s", s.IncidentID)
}

// Notice returns the notice with that id.
func (b *Book) Notice(ctx context.Context, id string) (safety.Notice, error) {
	return one(ctx, b.tx, scanJSON[safety.Notice], `SELECT doc FROM notices WHERE id = ?`, id)
}

// IncidentNotice returns an incident's notice of a kind, the real or the exercise one.
func (b *Book) IncidentNotice(ctx context.Context, incident, kind string, exercise bool) (safety.Notice, error) {
	return one(ctx, b.tx, scanJSON[safety.Notice], `SELECT doc FROM notices WHERE incident = ? AND kind = ? AND exercise = ?`,
		incident, kind, exercise)
}

// SaveNotice writes n as it now is. A second notice of a kind for an incident
// is refused with an error wrapping safety.ErrConflict.
func (b *Book) SaveNotice(ctx context.Context, n safety.Notice) error {
	change, err := b.nextChange(ctx)
	if err != nil {
		return err
	}
	doc, err := docs(n)
	if err != nil {
		return err
	}
	err = b.save(ctx, ledgeredNotices, n.ID, func() error {
		_, err := b.tx.ExecContext(ctx, `INSERT INTO notices
		(id, factory, incident, kind, exercise, status, occurred_at, due_at, change, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET exercise = excluded.exercise, status = excluded.status,
			occurred_at = excluded.occurred_at, due_at = excluded.due_at, change = excluded.change, doc = excluded.doc`,
			n.ID, n.FactoryID, n.IncidentID, n.Kind, n.Exercise, n.Status, n.OccurredAt.UnixMilli(), optional(n.DueAt), change, doc[0])
		return err
	})
	return conflict(err, "notice %s of incident %s", n.Kind, n.IncidentID)
}
