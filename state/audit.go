package state

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"nirapod/internal/tree"
	"nirapod/safety"
)

// ErrTampered reports that the ledger and what it is about disagree. The text
// around it names the first wrong row.
var ErrTampered = errors.New("the record was changed")

// Audit is what was looked at.
type Audit struct {
	Factory string
	Leaves  int64
	Rows    int
	Heads   int
	Erased  int       // leaves whose whole text was erased, as the ledger says
	Head    tree.Head // of all leaves
}

// Audit compares all leaves with their hashes, texts and rows, all rows with
// their leaves, and all kept heads with the tree. heads are signed heads that
// others hold; public is the verifier key. The first disagreement ends it with
// an error wrapping ErrTampered.
func (d *DB) Audit(ctx context.Context, public string, heads [][]byte) (found []Audit, err error) {
	err = d.snapshot(ctx, func(tx *sql.Tx) error {
		outside, err := openHeads(heads, public)
		if err != nil {
			return err
		}
		factories, err := query(ctx, tx, scanOne[string], everyFactory)
		if err != nil {
			return err
		}
		for _, h := range outside {
			if !slices.Contains(factories, h.Factory) {
				factories = append(factories, h.Factory)
			}
		}
		for _, factory := range factories {
			a := audit{ctx: ctx, tx: tx, public: public, Audit: Audit{Factory: factory}}
			if err := a.run(outside); err != nil {
				return err
			}
			found = append(found, a.Audit)
		}
		return nil
	})
	return found, err
}

// everyFactory also names those that have rows or heads and no leaf any more.
const everyFactory = `SELECT DISTINCT factory FROM ledger_leaves UNION SELECT factory FROM ledger_heads
	UNION SELECT factory FROM ledger_texts
	UNION SELECT factory FROM transitions UNION SELECT factory FROM site_versions UNION SELECT factory FROM sites
	UNION SELECT factory FROM alerts UNION SELECT factory FROM incidents UNION SELECT factory FROM signals
	UNION SELECT factory FROM notices UNION SELECT factory FROM outbox UNION SELECT factory FROM resets ORDER BY 1`

func openHeads(signed [][]byte, public string) (heads []tree.Head, err error) {
	for _, note := range signed {
		h, err := tree.OpenHead(note, public)
		if err != nil {
			return nil, tampered("%v", err)
		}
		heads = append(heads, h)
	}
	return heads, nil
}

func tampered(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrTampered)...)
}

// audit is the look at one factory.
type audit struct {
	ctx     context.Context
	tx      *sql.Tx
	public  string
	heads   map[int64][]tree.Head // by size
	edge    []tlog.Hash           // of the subtrees that make up the leaves read so far, largest first
	adopted bool                  // only adopted leaves were read so far
	Audit
}

func (a *audit) run(outside []tree.Head) error {
	if err := a.collectHeads(outside); err != nil {
		return err
	}
	if err := a.leaves(); err != nil {
		return err
	}
	for size := range a.heads {
		if size > a.Leaves {
			return tampered("ledger of %s: a signed head says %d leaves and there are %d: the newest are gone", a.Factory, size, a.Leaves)
		}
	}
	if err := a.erasures(); err != nil {
		return err
	}
	for _, t := range allLedgered {
		if err := a.rows(t); err != nil {
			return err
		}
	}
	return nil
}

func (a *audit) collectHeads(outside []tree.Head) error {
	heads, err := query(a.ctx, a.tx, func(row scanner) (h tree.Head, err error) {
		var size int64
		var note []byte
		if err := row.Scan(&size, &note); err != nil {
			return h, err
		}
		if h, err = tree.OpenHead(note, a.public); err != nil {
			return h, tampered("ledger of %s: its head of %d leaves: %v", a.Factory, size, err)
		}
		if h.Factory != a.Factory || h.Size != size {
			return h, tampered("ledger of %s: its head of %d leaves is of %s and of %d", a.Factory, size, h.Factory, h.Size)
		}
		return h, nil
	}, `SELECT size, note FROM ledger_heads WHERE factory = ? ORDER BY size`, a.Factory)
	if err != nil {
		return err
	}
	a.heads = map[int64][]tree.Head{}
	for _, h := range append(heads, outside...) {
		if h.Factory == a.Factory {
			a.heads[h.Size] = append(a.heads[h.Size], h)
			a.Heads++
		}
	}
	return nil
}

// storedLeaf is a row of ledger_leaves with its text.
type storedLeaf struct {
	n          int64
	kind, ref  string
	leaf       []byte
	hashes     []byte
	open, full sql.NullString
	salt       []byte
}

func (a *audit) leaves() error {
	rows, err := a.tx.QueryContext(a.ctx, `SELECT l.n, l.kind, l.ref, l.leaf, l.hashes, t.open, t.full, t.salt
		FROM ledger_leaves l LEFT JOIN ledger_texts t USING (factory, n) WHERE l.factory = ? ORDER BY l.n`, a.Factory)
	if err != nil {
		return err
	}
	defer rows.Close()
	a.adopted = true
	for rows.Next() {
		var s storedLeaf
		if err := rows.Scan(&s.n, &s.kind, &s.ref, &s.leaf, &s.hashes, &s.open, &s.full, &s.salt); err != nil {
			return err
		}
		if err := a.leaf(s); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	lone, err := query(a.ctx, a.tx, scanOne[int64], `SELECT n FROM ledger_texts WHERE factory = ?1
		AND NOT EXISTS (SELECT 1 FROM ledger_leaves l WHERE l.factory = ?1 AND l.n = ledger_texts.n) LIMIT 1`, a.Factory)
	if err == nil && len(lone) > 0 {
		return tampered("ledger of %s: leaf %d is gone, its text is there", a.Factory, lone[0])
	}
	return err
}

func (a *audit) leaf(s storedLeaf) error {
	if s.n != a.Leaves {
		return tampered("ledger of %s: leaf %d is gone", a.Factory, a.Leaves)
	}
	l, err := tree.DecodeLeaf(s.leaf)
	if err != nil {
		return tampered("ledger of %s: leaf %d (%s %s): %v", a.Factory, s.n, s.kind, s.ref, err)
	}
	if l.Factory != a.Factory || l.N != s.n || l.Kind != s.kind || l.Ref != s.ref {
		return tampered("ledger of %s: leaf %d: the row says %s %s and the leaf %s", a.Factory, s.n, s.kind, s.ref, l)
	}
	if a.adopted = a.adopted && l.Adopted; l.Adopted && !a.adopted {
		return tampered("%s claims to be older than the ledger", l)
	}
	if err := a.text(l, s); err != nil {
		return err
	}
	if !bytes.Equal(a.grow(s.leaf), s.hashes) {
		return tampered("%s: it or one before it was changed: the hashes above it do not fit", l)
	}
	return a.checkHeads()
}

func (a *audit) text(l tree.Leaf, s storedLeaf) error {
	switch {
	case l.Kind == kindTransition:
		return nil // its row is compared
	case !s.open.Valid:
		return tampered("%s: its text is gone", l)
	case l.Full != nil && !s.full.Valid && s.salt == nil:
		a.Erased++
		return wrongText(l.Check([]byte(s.open.String), nil, nil))
	case l.Full == nil && !s.full.Valid:
		return wrongText(l.Check([]byte(s.open.String), nil, nil))
	}
	return wrongText(l.Check([]byte(s.open.String), s.salt, []byte(s.full.String)))
}

func wrongText(err error) error {
	if err != nil {
		return tampered("%v", err)
	}
	return nil
}

// grow adds a leaf to the tree and returns the hashes that it completes.
func (a *audit) grow(leaf []byte) []byte {
	hash := tlog.RecordHash(leaf)
	blob := bytes.Clone(hash[:])
	for n := a.Leaves; n&1 == 1; n >>= 1 {
		hash = tlog.NodeHash(a.edge[len(a.edge)-1], hash)
		a.edge = a.edge[:len(a.edge)-1]
		blob = append(blob, hash[:]...)
	}
	a.edge = append(a.edge, hash)
	a.Leaves++
	root := a.edge[len(a.edge)-1]
	for i := len(a.edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(a.edge[i], root)
	}
	a.Head = tree.Head{Factory: a.Factory, Size: a.Leaves, Root: root}
	return blob
}

func (a *audit) checkHeads() error {
	for _, h := range a.heads[a.Leaves] {
		if h.Root != a.Head.Root {
			return tampered("ledger of %s: the first %d leaves are not those that were signed (%s, signed %s)",
				a.Factory, h.Size, a.Head.Short(), h.Short())
		}
	}
	return nil
}

// erasures looks for what the ledger says about each erased text.
func (a *audit) erasures() error {
	silent, err := query(a.ctx, a.tx, scanOne[string], `SELECT l.kind || ' ' || l.ref FROM ledger_leaves l JOIN ledger_texts t USING (factory, n)
		WHERE l.factory = ?1 AND t.full IS NULL AND l.leaf ->> 'full' IS NOT NULL AND NOT EXISTS
			(SELECT 1 FROM ledger_leaves e WHERE e.factory = ?1 AND e.kind = ?2 AND e.ref = l.kind || '/' || l.ref AND e.n > l.n)
		ORDER BY n LIMIT 1`, a.Factory, tree.KindErased)
	if err == nil && len(silent) > 0 {
		return tampered("%s of %s: its whole text was erased and the ledger does not say so", silent[0], a.Factory)
	}
	return err
}

// rows compares every row of a table with its newest leaf, and looks for leaves
// whose row is gone.
func (a *audit) rows(t ledgered) error {
	found, err := query(a.ctx, a.tx, func(row scanner) (n int64, err error) {
		var ref string
		return n, row.Scan(&n, &ref)
	}, `SELECT n, ref FROM ledger_leaves l WHERE l.factory = ?1 AND l.kind = ?2 AND NOT EXISTS
		(SELECT 1 FROM `+t.table+` r WHERE r.factory = ?1 AND r.`+t.key+` = l.ref) ORDER BY n LIMIT 1`, a.Factory, t.kind)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		ref, err := one(a.ctx, a.tx, scanOne[string], `SELECT ref FROM ledger_leaves WHERE factory = ? AND n = ?`, a.Factory, found[0])
		return errors.Join(err, tampered("%s %s of %s: the row is gone, leaf %d is there", t.kind, ref, a.Factory, found[0]))
	}
	rows, err := query(a.ctx, a.tx, t.scan, `SELECT `+t.columns()+` FROM `+t.table+` WHERE factory = ? ORDER BY `+t.key, a.Factory)
	if err != nil {
		return err
	}
	for _, e := range rows {
		if err := a.row(e); err != nil {
			return err
		}
		a.Rows++
	}
	return nil
}

func (a *audit) row(e entry) error {
	type last struct {
		leaf []byte
		full sql.NullString
	}
	newest, err := one(a.ctx, a.tx, func(row scanner) (l last, err error) { return l, row.Scan(&l.leaf, &l.full) },
		`SELECT leaf, full FROM ledger_leaves LEFT JOIN ledger_texts USING (factory, n)
		WHERE factory = ? AND kind = ? AND ref = ? ORDER BY n DESC LIMIT 1`, e.factory, e.kind, e.ref)
	if errors.Is(err, safety.ErrNotFound) {
		return tampered("%s %s of %s: the row is in no leaf of the ledger", e.kind, e.ref, e.factory)
	} else if err != nil {
		return err
	}
	l, err := tree.DecodeLeaf(newest.leaf)
	if err != nil {
		return err
	}
	if tree.OpenHash(tree.Redact(e.kind, e.text)) != l.Open || newest.full.Valid && newest.full.String != string(e.text) {
		return tampered("%s %s of %s: the row says something else than leaf %d", e.kind, e.ref, e.factory, l.N)
	}
	return nil
}
