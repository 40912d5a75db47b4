package state

import (
	"context"
	"time"

	"nirapod/safety"
)

// RaisedBetween returns the transitions of a factory to firing and to inactive that
// happened with from <= At < to, whoever told them, in order of what happened.
func (d *DB) RaisedBetween(ctx context.Context, factory string, from, to time.Time) ([]safety.Transition, error) {
	return query(ctx, d.reader, scanTransition, `SELECT id, `+transitionColumns+` FROM transitions
		WHERE factory = ? AND at >= ? AND at < ? AND to_state IN ('firing', 'inactive') ORDER BY at, id`,
		factory, millis(from), millis(to))
}
