// Package loop420 turns the current of a 4 to 20 mA transmitter into a value or
// into the state that the transmitter signals by a current outside its span.
// What such a current means differs from maker to maker, hence a table for
// each model.
//
// Over-range never reads as silence: it gives the full-scale value, uncertain
// for being out of range, so that a rule on the gas still fires. Under-range
// never reads as clean air: it is a fault.
package loop420

import (
	"fmt"
	"math"
	"slices"

	"nirapod/safety"
)

// Model is what currents mean for one kind of transmitter.
type Model struct {
	Name   string
	states []state // rising; the last entry has no end
}

// state holds for currents below its end, mA.
type state struct {
	below   float64
	quality safety.Quality
	reason  safety.Reason
	value   value
}

type value uint8

const (
	none value = iota
	scaled
	atZero
	fullScale
)

// Models are the transmitters that can be configured. ne43 is NAMUR NE 43
// (recalled, to be verified); ultima-x is MSA Ultima X, whose oxygen version
// gives 21 mA while it warms up as well.
var Models = map[string]Model{
	"ne43": {"ne43", slices.Concat(dead, []state{
		{3.7, safety.Bad, safety.Implausible, none}, // 3.6 or less: the transmitter says that it failed
		{3.8, safety.Uncertain, safety.OutOfRange, atZero},
	}, valid, over)},
	"ultima-x": {"ultima-x", slices.Concat(dead, []state{
		{3.375, safety.Bad, safety.Implausible, none}, // 3.0: fault or under range
		{3.85, safety.Bad, safety.Warming, none},      // 3.75: warming up or being calibrated
	}, valid, over)},
	"ultima-x-o2": {"ultima-x-o2", slices.Concat(dead, []state{
		{3.375, safety.Bad, safety.Implausible, none},
		{3.85, safety.Bad, safety.Warming, none},
	}, valid, []state{
		{20.9, safety.Uncertain, safety.OutOfRange, scaled},
		{22, safety.Bad, safety.Warming, none},
		{math.Inf(1), safety.Bad, safety.WireShort, none},
	})},
}

var (
	dead  = []state{{1, safety.Bad, safety.WireOpen, none}}
	valid = []state{{20.5, safety.Good, "", scaled}}
	over  = []state{
		{20.9, safety.Uncertain, safety.OutOfRange, scaled},
		{24, safety.Uncertain, safety.OutOfRange, fullScale}, // 21 mA: over range
		{math.Inf(1), safety.Bad, safety.WireShort, none},    // more than any transmitter drives
	}
)

// Loop is one transmitter on its shunt.
type Loop struct {
	Model Model
	Shunt float64    // ohm
	Span  [2]float64 // the values at 4 and at 20 mA, in the quantity's unit
}

// Validate returns an error wrapping safety.ErrInvalid when the loop cannot be
// read: limit is the highest voltage that can be measured across the shunt.
func (l Loop) Validate(limit float64) error {
	switch {
	case l.Shunt <= 0:
		return fmt.Errorf("shunt of %g ohm: %w", l.Shunt, safety.ErrInvalid)
	case l.Shunt*24e-3 > limit:
		return fmt.Errorf("shunt of %g ohm: 24 mA give %.2f V, more than %.2f V: %w",
			l.Shunt, l.Shunt*24e-3, limit, safety.ErrInvalid)
	case l.Span[1] == l.Span[0] || math.IsNaN(l.Span[0]+l.Span[1]) || math.IsInf(l.Span[0]+l.Span[1], 0):
		return fmt.Errorf("span %v: %w", l.Span, safety.ErrInvalid)
	}
	return nil
}

// Decode returns the reading that volts across the shunt stand for; only
// Value, Quality and Reason are set. Small negative values within the valid
// band read as the value at 4 mA.
func (l Loop) Decode(volts float64) safety.Reading {
	mA := volts / l.Shunt * 1e3
	for _, s := range l.Model.states {
		if mA < s.below {
			return safety.Reading{Value: l.value(s.value, mA), Quality: s.quality, Reason: s.reason}
		}
	}
	return safety.Reading{Quality: safety.Bad, Reason: safety.Implausible}
}

func (l Loop) value(v value, mA float64) float64 {
	switch v {
	case scaled:
		return l.Span[0] + max(0, (mA-4)/16)*(l.Span[1]-l.Span[0])
	case atZero:
		return l.Span[0]
	case fullScale:
		return l.Span[1]
	}
	return 0
}
