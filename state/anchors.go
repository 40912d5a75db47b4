package state

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Anchor ties the monotonic clock of one boot of a gateway to the wall clock.
// A provisional one is the server's guess for a gateway without a clock.
type Anchor struct {
	Factory, Gateway, Boot string
	ID                     string
	Mono                   int64     // ms of the boot's monotonic clock at Wall
	Wall                   time.Time // UTC, whole milliseconds
	Provisional            bool
}

const anchorColumns = `factory, gateway, boot, id, mono, wall, provisional`

func scanAnchor(row scanner) (a Anchor, err error) {
	var wall int64
	err = row.Scan(&a.Factory, &a.Gateway, &a.Boot, &a.ID, &a.Mono, &wall, &a.Provisional)
	a.Wall = moment(wall)
	return a, err
}

// Anchor returns the anchor by which the readings of a boot are placed. The
// error wraps safety.ErrNotFound when there is none yet.
func (d *DB) Anchor(ctx context.Context, factory, gateway, boot string) (Anchor, error) {
	a, err := anchorOf(ctx, d.reader, Anchor{Factory: factory, Gateway: gateway, Boot: boot})
	if err != nil {
		return Anchor{}, fmt.Errorf("anchor of boot %s of %s/%s: %w", boot, factory, gateway, err)
	}
	return a, nil
}

func anchorOf(ctx context.Context, q querier, a Anchor) (Anchor, error) {
	return one(ctx, q, scanAnchor, `SELECT `+anchorColumns+` FROM anchors WHERE factory = ? AND gateway = ? AND boot = ?`,
		a.Factory, a.Gateway, a.Boot)
}

// FirstAnchor stores a unless its boot has an anchor, and returns the one that
// the boot has from then on: readings that were placed never move. A true
// anchor that comes too late is kept as a correction (see AnchorCorrections).
// What is returned is durable.
func (d *DB) FirstAnchor(ctx context.Context, a Anchor) (first Anchor, err error) {
	err = d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO anchors (`+anchorColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			a.Factory, a.Gateway, a.Boot, a.ID, a.Mono, millis(a.Wall), a.Provisional)
		if err != nil {
			return err
		}
		if first, err = anchorOf(ctx, tx, a); err != nil || first.ID == a.ID || a.Provisional {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO anchor_corrections (factory, gateway, boot, id, mono, wall)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, a.Factory, a.Gateway, a.Boot, a.ID, a.Mono, millis(a.Wall))
		return err
	})
	if err != nil {
		return Anchor{}, fmt.Errorf("anchor %s: %w", a.ID, err)
	}
	return first, nil
}

// AnchorCorrections returns the true anchors that came after readings of the
// boot had been placed by another, oldest first.
func (d *DB) AnchorCorrections(ctx context.Context, factory, gateway, boot string) ([]Anchor, error) {
	return query(ctx, d.reader, scanAnchor, `SELECT factory, gateway, boot, id, mono, wall, 0 FROM anchor_corrections
		WHERE factory = ? AND gateway = ? AND boot = ? ORDER BY wall, id`, factory, gateway, boot)
}
