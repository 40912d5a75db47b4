package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"nirapod/safety"
)

// PermitActKind says what a person did about a permit.
type PermitActKind string

// The kinds of acts.
const (
	PermitOpened PermitActKind = "opened"
	PermitEnded  PermitActKind = "ended" // before its time
	PermitTested PermitActKind = "tested"
)

// PermitAct is what a person did about a permit. Acts are only ever added.
type PermitAct struct {
	ID      int64 // cursor
	Factory string
	Kind    PermitActKind
	Permit  safety.Permit // whole when it was opened; else only its id
	Sensor  string        // that was tested
	By      string
	At      time.Time
}

// PermitOutcome is what the server's rules made of a permit.
type PermitOutcome struct {
	ID      string
	At      time.Time
	Refused string // why they did not take it
}

// PermitTaken is the word of a gateway that its rules isolate a sensor.
type PermitTaken struct {
	Factory, Gateway, Sensor string
	At                       time.Time // by the gateway's clock
}

// Permit returns a permit of a factory.
func (b *Book) Permit(ctx context.Context, factory, id string) (safety.PermitRecord, error) {
	return one(ctx, b.tx, scanJSON[safety.PermitRecord], `SELECT doc FROM permits WHERE factory = ? AND id = ?`, factory, id)
}

// OpenPermits returns the permits of a factory that stand or have sensors that
// nobody tested since, oldest first.
func (b *Book) OpenPermits(ctx context.Context, factory string) ([]safety.PermitRecord, error) {
	return openPermits(ctx, b.tx, factory)
}

func openPermits(ctx context.Context, q querier, factory string) ([]safety.PermitRecord, error) {
	return query(ctx, q, scanJSON[safety.PermitRecord], `SELECT doc FROM permits WHERE factory = ? AND open = 1 ORDER BY id`, factory)
}

// ActOnPermit adds an act and writes what its permit is after it.
func (b *Book) ActOnPermit(ctx context.Context, a PermitAct, after safety.PermitRecord) error {
	doc := ""
	if a.Kind == PermitOpened {
		encoded, err := docs(after.Permit)
		if err != nil {
			return err
		}
		doc = encoded[0]
	}
	e, err := one(ctx, b.tx, ledgeredPermits.scan, `INSERT INTO permit_acts (factory, permit, kind, sensor, by, at, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING `+ledgeredPermits.columns(), a.Factory, after.ID, a.Kind, a.Sensor, a.By, millis(a.At), doc)
	if err != nil {
		return err
	}
	b.enter(e)
	return savePermit(ctx, b.tx, after)
}

func savePermit(ctx context.Context, tx transaction, r safety.PermitRecord) error {
	change, err := (&Book{tx: tx}).nextChange(ctx)
	if err != nil {
		return err
	}
	doc, err := docs(r)
	if err != nil {
		return err
	}
	open := r.Refused == "" && len(r.Untested()) > 0
	_, err = tx.ExecContext(ctx, `INSERT INTO permits (id, factory, open, until, change, doc) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET open = excluded.open, until = excluded.until, change = excluded.change, doc = excluded.doc`,
		r.ID, r.FactoryID, open, millis(r.End()), change, doc[0])
	return err
}

// putOutcomes writes down what the server's rules made of permits.
func putOutcomes(ctx context.Context, tx transaction, outcomes []PermitOutcome) error {
	for _, o := range outcomes {
		r, err := one(ctx, tx, scanJSON[safety.PermitRecord], `SELECT doc FROM permits WHERE id = ?`, o.ID)
		if err != nil {
			return fmt.Errorf("permit %s: %w", o.ID, err)
		}
		r.AppliedAt, r.Refused = &o.At, o.Refused
		if err := savePermit(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// clocksApart is by how much the clock of a gateway may be behind the server's.
const clocksApart = time.Minute

// putTaken writes down which gateways took permits: of the sensor's open ones it
// is the newest, unless the word is older than that.
func putTaken(ctx context.Context, tx transaction, words []PermitTaken) error {
	for _, w := range words {
		open, err := openPermits(ctx, tx, w.Factory)
		if err != nil {
			return err
		}
		for _, r := range slices.Backward(open) {
			if !slices.Contains(r.Sensors, w.Sensor) {
				continue
			}
			if !w.At.Before(r.From.Add(-clocksApart)) && !slices.Contains(r.TakenBy, w.Gateway) {
				r.TakenBy = append(r.TakenBy, w.Gateway)
				if err := savePermit(ctx, tx, r); err != nil {
					return err
				}
			}
			break
		}
	}
	return nil
}

// PermitActsAfter returns up to limit acts with ids above id, in order of id.
func (d *DB) PermitActsAfter(ctx context.Context, id int64, limit int) ([]PermitAct, error) {
	return query(ctx, d.reader, func(row scanner) (a PermitAct, err error) {
		var at int64
		var doc []byte
		if err := row.Scan(&a.ID, &a.Factory, &a.Permit.ID, &a.Kind, &a.Sensor, &a.By, &at, &doc); err != nil {
			return a, err
		}
		a.At = moment(at)
		if len(doc) > 0 {
			err = json.Unmarshal(doc, &a.Permit)
		}
		return a, err
	}, `SELECT id, factory, permit, kind, sensor, by, at, doc FROM permit_acts WHERE id > ? ORDER BY id LIMIT ?`, id, limit)
}

// PermitsSince returns the permits of a factory that are open, and those that
// ended at since or later, oldest first.
func (d *DB) PermitsSince(ctx context.Context, factory string, since time.Time) ([]safety.PermitRecord, error) {
	return query(ctx, d.reader, scanJSON[safety.PermitRecord],
		`SELECT doc FROM permits WHERE factory = ? AND (open = 1 OR until >= ?) ORDER BY id`, factory, millis(since))
}

// PermitsBetween returns the permits of a factory that the rules took and that
// ended at from or later and began before to, in order of their begin.
func (d *DB) PermitsBetween(ctx context.Context, factory string, from, to time.Time) ([]safety.PermitRecord, error) {
	found, err := query(ctx, d.reader, scanJSON[safety.PermitRecord],
		`SELECT doc FROM permits WHERE factory = ? AND until >= ? ORDER BY id`, factory, millis(from))
	found = slices.DeleteFunc(found, func(r safety.PermitRecord) bool {
		return r.AppliedAt == nil || r.Refused != "" || !r.From.Before(to)
	})
	slices.SortStableFunc(found, func(a, b safety.PermitRecord) int { return a.From.Compare(b.From) })
	return found, err
}

// PermitFilter chooses permits. Empty fields choose all.
type PermitFilter struct {
	Factory string
	Open    bool // it stands, or a sensor of it is untested
}

// Permits returns a page of permits, newest first, as Alerts does.
func (v *View) Permits(ctx context.Context, f PermitFilter, cursor string, limit int) (Page[safety.PermitRecord], error) {
	s := selection{{"factory = ?", f.Factory}}
	if f.Open {
		s = append(s, criterion{"open = ?", strconv.Itoa(1)})
	}
	return list(ctx, v, "permits", s, cursor, limit, func(r safety.PermitRecord) string { return r.ID })
}

// Permit returns one permit.
func (v *View) Permit(ctx context.Context, id string) (safety.PermitRecord, error) {
	return single[safety.PermitRecord](ctx, v, "permits", id)
}
