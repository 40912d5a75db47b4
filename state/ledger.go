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
	key := [3]string{e.factory, e.kind, e.ref}
	if i, known := b.entered[key]; known {
		b.entries[i] = e
		return
	}
	b.entered[key] = len(b.entries)
	b.entries = append(b.entries, e)
}

// Note enters something into a factory's ledger that no ledgered row holds.
// text is JSON. Which of its members anyone may read, package tree says.
func (b *Book) Note(factory, kind, ref string, text []byte) {
	b.enter(entry{factory: factory, kind: kind, ref: ref, text: text})
}

// touched is a row that a transaction writes, as it was before.
type touched struct {
	table  ledgered
	id     any
	before string
}

// save runs write, which changes at most the row id of a ledgered table. If the
// row is another one at the end of the transaction, it is entered.
func (b *Book) save(ctx context.Context, t ledgered, id any, write func() error) error {
	if key := (touched{table: t, id: id}); !b.seen[key] {
		b.seen[key] = true
		before, err := t.row(ctx, b.tx, id)
		if err != nil && !errors.Is(err, safety.ErrNotFound) {
			return err
		}
		b.touched = append(b.touched, touched{t, id, string(before.text)})
	}
	return write()
}

// flush gives leaves to what the transaction wrote.
func (b *Book) flush(ctx context.Context) error {
	for _, row := range b.touched {
		after, err := row.table.row(ctx, b.tx, row.id)
		switch {
		case errors.Is(err, safety.ErrNotFound):
		case err != nil:
			return err
		case row.before != string(after.text):
			b.enter(after)
		}
	}
	return enter(ctx, b.tx, b.entries)
}
