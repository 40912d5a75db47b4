// Package gpiochip reads and drives the GPIO lines of a Linux gpiochip. A
// failed read is an error and no level, an output begins at its level of rest,
// and it is never read back: on some paths that would turn it into an input and
// release a siren.
//
// It has not run on hardware yet.
package gpiochip

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// reopenPause keeps a chip that is not there from being looked for at each poll.
const reopenPause = time.Second

// maxLines is how many lines the kernel gives out in one request.
const maxLines = 64

// Input is an input line. A line that its contact pulls down has a pull-up,
// any other a pull-down.
type Input struct {
	Name   string
	PullUp bool
}

// Output is an output line.
type Output struct {
	Name string
	Rest bool // the level at which what is wired to it does nothing
}

// Bank is the set of lines that a gateway uses on one chip. It requests inputs
// and outputs apart from each other, so that a mistake in one leaves the other
// alone, at their first use, and again after a failure. It is safe for
// concurrent use.
type Bank struct {
	chip string

	mu  sync.Mutex
	in  group // guarded by mu
	out group // guarded by mu
}

// New returns the lines of a chip such as gpiochip0. It does no I/O.
func New(chip string, inputs []Input, outputs []Output) *Bank {
	b := &Bank{chip: chip, in: group{open: open}, out: group{open: open}}
	b.out.out = true
	for i, in := range inputs {
		b.in.lines = append(b.in.lines, in.Name)
		b.in.set(i, in.PullUp)
	}
	for i, out := range outputs {
		b.out.lines = append(b.out.lines, out.Name)
		b.out.set(i, out.Rest)
	}
	return b
}

// Read returns the level of an input.
func (b *Bank) Read(pin string) (level bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.in.lines, pin)
	if i < 0 {
		return false, fmt.Errorf("%s: no input %s", b.chip, pin)
	}
	err = b.in.use(b.chip, func(h handle) error {
		bits, err := h.read(1 << i)
		level = bits>>i&1 == 1
		return err
	})
	return level && err == nil, err
}

// Write drives an output. The level is kept: lines that must be requested again
// begin at what was written last.
func (b *Bank) Write(pin string, level bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.out.lines, pin)
	if i < 0 {
		return fmt.Errorf("%s: no output %s", b.chip, pin)
	}
	b.out.set(i, level)
	return b.out.use(b.chip, func(h handle) error { return h.write(b.out.bits, 1<<i) })
}

// Close gives the lines back to the kernel.
func (b *Bank) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(b.in.release(), b.out.release())
}

// request is what is asked of the kernel at once. A bit stands for the line of
// the same index.
type request struct {
	lines []string
	out   bool
	bits  uint64 // of outputs the levels, of inputs which are pulled up
}

func (r *request) set(i int, on bool) {
	r.bits &^= 1 << i
	if on {
		r.bits |= 1 << i
	}
}

// handle is lines that the kernel has given out.
type handle interface {
	read(mask uint64) (bits uint64, err error)
	write(bits, mask uint64) error
	close() error
}

// group is the lines of one direction.
type group struct {
	request
	open func(chip string, r request) (handle, error)

	held   handle // nil = not requested
	err    error  // of the last try
	notYet time.Time
}

func (g *group) use(chip string, do func(handle) error) error {
	if g.held == nil && time.Now().Before(g.notYet) {
		return g.err
	}
	if g.held == nil {
		g.notYet = time.Now().Add(reopenPause)
		h, err := g.open(chip, g.request)
		if err != nil {
			g.err = fmt.Errorf("%s %s: %w", chip, g.direction(), err)
			return g.err
		}
		g.held = h
	}
	if err := do(g.held); err != nil {
		g.err = fmt.Errorf("%s %s: %w", chip, g.direction(), errors.Join(err, g.release()))
		return g.err
	}
	return nil
}

func (g *group) direction() string {
	if g.out {
		return "outputs"
	}
	return "inputs"
}

func (g *group) release() error {
	if g.held == nil {
		return nil
	}
	h := g.held
	g.held = nil
	return h.close()
}
