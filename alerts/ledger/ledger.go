// Package ledger makes what the state's Merkle tree holds provable to others:
// it signs the tree's heads, writes an incident's evidence with the proofs, and
// verifies evidence without server and database.
package ledger

import (
	"context"
	"errors"

	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
)

// Ledger signs heads. It is safe for concurrent use.
type Ledger struct {
	db  *state.DB
	key tree.Key
}

// Open returns the ledger in db with the key in dir, which is made if there is
// none.
func Open(db *state.DB, dir string) (*Ledger, error) {
	key, err := tree.LoadKey(dir)
	if err != nil {
		return nil, err
	}
	return &Ledger{db, key}, nil
}

// Public is the verifier key of the signatures.
func (l *Ledger) Public() string { return l.key.Public }

// Sign signs a factory's tree as it is now, keeps the head and returns it. The
// error wraps safety.ErrNotFound while the tree is empty.
func (l *Ledger) Sign(ctx context.Context, factory string) (tree.Head, []byte, error) {
	head, err := l.db.Head(ctx, factory)
	if err != nil {
		return head, nil, err
	}
	kept, err := l.db.SignedHead(ctx, factory)
	if err != nil && !errors.Is(err, safety.ErrNotFound) {
		return head, nil, err
	}
	if err == nil {
		if known, err := tree.OpenHead(kept, l.key.Public); err == nil && known == head {
			return head, kept, nil
		}
	}
	note, err := l.key.Sign(head)
	if err != nil {
		return head, nil, err
	}
	return head, note, l.db.KeepHead(ctx, head, note)
}

// Growth is what the second party, which holds the head of size from, needs in
// order to take the head of now; 0: it holds none.
func (l *Ledger) Growth(ctx context.Context, factory, office string, from int64) (tree.Growth, tree.Head, error) {
	head, note, err := l.Sign(ctx, factory)
	g := tree.Growth{Factory: factory, Office: office, Key: l.key.Public, Head: string(note), From: from}
	if err == nil && from < head.Size {
		g.Proof, err = l.db.ProveGrowth(ctx, factory, from, head.Size)
	}
	return g, head, err
}
