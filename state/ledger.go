package state

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"nirapod/internal/tree"
	"nirapod/safety"
)

// entry is what becomes one leaf.
type entry struct {
	factory, kind, ref string
	text               []byte
	adopted            bool
}

type changer interface {
	querier
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

// enter appends entries to the trees of their factories. It belongs into the
// transaction that writes what they are about.
func enter(ctx context.Context, tx changer, entries []entry) error {
	trees := map[string]*growing{}
	for _, e := range entries {
		g := trees[e.factory]
		if g == nil {
			size, err := ledgerSize(ctx, tx, e.factory)
			if err != nil {
				return err
			}
			g = &growing{stored{ctx, tx, e.factory}, size, map[int64]tlog.Hash{}, time.Now().UTC().Truncate(time.Millisecond)}
			trees[e.factory] = g
		}
		if err := g.append(e); err != nil {
			return fmt.Errorf("ledger: %s %s of %s: %w", e.kind, e.ref, e.factory, err)
		}
	}
	return nil
}

func ledgerSize(ctx context.Context, q querier, factory string) (int64, error) {
	return one(ctx, q, scanOne[int64], `SELECT ifnull(max(n) + 1, 0) FROM ledger_leaves WHERE factory = ?`, factory)
}

// stored reads the hashes of a tree. Of the leaf that completes a subtree it
// finds that subtree's hash.
type stored struct {
	ctx     context.Context
	q       querier
	factory string
}

// ReadHashes is that of tlog.HashReader.
func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		last := (n+1)<<level - 1
		blob, err := one(s.ctx, s.q, scanOne[[]byte], `SELECT hashes FROM ledger_leaves WHERE factory = ? AND n = ?`, s.factory, last)
		if err != nil {
			return nil, fmt.Errorf("ledger of %s: leaf %d: %w", s.factory, last, err)
		}
		if len(blob) < (level+1)*tlog.HashSize {
			return nil, fmt.Errorf("ledger of %s: leaf %d has lost hashes: %w", s.factory, last, safety.ErrInvalid)
		}
		out[i] = tlog.Hash(blob[level*tlog.HashSize:])
	}
	return out, nil
}

// growing is a tree while one transaction appends to it.
type growing struct {
	stored
	size  int64
	fresh map[int64]tlog.Hash // stored hashes of this transaction
	now   time.Time
}

// ReadHashes is that of tlog.HashReader.
func (g *growing) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hash, ok := g.fresh[index]
		if !ok {
			old, err := g.stored.ReadHashes([]int64{index})
			if err != nil {
				return nil, err
			}
			hash = old[0]
		}
		out[i] = hash
	}
	return out, nil
}

func (g *growing) append(e entry) error {
	leaf := tree.Leaf{
		Version: tree.Version, Factory: e.factory, N: g.size, At: g.now, Kind: e.kind, Ref: e.ref, Adopted: e.adopted,
	}
	open := tree.Redact(e.kind, e.text)
	leaf.Open = tree.OpenHash(open)
	if e.kind != kindTransition {
		if err := g.keepText(&leaf, open, e.text); err != nil {
			return err
		}
	}
	data, err := leaf.Encode()
	if err != nil {
		return err
	}
	hashes, err := tlog.StoredHashes(g.size, data, g)
	if err != nil {
		return err
	}
	first, blob := tlog.StoredHashIndex(0, g.size), make([]byte, 0, len(hashes)*tlog.HashSize)
	for i, hash := range hashes {
		g.fresh[first+int64(i)] = hash
		blob = append(blob, hash[:]...)
	}
	_, err = g.q.(changer).ExecContext(g.ctx, `INSERT INTO ledger_leaves (factory, n, kind, ref, leaf, hashes) VALUES (?, ?, ?, ?, ?, ?)`,
		leaf.Factory, leaf.N, leaf.Kind, leaf.Ref, string(data), blob)
	g.size++
	return err
}

// keepText keeps what a leaf is about, and gives it a salt where a person may
// stand in it.
func (g *growing) keepText(leaf *tree.Leaf, open, text []byte) error {
	var salt []byte
	var full any
	if string(open) != string(text) {
		salt, full = make([]byte, tree.SaltSize), string(text)
		if _, err := rand.Read(salt); err != nil {
			return err
		}
		hash := tree.FullHash(salt, text)
		leaf.Full = &hash
	}
	_, err := g.q.(changer).ExecContext(g.ctx, `INSERT INTO ledger_texts (factory, n, open, salt, full) VALUES (?, ?, ?, ?, ?)`,
		leaf.Factory, leaf.N, string(open), salt, full)
	return err
}

// enter notes an entry for the end of the transaction. Of several of one row
// the last counts: what was between them never was.
func (b *Book) enter(e entry) {
	for i, known := range b.entries {
		if known.factory == e.factory && known.kind == e.kind && known.ref == e.ref {
			b.entries[i] = e
			return
		}
	}
	b.entries = append(b.entries, e)
}

// Note enters something into a factory's ledger that no ledgered row holds.
// text is JSON. Which of its members anyone may read, package tree says.
func (b *Book) Note(factory, kind, ref string, text []byte) {
	b.enter(entry{factory: factory, kind: kind, ref: ref, text: text})
}

// save runs write, which changes at most the row id of a ledgered table, and
// enters the row if it is another one afterwards.
func (b *Book) save(ctx context.Context, t ledgered, id any, write func() error) error {
	before, err := t.row(ctx, b.tx, id)
	if err != nil && !errors.Is(err, safety.ErrNotFound) {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	after, err := t.row(ctx, b.tx, id)
	if errors.Is(err, safety.ErrNotFound) {
		return nil
	}
	if err == nil && string(before.text) != string(after.text) {
		b.enter(after)
	}
	return err
}
