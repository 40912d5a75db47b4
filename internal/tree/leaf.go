// Package tree is the form of the ledger: what a leaf says, what a head of the
// tree says and how it is signed, and what of a text anyone may read. It knows
// no database: state appends, desk checks heads, and a stranger verifies, all
// with this package. Trees are those of RFC 6962 as golang.org/x/mod/sumdb/tlog
// computes them.
package tree

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"nirapod/safety"
)

// Version is the version of the leaves that this package makes.
const Version = 1

// SaltSize is the length of a salt in bytes.
const SaltSize = 16

// Leaf is one entry of a factory's tree. It holds no text: Open is the hash of
// what anyone may read of it, and Full, absent where that is all, of salt and
// text together. Without the salt nobody can try names against Full.
type Leaf struct {
	Version int        `json:"v"`
	Factory string     `json:"factory"`
	N       int64      `json:"n"` // from 0
	At      time.Time  `json:"at"`
	Kind    string     `json:"kind"`
	Ref     string     `json:"ref"` // id of the row, of its kind
	Open    tlog.Hash  `json:"open"`
	Full    *tlog.Hash `json:"full,omitempty"`
	Adopted bool       `json:"adopted,omitempty"` // the row is older than the ledger
}

// Encode returns the bytes of a leaf that the tree is made of.
func (l Leaf) Encode() ([]byte, error) { return json.Marshal(l) }

// DecodeLeaf reads a leaf. Bytes that Encode would not write are refused with
// an error wrapping safety.ErrInvalid.
func DecodeLeaf(data []byte) (l Leaf, err error) {
	if err := json.Unmarshal(data, &l); err != nil {
		return l, fmt.Errorf("leaf: %w: %w", err, safety.ErrInvalid)
	}
	if l.Version != Version {
		return l, fmt.Errorf("leaf of version %d: this program reads version %d: %w", l.Version, Version, safety.ErrInvalid)
	}
	if again, err := l.Encode(); err != nil || !bytes.Equal(again, data) {
		return l, fmt.Errorf("leaf %d is not written as leaves are: %w", l.N, safety.ErrInvalid)
	}
	return l, nil
}

// OpenHash is the hash of an open text.
func OpenHash(text []byte) tlog.Hash { return sha256.Sum256(text) }

// FullHash is the hash of a whole text with its salt.
func FullHash(salt, text []byte) tlog.Hash {
	return sha256.Sum256(append(bytes.Clone(salt), text...))
}

// Check returns an error wrapping safety.ErrInvalid unless the leaf is about
// this text. salt and full are nil where only the open text is at hand.
func (l Leaf) Check(open, salt, full []byte) error {
	switch {
	case OpenHash(open) != l.Open:
		return fmt.Errorf("%s: its text was changed: %w", l, safety.ErrInvalid)
	case full == nil:
		return nil
	case l.Full == nil || FullHash(salt, full) != *l.Full:
		return fmt.Errorf("%s: its whole text or its salt was changed: %w", l, safety.ErrInvalid)
	case !bytes.Equal(Redact(l.Kind, full), open):
		return fmt.Errorf("%s: its whole text says something else than its open one: %w", l, safety.ErrInvalid)
	}
	return nil
}

func (l Leaf) String() string {
	return fmt.Sprintf("leaf %d (%s %s of %s)", l.N, l.Kind, l.Ref, l.Factory)
}
