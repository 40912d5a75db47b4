package rules

import (
	"encoding/hex"
	"slices"

	"nirapod/safety"
)

// key is a point as the engine holds it: there may be millions.
type key [8]byte

// keyOf returns false for what no PointID is.
func keyOf(point string) (k key, ok bool) {
	if len(point) != hex.EncodedLen(len(k)) {
		return key{}, false
	}
	_, err := hex.Decode(k[:], []byte(point))
	return k, err == nil
}

func (k key) String() string { return hex.EncodeToString(k[:]) }

func (k key) compare(other key) int { return slices.Compare(k[:], other[:]) }

// points are the instances by key.
type points []*instance

func (p points) sort() {
	slices.SortFunc(p, func(x, y *instance) int { return x.key.compare(y.key) })
}

// at returns nil where nothing is bound.
func (p points) at(point string) *instance {
	k, ok := keyOf(point)
	if !ok {
		return nil
	}
	i, found := slices.BinarySearchFunc(p, k, func(in *instance, k key) int { return in.key.compare(k) })
	if !found {
		return nil
	}
	return p[i]
}

// gradeRank is a grade by its rank; 0 is none.
type gradeRank uint8

var grades = [...]safety.Grade{"", safety.Indicative, safety.Industrial, safety.Certified}

func rankOf(g safety.Grade) gradeRank { return gradeRank(g.Rank()) }

func (r gradeRank) grade() safety.Grade { return grades[r] }
