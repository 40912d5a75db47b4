package state

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"nirapod/safety"
)

// Book is the record of what people act on (alerts, incidents, signals,
// notices, permits and what has to leave the machine) within one transaction.
// Only package alerts writes it, and of permits package permit.
type Book struct {
	tx      transaction
	entries []entry // for the ledger, at the end
	entered map[[3]string]int
	touched []touched
	seen    map[touched]bool
}

// Book runs fn on the book in one transaction: all that fn wrote is durable
// when Book returns nil, and none of it when it returns an error. The limits of
// Write hold for fn.
func (d *DB) Book(ctx context.Context, fn func(b *Book) error) error {
	return d.often(ctx, func(tx transaction) error {
		b := &Book{tx: tx, entered: map[[3]string]int{}, seen: map[touched]bool{}}
		if err := fn(b); err != nil {
			return err
		}
		return b.flush(ctx)
	})
}

// Cursor returns the position that a role saved under name, 0 if none.
func (b *Book) Cursor(ctx context.Context, name string) (int64, error) {
	value, err := one(ctx, b.tx, scanOne[int64], `SELECT value FROM role_cursors WHERE name = ?`, name)
	if errors.Is(err, safety.ErrNotFound) {
		return 0, nil
	}
	return value, err
}

// SetCursor saves a role's position under name.
func (b *Book) SetCursor(ctx context.Context, name string, value int64) error {
	_, err := b.tx.ExecContext(ctx, `INSERT INTO role_cursors (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// nextChange numbers a write of a row that people follow live.
func (b *Book) nextChange(ctx context.Context) (int64, error) {
	return one(ctx, b.tx, scanOne[int64], `UPDATE change_counter SET value = value + 1 RETURNING value`)
}

// AddTransition adds a transition of the server's own (Run "") for all who
// follow them, package alerts among them.
func (b *Book) AddTransition(ctx context.Context, t safety.Transition) error {
	entries, err := putTransitions(ctx, b.tx, []safety.Transition{t})
	for _, e := range entries {
		b.enter(e)
	}
	return err
}

// Reset is a person's wish to end a latched point.
type Reset struct {
	ID      int64 // cursor
	Factory string
	Point   string
	By      string
	At      time.Time
}

// AddReset records a reset for the server's own engine.
func (b *Book) AddReset(ctx context.Context, r Reset) error {
	e, err := one(ctx, b.tx, ledgeredResets.scan, `INSERT INTO resets (factory, point, by, at) VALUES (?, ?, ?, ?)
		RETURNING `+ledgeredResets.columns(), r.Factory, r.Point, r.By, millis(r.At))
	if err == nil {
		b.enter(e)
	}
	return err
}

const resetColumns = `id, factory, point, by, at`

func scanReset(row scanner) (r Reset, err error) {
	var at int64
	err = row.Scan(&r.ID, &r.Factory, &r.Point, &r.By, &at)
	r.At = moment(at)
	return r, err
}

// ResetsAfter returns up to limit resets with ids above id, in order of id.
func (d *DB) ResetsAfter(ctx context.Context, id int64, limit int) ([]Reset, error) {
	return query(ctx, d.reader, scanReset, `SELECT `+resetColumns+` FROM resets WHERE id > ? ORDER BY id LIMIT ?`, id, limit)
}

// docs marshals values for the doc columns of one row.
func docs(values ...any) ([]string, error) {
	out := make([]string, len(values))
	for i, v := range values {
		doc, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		out[i] = string(doc)
	}
	return out, nil
}

// optional stores an absent time as NULL.
func optional(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMilli()
}
