package wire

import (
	"fmt"
	"time"

	"nirapod/safety"
	"nirapod/wire/senml"
)

// qualitySuffix follows the sensor in the name of a bad reading's record.
const qualitySuffix = "/quality"

// secondary are the units of package safety that are not in SenML's primary
// registry; a pack that uses one says bver 26.
func secondary(u safety.Unit) bool {
	switch u {
	case "", "Cel", "%RH", "/", "%", "count", "lx":
		return false
	}
	return true
}

// Encode returns the pack as SenML JSON. It returns an error wrapping
// safety.ErrInvalid if p is not valid or takes more than MaxPack bytes.
func Encode(p Pack) ([]byte, error) { return encode(p, senml.AppendJSON) }

// EncodeCBOR is Encode in CBOR, about a third smaller.
func EncodeCBOR(p Pack) ([]byte, error) { return encode(p, senml.AppendCBOR) }

func encode(p Pack, form func([]byte, []senml.Record) ([]byte, error)) ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	b, err := form(make([]byte, 0, 384+64*len(p.Records)), p.senml())
	if err != nil {
		return nil, err
	}
	if len(b) > MaxPack {
		return nil, invalid("%d bytes; send at most %d in one pack", len(b), MaxPack)
	}
	return b, nil
}

// senml gives the pack's records; one with base fields only if it has none.
func (p *Pack) senml() []senml.Record {
	recs := make([]senml.Record, max(1, len(p.Records)))
	p.putHead(&recs[0])
	for i := range p.Records {
		r, in := &recs[i], &p.Records[i]
		ms := in.Offset.Milliseconds()
		if p.Clock == Synced {
			ms = in.At.UnixMilli() - p.Sent.UnixMilli() // Sub ends at 292 years
		}
		if ms != 0 {
			r.T = float64(ms) / 1000
			r.Has |= senml.HasT
		}
		if in.Transition != nil {
			putTransition(r, in.Transition)
		} else {
			putReading(r, in)
		}
	}
	return recs
}

func (p *Pack) putHead(r *senml.Record) {
	r.BN = p.Factory + "/" + p.Gateway + "/"
	r.Has |= senml.HasBN
	if p.Clock == Synced {
		r.BT = float64(p.Sent.UnixMilli()) / 1000
		r.Has |= senml.HasBT
	}
	for i := range p.Records {
		if secondary(p.Records[i].Unit) {
			r.BVer = senml.SecondaryUnits
			r.Has |= senml.HasBVer
			break
		}
	}
	r.Extra = []senml.Label{
		{Name: "run", Value: p.Run},
		{Name: "stream", Value: string(p.Stream)},
		{Name: "seq", Value: float64(p.First)},
		{Name: "boot", Value: p.Boot},
		{Name: "mono", Value: float64(p.Mono)},
		{Name: "clock", Value: string(p.Clock)},
	}
	if p.Anchor != "" {
		r.Extra = append(r.Extra, senml.Label{Name: "anchor", Value: p.Anchor})
	}
	if len(p.Gone) > 0 {
		gone := make([]any, len(p.Gone))
		for i, g := range p.Gone {
			gone[i] = []any{float64(g.Span.From), float64(g.Span.To), g.Reason}
		}
		r.Extra = append(r.Extra, senml.Label{Name: "gone", Value: gone})
	}
}

func putReading(r *senml.Record, in *Record) {
	r.N = in.Reading.Sensor
	r.Has |= senml.HasN
	if in.Reading.Quality == safety.Bad {
		r.N += qualitySuffix
		r.VS = string(in.Reading.Reason)
		r.Has |= senml.HasVS
		putFlags(r, in.Reading.Flags)
		return
	}
	r.V = in.Reading.Value
	r.Has |= senml.HasV
	if in.Unit != "" {
		r.U = string(in.Unit)
		r.Has |= senml.HasU
	}
	if in.Reading.Quality == safety.Uncertain {
		r.Extra = append(r.Extra, senml.Label{Name: "q", Value: string(in.Reading.Reason)})
	}
	putFlags(r, in.Reading.Flags)
}

func putFlags(r *senml.Record, f safety.Flags) {
	if f&safety.Simulated != 0 {
		r.Extra = append(r.Extra, senml.Label{Name: "sim", Value: true})
	}
	if f&safety.Drill != 0 {
		r.Extra = append(r.Extra, senml.Label{Name: "drill", Value: true})
	}
}

func invalidRecord(number int, err error) error { return fmt.Errorf("record %d: %w", number, err) }

const (
	minTime   = senml.AbsoluteFrom + 1 // s since 1970; one more, for a sum of floats may fall short
	maxTime   = 253402300800           // s since 1970: the year 10000
	minOffset = -senml.AbsoluteFrom * time.Second
)
