// Package clock tells the gateway's time honestly. A box without a battery
// clock boots in the past and jumps later, so everything is timed by the
// monotonic clock of the boot, sleep included, and wall time is worked out from
// anchors that say when both were read together.
package clock

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"nirapod/wire"
)

const (
	checkEvery  = time.Second
	anchorEvery = time.Hour
	// step is the difference to the newest anchor from which on it is no longer
	// drift but a clock that was set.
	step = 500 * time.Millisecond
	// kept is how many anchors a birth carries.
	kept = 8
)

// Mode says when the wall clock is believed.
type Mode string

// The modes.
const (
	Auto    Mode = "auto"    // when the kernel or systemd says that it is synchronised
	Trusted Mode = "trusted" // always: there is a battery clock, or the host keeps it
)

// Clock is safe for concurrent use.
type Clock struct {
	src  source
	boot string
	log  *slog.Logger

	mu      sync.Mutex
	anchors []wire.Anchor // of this boot, oldest first; guarded by mu
}

// source is where time comes from. mono is ms since boot, sleep included.
// synced says whether wall is to be believed and how far it may be off, ms.
type source struct {
	mono   func() int64
	wall   func() time.Time
	synced func() (yes bool, errorMS int64)
}

// New reads the boot id and returns a clock that has been checked once.
func New(mode Mode, log *slog.Logger) (*Clock, error) {
	boot, err := bootID()
	if err != nil {
		return nil, fmt.Errorf("boot id: %w", err)
	}
	src := source{mono: monotonic, wall: time.Now, synced: kernelSynced}
	if mode == Trusted {
		src.synced = func() (bool, int64) { return true, 0 }
	}
	return newClock(boot, src, log), nil
}

func newClock(boot string, src source, log *slog.Logger) *Clock {
	c := &Clock{src: src, boot: boot, log: log}
	c.check()
	return c
}

// Run watches the wall clock until ctx ends.
func (c *Clock) Run(ctx context.Context) error {
	t := time.NewTicker(checkEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			c.check()
		}
	}
}

// check makes an anchor when one is due: the first time that the clock is
// synchronised, each hour, and after the clock was set. While the clock is not
// synchronised the newest anchor goes on to be used: the monotonic clock
// drifts less than a wall clock that somebody may set.
func (c *Clock) check() {
	synced, errorMS := c.src.synced()
	if !synced {
		return
	}
	mono, wall := c.src.mono(), c.src.wall().UTC().Truncate(time.Millisecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.newest(); ok {
		off := wall.Sub(at(last, mono))
		if off.Abs() <= step && mono-last.Mono < anchorEvery.Milliseconds() {
			return
		}
		if off.Abs() > step {
			c.log.Warn("wall clock was set", "by", off)
		}
	} else {
		c.log.Info("wall clock is synchronised", "wall", wall)
	}
	c.anchors = append(c.anchors, wire.Anchor{
		ID: fmt.Sprintf("%.8s-%d", c.boot, mono), Boot: c.boot, Mono: mono, Wall: wall, ErrorMS: errorMS,
	})
	c.anchors = c.anchors[max(0, len(c.anchors)-kept):]
}

func (c *Clock) newest() (wire.Anchor, bool) { // with mu
	if len(c.anchors) == 0 {
		return wire.Anchor{}, false
	}
	return c.anchors[len(c.anchors)-1], true
}

func at(a wire.Anchor, mono int64) time.Time {
	return a.Wall.Add(time.Duration(mono-a.Mono) * time.Millisecond)
}

// Boot returns the kernel's id of this boot.
func (c *Clock) Boot() string { return c.boot }

// Mono returns the milliseconds since boot, sleep included.
func (c *Clock) Mono() int64 { return c.src.mono() }

// Wall returns the wall time, UTC in whole milliseconds, at mono of this boot,
// and the anchor that says so; the zero time and "" before the first
// synchronisation.
func (c *Clock) Wall(mono int64) (wall time.Time, anchor string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.newest()
	if !ok {
		return time.Time{}, ""
	}
	return at(a, mono), a.ID
}

// State says whether Wall knows the time.
func (c *Clock) State() wire.ClockState {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.newest(); ok {
		return wire.Synced
	}
	return wire.Unsynced
}

// Anchors returns the newest anchors of this boot, oldest first.
func (c *Clock) Anchors() []wire.Anchor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.anchors)
}
