package state

import (
	"context"
	"database/sql"
	"encoding/json"
)

// Change is a row that people follow live, as it is now. Every write of such a
// row gives it the next id; an earlier id of the same row is then gone.
type Change struct {
	ID      int64
	Kind    string // alert | incident | notice | permit
	Factory string
	Doc     json.RawMessage // safety.Alert, safety.Incident, safety.Notice or safety.PermitRecord
}

// ChangesAfter returns at most limit changes with an id above after, oldest
// first. It crosses tenants: the caller sends a change only to those who may
// see its factory.
func (d *DB) ChangesAfter(ctx context.Context, after int64, limit int) ([]Change, error) {
	return query(ctx, d.reader, func(row scanner) (c Change, err error) {
		return c, row.Scan(&c.ID, &c.Kind, &c.Factory, (*[]byte)(&c.Doc))
	}, `SELECT change, 'alert', factory, doc FROM alerts WHERE change > :after
		UNION ALL SELECT change, 'incident', factory, doc FROM incidents WHERE change > :after
		UNION ALL SELECT change, 'notice', factory, doc FROM notices WHERE change > :after
		UNION ALL SELECT change, 'permit', factory, doc FROM permits WHERE change > :after
		ORDER BY 1 LIMIT :limit`, sql.Named("after", after), sql.Named("limit", limit))
}

// LastChange returns the id of the newest change, 0 when there was none.
func (d *DB) LastChange(ctx context.Context) (int64, error) {
	return one(ctx, d.reader, scanOne[int64], `SELECT value FROM change_counter`)
}
