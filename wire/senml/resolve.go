package senml

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"nirapod/safety"
)

// Resolved is a record that stands alone: full name in N, unit in U, time in
// T, and no base fields. Number is the place of its record in the pack, from 1.
type Resolved struct {
	Number int
	Record
}

// Flatten applies the base fields and leaves times as they are given: T at
// least AbsoluteFrom is absolute, anything less is relative to a now that the
// caller knows. Records with base fields only give no resolved record. Every
// error wraps safety.ErrInvalid and names the record.
//
// A base value is added to numbers only, so a value without base value keeps
// every bit, the sign of zero included.
func Flatten(recs []Record) ([]Resolved, error) {
	out := make([]Resolved, 0, len(recs))
	b := base{version: DefaultVersion}
	for i := range recs {
		r, regular, err := b.apply(&recs[i], i == 0)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i+1, err)
		}
		if regular {
			out = append(out, Resolved{i + 1, r})
		}
	}
	return out, nil
}

// Resolve returns the resolved form of RFC 8428 section 4.6: Flatten with
// times relative to now made absolute, in order of time; records of the same
// time keep their order.
func Resolve(recs []Record, now time.Time) ([]Resolved, error) {
	out, err := Flatten(recs)
	if err != nil {
		return nil, err
	}
	at := float64(now.UnixMilli()) / 1000
	for i := range out {
		if out[i].T < AbsoluteFrom {
			out[i].T += at
		}
	}
	slices.SortStableFunc(out, func(a, b Resolved) int { return cmp.Compare(a.T, b.T) })
	return out, nil
}

// base is what the records so far left in effect.
type base struct {
	has              Has
	name, unit       string
	time, value, sum float64
	version          int
}

func (b *base) apply(in *Record, first bool) (out Record, regular bool, err error) {
	if err := b.update(in, first); err != nil {
		return out, false, err
	}
	if in.Has&^anyBase == 0 && in.Has&anyBase != 0 {
		return out, false, nil
	}
	out = *in
	out.Has = in.Has&^anyBase | HasN | HasT
	out.BN, out.BU, out.BT, out.BV, out.BS, out.BVer = "", "", 0, 0, 0, 0
	out.N = b.name + in.N
	if err := checkName(out.N); err != nil {
		return out, false, err
	}
	if in.Has&HasU == 0 && b.has&HasBU != 0 {
		out.U, out.Has = b.unit, out.Has|HasU
	}
	if b.has&HasBT != 0 {
		out.T += b.time
	}
	if b.has&HasBV != 0 && in.Has&HasV != 0 {
		out.V += b.value
	}
	if b.has&HasBS != 0 {
		out.S, out.Has = in.S+b.sum, out.Has|HasS
	}
	return out, true, checkValues(&out)
}

func (b *base) update(in *Record, first bool) error {
	if in.Has&HasBVer != 0 {
		if !first && in.BVer != b.version {
			return fmt.Errorf("bver %d after %d; a pack has one version, in its first record: %w",
				in.BVer, b.version, safety.ErrInvalid)
		}
		b.version = in.BVer
	}
	b.has |= in.Has & anyBase
	if in.Has&HasBN != 0 {
		b.name = in.BN
	}
	if in.Has&HasBU != 0 {
		b.unit = in.BU
	}
	if in.Has&HasBT != 0 {
		b.time = in.BT
	}
	if in.Has&HasBV != 0 {
		b.value = in.BV
	}
	if in.Has&HasBS != 0 {
		b.sum = in.BS
	}
	return nil
}

func checkValues(r *Record) error {
	switch n := bits.OnesCount16(uint16(r.Has & anyValue)); {
	case n > 1:
		return fmt.Errorf("%d values; give one of v, vs, vb, vd: %w", n, safety.ErrInvalid)
	case n == 0 && r.Has&HasS == 0:
		return fmt.Errorf("no value; give one of v, vs, vb, vd: %w", safety.ErrInvalid)
	}
	for _, v := range [...]float64{r.V, r.S, r.T} {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Errorf("a number plus its base does not fit a 64-bit float: %w", safety.ErrInvalid)
		}
	}
	return nil
}

// checkName holds a resolved name to RFC 8428 section 4.5.1.
func checkName(name string) error {
	if name == "" {
		return fmt.Errorf("no name; give n, or bn before: %w", safety.ErrInvalid)
	}
	for i := range len(name) {
		c := name[i]
		alnum := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z'
		if alnum || i > 0 && (c == '-' || c == ':' || c == '.' || c == '/' || c == '_') {
			continue
		}
		return fmt.Errorf("name %q: use A-Z a-z 0-9 - : . / _ and begin with a letter or digit: %w",
			name, safety.ErrInvalid)
	}
	return nil
}
