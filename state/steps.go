package state

import (
	"context"
	"database/sql"
	"time"
)

// Step is one step of the ladder for one alert.
type Step struct {
	Alert   string     `json:"alert_id"`
	Name    string     `json:"name"`
	Factory string     `json:"factory_id"`
	Due     time.Time  `json:"due_at"`
	Done    *time.Time `json:"done_at"`
	Outcome string     `json:"outcome"` // of a done one: told, nobody or over
}

const stepColumns = `alert, name, factory, due_at, done_at, outcome`

func scanStep(row scanner) (s Step, err error) {
	var due int64
	var done sql.NullInt64
	err = row.Scan(&s.Alert, &s.Name, &s.Factory, &due, &done, &s.Outcome)
	s.Due, s.Done = moment(due), perhaps(done)
	return s, err
}

// perhaps is the time of a column that may be NULL.
func perhaps(ms sql.NullInt64) *time.Time {
	if !ms.Valid {
		return nil
	}
	at := moment(ms.Int64)
	return &at
}

// PlanStep plans a step, or moves one that is not done.
func (b *Book) PlanStep(ctx context.Context, s Step) error {
	_, err := b.tx.ExecContext(ctx, `INSERT INTO steps (alert, name, factory, due_at, outcome) VALUES (?, ?, ?, ?, '')
		ON CONFLICT (alert, name) DO UPDATE SET due_at = excluded.due_at WHERE done_at IS NULL`,
		s.Alert, s.Name, s.Factory, millis(s.Due))
	return err
}

// HastenStep makes a step due at now at the latest, if it is not done.
func (b *Book) HastenStep(ctx context.Context, alert, name string, now time.Time) error {
	_, err := b.tx.ExecContext(ctx, `UPDATE steps SET due_at = min(due_at, ?)
		WHERE alert = ? AND name = ? AND done_at IS NULL`, millis(now), alert, name)
	return err
}

// EndStep writes down that a step was done at now, and how.
func (b *Book) EndStep(ctx context.Context, s Step, outcome string, now time.Time) error {
	_, err := b.tx.ExecContext(ctx, `UPDATE steps SET done_at = ?, outcome = ? WHERE alert = ? AND name = ? AND done_at IS NULL`,
		millis(now), outcome, s.Alert, s.Name)
	return err
}

// DueSteps returns up to limit steps that are due at now and not done, the
// longest due first.
func (d *DB) DueSteps(ctx context.Context, now time.Time, limit int) ([]Step, error) {
	return query(ctx, d.reader, scanStep, `SELECT `+stepColumns+` FROM steps
		WHERE done_at IS NULL AND due_at <= ? ORDER BY due_at, alert LIMIT ?`, millis(now), limit)
}

// Steps returns the steps of an alert, by time.
func (d *DB) Steps(ctx context.Context, alert string) ([]Step, error) {
	return query(ctx, d.reader, scanStep, `SELECT `+stepColumns+` FROM steps WHERE alert = ? ORDER BY due_at, name`, alert)
}
