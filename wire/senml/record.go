// Package senml reads, writes and resolves SenML packs (RFC 8428) in JSON and
// CBOR. It knows nothing of Nirapod's own labels: those travel in
// Record.Extra, as the RFC lets unknown labels do.
//
// Published Go libraries leave out the rule of 2^28 (a smaller time is
// relative to now), the carrying forward of base values, or the refusal of
// labels ending in "_"; this package has them, and resolves every example of
// the RFC as published.
//
// Versions (bver): 1 to 10 are the RFC's own, 26 adds secondary units
// (RFC 9100, RFC 8798). Any other number means features that this reader does
// not know, and RFC 9100 then demands a refusal.
package senml

// Has marks which labels a record carries.
type Has uint16

// The labels of RFC 8428, in its order.
const (
	HasBN Has = 1 << iota
	HasBT
	HasBU
	HasBV
	HasBS
	HasBVer
	HasN
	HasU
	HasV
	HasVS
	HasVB
	HasVD
	HasS
	HasT
	HasUT
)

const (
	anyValue = HasV | HasVS | HasVB | HasVD
	anyBase  = HasBN | HasBT | HasBU | HasBV | HasBS | HasBVer
)

// DefaultVersion is the version of a pack that does not say.
const DefaultVersion = 10

// SecondaryUnits is the version of a pack that uses units such as ppm, which
// RFC 8798 calls secondary.
const SecondaryUnits = 26

// AbsoluteFrom is the time in seconds since 1970 from which a SenML time is
// absolute; below it, it is relative to now.
const AbsoluteFrom = 1 << 28

// Record is one SenML record as it stands in a pack. A field counts only if
// its bit is in Has.
type Record struct {
	Has Has

	BN   string  // base name
	BT   float64 // base time, s
	BU   string  // base unit
	BV   float64 // base value
	BS   float64 // base sum
	BVer int     // version

	N  string  // name
	U  string  // unit
	V  float64 // value
	VS string  // string value
	VB bool    // boolean value
	VD []byte  // data value
	S  float64 // sum
	T  float64 // time, s
	UT float64 // update time, s

	Extra []Label // labels unknown to RFC 8428
}

// Label is a label unknown to RFC 8428 with its value: string, float64 (every
// number), bool, nil, []any, map[string]any, or in CBOR []byte.
type Label struct {
	Name  string
	Value any
}

// Lookup returns the value of the named extra label.
func (r *Record) Lookup(name string) (any, bool) {
	for i := range r.Extra {
		if r.Extra[i].Name == name {
			return r.Extra[i].Value, true
		}
	}
	return nil, false
}

// Limits bound what a reader accepts, so that a small message cannot cost
// much time or memory.
type Limits struct {
	Bytes   int // size of the message
	Records int // records in the pack
}

const (
	maxLabels = 64 // in one record
	maxDepth  = 6  // of arrays and objects in the value of an extra label
)

// The kinds of value that a known label takes.
const (
	text = iota
	number
	boolean
	data
	version
)

// known is the table of labels; both codecs read and write by it.
var known = [...]struct {
	name string
	cbor int64
	has  Has
	kind int
}{
	{"bn", -2, HasBN, text},
	{"bt", -3, HasBT, number},
	{"bu", -4, HasBU, text},
	{"bv", -5, HasBV, number},
	{"bs", -6, HasBS, number},
	{"bver", -1, HasBVer, version},
	{"n", 0, HasN, text},
	{"u", 1, HasU, text},
	{"v", 2, HasV, number},
	{"vs", 3, HasVS, text},
	{"vb", 4, HasVB, boolean},
	{"vd", 8, HasVD, data},
	{"s", 5, HasS, number},
	{"t", 6, HasT, number},
	{"ut", 7, HasUT, number},
}

func (r *Record) text(h Has) *string {
	switch h {
	case HasBN:
		return &r.BN
	case HasBU:
		return &r.BU
	case HasN:
		return &r.N
	case HasU:
		return &r.U
	default:
		return &r.VS
	}
}

func (r *Record) number(h Has) *float64 {
	switch h {
	case HasBT:
		return &r.BT
	case HasBV:
		return &r.BV
	case HasBS:
		return &r.BS
	case HasV:
		return &r.V
	case HasS:
		return &r.S
	case HasT:
		return &r.T
	default:
		return &r.UT
	}
}
