package state

import (
	"context"
	"database/sql"
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"nirapod/internal/tree"
	"nirapod/safety"
)

// Head returns the head of a factory's tree as it is now. The error wraps
// safety.ErrNotFound while the tree is empty.
func (d *DB) Head(ctx context.Context, factory string) (h tree.Head, err error) {
	err = d.snapshot(ctx, func(tx *sql.Tx) error {
		h, err = head(ctx, tx, factory)
		return err
	})
	return h, err
}

func head(ctx context.Context, q querier, factory string) (h tree.Head, err error) {
	h.Factory = factory
	if h.Size, err = ledgerSize(ctx, q, factory); err != nil {
		return h, err
	}
	if h.Size == 0 {
		return h, safety.ErrNotFound
	}
	h.Root, err = tlog.TreeHash(h.Size, stored{ctx, q, factory})
	return h, err
}

// snapshot runs fn on one picture of the state, whatever is written meanwhile.
func (d *DB) snapshot(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := d.reader.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return errors.Join(fn(tx), rollback(tx))
}

// Ledgers returns the factories that have a tree, sorted.
func (d *DB) Ledgers(ctx context.Context) ([]string, error) {
	return ledgers(ctx, d.reader)
}

func ledgers(ctx context.Context, q querier) ([]string, error) {
	// One look into the index per factory, however many leaves it has.
	return query(ctx, q, scanOne[string], `WITH RECURSIVE f(factory) AS (
		SELECT min(factory) FROM ledger_leaves UNION ALL
		SELECT (SELECT min(factory) FROM ledger_leaves WHERE factory > f.factory) FROM f WHERE f.factory IS NOT NULL)
		SELECT factory FROM f WHERE factory IS NOT NULL ORDER BY factory`)
}

// KeepHead keeps a signed head.
func (d *DB) KeepHead(ctx context.Context, h tree.Head, note []byte) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ledger_heads (factory, size, note) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			h.Factory, h.Size, string(note))
		return err
	})
}

// SignedHead returns the newest kept head of a factory.
func (d *DB) SignedHead(ctx context.Context, factory string) ([]byte, error) {
	return signedHead(ctx, d.reader, factory)
}

func signedHead(ctx context.Context, q querier, factory string) ([]byte, error) {
	return one(ctx, q, scanOne[[]byte], `SELECT note FROM ledger_heads WHERE factory = ? ORDER BY size DESC LIMIT 1`, factory)
}

// ProveGrowth proves that the tree of size to grew from that of size from.
func (d *DB) ProveGrowth(ctx context.Context, factory string, from, to int64) (tlog.TreeProof, error) {
	if from == 0 {
		return nil, nil
	}
	return tlog.ProveTree(to, from, stored{ctx, d.reader, factory})
}
