// Package register reads one number from the registers of a Modbus unit, such
// as a pressure transmitter's. Nothing in Modbus says what a register means: how
// it is laid out stands in the maker's sheet, and the installer proves it
// against the display of the unit.
package register

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"nirapod/gateway-agent/device"
	"nirapod/safety"
)

// Type is how a number is laid out.
type Type string

// The types. A float has its high word first unless said.
const (
	Int16   Type = "int16"
	Uint16  Type = "uint16"
	Float32 Type = "float32"
)

// Layout says how registers become a value: number × Scale + Offset.
type Layout struct {
	Type     Type
	LowFirst bool       // Float32: the low word stands first
	Scale    float64    // not 0
	Offset   float64    //
	Range    [2]float64 // what the instrument can measure, in the quantity's unit
	// Stuck is after how long an unchanged number is no measurement any more; 0 =
	// never. It suits instruments whose last digit moves.
	Stuck time.Duration
}

// Validate returns an error wrapping safety.ErrInvalid when nothing could be
// read so.
func (l Layout) Validate() error {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	switch {
	case !slices.Contains([]Type{Int16, Uint16, Float32}, l.Type):
		return fmt.Errorf("type %q: want %s, %s or %s: %w", l.Type, Int16, Uint16, Float32, safety.ErrInvalid)
	case l.LowFirst && l.Type != Float32:
		return fmt.Errorf("word order: %s is one word: %w", l.Type, safety.ErrInvalid)
	case l.Scale == 0 || !finite(l.Scale) || !finite(l.Offset):
		return fmt.Errorf("scale %g and offset %g: want numbers, and a scale that is not 0: %w", l.Scale, l.Offset, safety.ErrInvalid)
	case !(l.Range[0] < l.Range[1]) || !finite(l.Range[0]) || !finite(l.Range[1]):
		return fmt.Errorf("range %v: want the lowest, then the highest that can be measured: %w", l.Range, safety.ErrInvalid)
	case l.Stuck < 0:
		return fmt.Errorf("stuck after %v: want none negative: %w", l.Stuck, safety.ErrInvalid)
	}
	return nil
}

// Words is how many registers the number takes.
func (l Layout) Words() uint16 {
	if l.Type == Float32 {
		return 2
	}
	return 1
}

// decode turns registers into the value. A number that is none, or endless, is
// how some makers say that there is no value: device.ErrImplausible.
func (l Layout) decode(words []uint16) (float64, error) {
	if len(words) != int(l.Words()) {
		return 0, fmt.Errorf("%d registers, want %d: %w", len(words), l.Words(), device.ErrStray)
	}
	var v float64
	switch l.Type {
	case Int16:
		v = float64(int16(words[0]))
	case Uint16:
		v = float64(words[0])
	case Float32:
		high, low := words[0], words[1]
		if l.LowFirst {
			high, low = low, high
		}
		bits := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, high), low)
		v = float64(math.Float32frombits(binary.BigEndian.Uint32(bits)))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("registers %04x are not a number: %w", words, device.ErrImplausible)
	}
	return v*l.Scale + l.Offset, nil
}

// Dev is one number of one unit. It is not safe for concurrent use.
type Dev struct {
	layout Layout
	read   func() ([]uint16, error)

	last  []uint16
	since time.Duration // last has been seen
	risen bool          // the newest value within the range was in its upper half
}

// New returns the number that read reaches.
func New(l Layout, read func() ([]uint16, error)) *Dev { return &Dev{layout: l, read: read} }

// Read reads the number at the monotonic time now; only Value, Quality and
// Reason of the reading are set. A value above the range reads as the end of
// the range, uncertain, where it has risen there: a boiler that bursts its scale
// is not silent. Any other outside is a broken instrument. err says what a bus
// or a unit did, or nil.
func (d *Dev) Read(now time.Duration) (r safety.Reading, err error) {
	words, err := d.read()
	var v float64
	if err == nil {
		v, err = d.layout.decode(words)
	}
	if err != nil {
		return safety.Reading{Reason: device.Reason(err)}, err
	}
	if !slices.Equal(words, d.last) {
		d.last, d.since = slices.Clone(words), now
	}
	low, high := d.layout.Range[0], d.layout.Range[1]
	switch {
	case d.layout.Stuck > 0 && now-d.since >= d.layout.Stuck:
		return safety.Reading{Reason: safety.Stuck}, nil
	case v > high && d.risen:
		return safety.Reading{Value: high, Quality: safety.Uncertain, Reason: safety.OutOfRange}, nil
	case v < low || v > high:
		return safety.Reading{Reason: safety.OutOfRange}, nil
	}
	d.risen = v >= (low+high)/2
	return safety.Reading{Value: v, Quality: safety.Good}, nil
}
