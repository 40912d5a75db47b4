package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"nirapod/internal/tree"
	"nirapod/safety"
)

// Piece is one leaf of an incident's evidence with its text and the proof that
// it is in the tree.
type Piece struct {
	Leaf  []byte // JSON of a tree.Leaf
	Open  []byte
	Salt  []byte // nil: the open text is all, or the whole one was erased
	Full  []byte
	Proof tlog.RecordProof
}

// pieces chooses the leaves about an incident: of itself, its alerts, what
// happened at their points, papers, messages and acts, who took its evidence,
// and which site and rules were in force.
const pieces = `WITH
	a AS MATERIALIZED (SELECT id, point FROM alerts WHERE factory = :factory AND incident = :incident),
	papers AS MATERIALIZED (SELECT 'signal' AS kind, id FROM signals WHERE factory = :factory AND incident = :incident
		UNION ALL SELECT 'notice', id FROM notices WHERE factory = :factory AND incident = :incident),
	refs(kind, ref) AS (
		VALUES ('incident', :incident), ('evidence', :incident)
		UNION SELECT 'alert', id FROM a
		UNION SELECT kind, id FROM papers
		UNION SELECT 'transition', CAST(id AS TEXT) FROM transitions
			WHERE factory = :factory AND point IN (SELECT point FROM a) AND at BETWEEN :from AND :to
		UNION SELECT 'reset', CAST(id AS TEXT) FROM resets
			WHERE factory = :factory AND point IN (SELECT point FROM a) AND at BETWEEN :from AND :to
		UNION SELECT 'message', CAST(seq AS TEXT) FROM outbox WHERE factory = :factory AND (ref IN (SELECT id FROM papers)
			OR EXISTS (SELECT 1 FROM a WHERE key LIKE 'ack/' || a.id || '/%'))),
	erased(kind, ref) AS (SELECT 'erased', kind || '/' || ref FROM refs)
	SELECT n, l.leaf FROM (SELECT * FROM refs UNION ALL SELECT * FROM erased) JOIN ledger_leaves l USING (kind, ref) WHERE l.factory = :factory
	UNION SELECT n, leaf FROM ledger_leaves l WHERE factory = :factory AND kind IN ('site', 'rules') AND leaf ->> 'at' <= :until
		AND n >= ifnull((SELECT max(b.n) FROM ledger_leaves b WHERE b.factory = :factory AND b.kind = l.kind AND b.leaf ->> 'at' <= :since), 0)
	ORDER BY 1`

// Evidence returns the leaves about an incident that happened between two
// times, in order, with proofs for the tree of that size. full adds the whole
// texts, which name people.
func (v *View) Evidence(ctx context.Context, id string, from, to time.Time, size int64, full bool) (found []Piece, err error) {
	incident, err := v.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	err = v.d.snapshot(ctx, func(tx *sql.Tx) error {
		type row struct {
			n    int64
			leaf []byte
		}
		leaves, err := query(ctx, tx, func(s scanner) (r row, err error) { return r, s.Scan(&r.n, &r.leaf) }, pieces,
			sql.Named("factory", incident.FactoryID), sql.Named("incident", incident.ID),
			sql.Named("from", millis(from)), sql.Named("to", millis(to)),
			sql.Named("since", from.UTC().Format(time.RFC3339)), sql.Named("until", to.UTC().Format(time.RFC3339)))
		if err != nil {
			return err
		}
		for _, r := range leaves {
			if r.n >= size {
				continue // it came after the head
			}
			p, err := piece(ctx, tx, r.leaf, full)
			if err != nil {
				return err
			}
			if p.Proof, err = tlog.ProveRecord(size, r.n, stored{ctx, tx, incident.FactoryID}); err != nil {
				return err
			}
			found = append(found, p)
		}
		return nil
	})
	return found, err
}

func piece(ctx context.Context, tx *sql.Tx, data []byte, full bool) (p Piece, err error) {
	l, err := tree.DecodeLeaf(data)
	if err != nil {
		return p, err
	}
	p.Leaf = data
	if l.Kind == kindTransition {
		id, err := strconv.ParseInt(l.Ref, 10, 64)
		if err != nil {
			return p, fmt.Errorf("%s: %w", l, safety.ErrInvalid)
		}
		e, err := ledgeredTransitions.row(ctx, tx, id)
		p.Open = e.text
		return p, err
	}
	p, err = one(ctx, tx, func(row scanner) (p Piece, err error) { return p, row.Scan(&p.Open, &p.Salt, &p.Full) },
		`SELECT open, salt, full FROM ledger_texts WHERE factory = ? AND n = ?`, l.Factory, l.N)
	p.Leaf = data
	if !full {
		p.Salt, p.Full = nil, nil
	}
	return p, err
}

// Note enters something that no ledgered row holds into a factory's ledger.
func (d *DB) Note(ctx context.Context, factory, kind, ref string, text []byte) error {
	return d.Book(ctx, func(b *Book) error {
		b.Note(factory, kind, ref, text)
		return nil
	})
}

// NoteNew is Note unless ref is the newest of its kind already.
func (d *DB) NoteNew(ctx context.Context, factory, kind, ref string, text []byte) error {
	return d.Book(ctx, func(b *Book) error {
		newest, err := query(ctx, b.tx, scanOne[string], `SELECT ref FROM ledger_leaves WHERE factory = ? AND kind = ?
			ORDER BY n DESC LIMIT 1`, factory, kind)
		if err == nil && (len(newest) == 0 || newest[0] != ref) {
			b.Note(factory, kind, ref, text)
		}
		return err
	})
}

// Erase removes whole texts and salts of all leaves of a row, so that nothing
// in the ledger says any more who stood in it, and enters that it did. The tree
// verifies as before. It does not touch the row itself.
func (d *DB) Erase(ctx context.Context, factory, kind, ref, by, reason string) error {
	return d.Book(ctx, func(b *Book) error {
		done, err := b.tx.ExecContext(ctx, `UPDATE ledger_texts SET salt = NULL, full = NULL WHERE factory = ?1 AND full IS NOT NULL
			AND n IN (SELECT n FROM ledger_leaves WHERE factory = ?1 AND kind = ?2 AND ref = ?3)`, factory, kind, ref)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%s %s of %s: nothing to erase: %w", kind, ref, factory, safety.ErrNotFound)
		}
		text, err := json.Marshal(map[string]any{"kind": kind, "ref": ref, "leaves": n, "by": by, "reason": reason})
		b.Note(factory, tree.KindErased, kind+"/"+ref, text)
		return err
	})
}
