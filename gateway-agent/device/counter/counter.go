// Package counter reads a people counter over Modbus. What it counts drifts
// with every passage, so that a count is an interval and never a number.
package counter

import (
	"fmt"
	"math"
	"time"

	"nirapod/gateway-agent/device"
)

const (
	// Drift is how far a count may be off, as a share of all passages since it
	// was set to zero (recalled, usual for beam pairs; verify by a tally on site).
	Drift = 0.05
	// beatLimit is how long the heart beat may stand still. It beats every 5 s.
	beatLimit = 15 * time.Second

	identity = 0x5043
	counting = 1
	words    = 7
)

// Read reads n input registers of the unit.
type Read func(first, n uint16) ([]uint16, error)

// Count is how many people are inside: at least Low, at most High.
type Count struct{ Low, High float64 }

// Dev is one counter. It is not safe for concurrent use.
type Dev struct {
	read Read

	beat    uint16
	beatAt  time.Duration
	seen    bool
	in, out uint32
}

// New returns the counter that read reaches.
func New(read Read) *Dev { return &Dev{read: read} }

// Count reads the counter at the monotonic time now. Errors wrap those of
// package device; a unit that lost its power, or counts backwards, is
// device.ErrImplausible until somebody sets it to zero in an empty room, one
// whose heart stands still is device.ErrStuck.
func (d *Dev) Count(now time.Duration) (Count, error) {
	r, err := d.read(0, words)
	if err != nil {
		return Count{}, err
	}
	if len(r) != words || r[0] != identity {
		return Count{}, fmt.Errorf("not a people counter: %w", device.ErrImplausible)
	}
	if r[1] != counting {
		return Count{}, fmt.Errorf("status %d, not counting: %w", r[1], device.ErrImplausible)
	}
	if !d.seen || r[2] != d.beat {
		d.beat, d.beatAt = r[2], now
	}
	if now-d.beatAt > beatLimit {
		return Count{}, fmt.Errorf("heart beat %d for %v: %w", r[2], now-d.beatAt, device.ErrStuck)
	}
	in, out := uint32(r[3])<<16|uint32(r[4]), uint32(r[5])<<16|uint32(r[6])
	zeroed := in == 0 && out == 0
	if d.seen && !zeroed && (in < d.in || out < d.out) {
		return Count{}, fmt.Errorf("counts backwards, %d in and %d out: %w", in, out, device.ErrImplausible)
	}
	d.in, d.out, d.seen = in, out, true
	return between(in, out)
}

// between is the interval that in and out vouch for.
func between(in, out uint32) (Count, error) {
	counted, off := float64(in)-float64(out), Drift*(float64(in)+float64(out))
	c := Count{Low: max(0, math.Ceil(counted-off)), High: math.Floor(counted + off)}
	if c.High < 0 {
		return Count{}, fmt.Errorf("%d in and %d out: %w", in, out, device.ErrImplausible)
	}
	return c, nil
}
