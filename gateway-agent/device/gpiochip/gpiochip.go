// Package gpiochip reads and drives the GPIO lines of a Linux gpiochip. Unlike
// periph's pins a failed read is an error and no level, and an output is never
// read back: on some paths that would turn it into an input and release a siren.
//
// It has not run on hardware yet.
package gpiochip

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3"
	"periph.io/x/host/v3/gpioioctl"
)

// reopenPause keeps a chip that is not there from being looked for at each poll.
const reopenPause = time.Second

// Input is an input line. A line that its contact pulls down has a pull-up,
// any other a pull-down.
type Input struct {
	Name   string
	PullUp bool
}

// Bank is the set of lines that a gateway uses on one chip. It requests them
// from the kernel at the first use, and again after a failure. It is safe for
// concurrent use.
type Bank struct {
	chip    string
	inputs  []Input
	outputs []string

	mu     sync.Mutex
	in     *gpioioctl.LineSet // guarded by mu, like what follows
	out    *gpioioctl.LineSet
	err    error
	notYet time.Time
}

// New returns the lines of a chip such as gpiochip0. It does no I/O.
func New(chip string, inputs []Input, outputs []string) *Bank {
	return &Bank{chip: chip, inputs: inputs, outputs: outputs}
}

// Read returns the level of an input.
func (b *Bank) Read(pin string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.open(); err != nil {
		return false, err
	}
	for i, in := range b.inputs {
		if in.Name == pin {
			levels, err := b.in.Read(1 << i)
			return levels>>i&1 == 1, err
		}
	}
	return false, fmt.Errorf("%s: no input %s", b.chip, pin)
}

// Write drives an output.
func (b *Bank) Write(pin string, level bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.open(); err != nil {
		return err
	}
	for i, name := range b.outputs {
		if name != pin {
			continue
		}
		var bits gpio.GPIOValue
		if level {
			bits = 1 << i
		}
		return b.out.Out(bits, 1<<i)
	}
	return fmt.Errorf("%s: no output %s", b.chip, pin)
}

func (b *Bank) open() error { // with mu
	if b.in != nil || b.out != nil {
		return nil
	}
	if time.Now().Before(b.notYet) {
		return b.err
	}
	b.notYet = time.Now().Add(reopenPause)
	b.err = b.request()
	return b.err
}

// request asks the kernel for the lines. Outputs begin low.
func (b *Bank) request() error { // with mu
	chip, err := find(b.chip)
	if err != nil {
		return err
	}
	if len(b.outputs) > 0 {
		cfg := gpioioctl.LineSetConfig{Lines: b.outputs, DefaultDirection: gpioioctl.LineOutput}
		if b.out, err = chip.LineSetFromConfig(&cfg); err != nil {
			b.out = nil
			return fmt.Errorf("%s outputs: %w", b.chip, err)
		}
	}
	if len(b.inputs) == 0 {
		return nil
	}
	cfg := gpioioctl.LineSetConfig{DefaultDirection: gpioioctl.LineInput, DefaultPull: gpio.PullDown}
	var up []string
	for _, in := range b.inputs {
		cfg.Lines = append(cfg.Lines, in.Name)
		if in.PullUp {
			up = append(up, in.Name)
		}
	}
	if len(up) > 0 {
		if err := cfg.AddOverrides(gpioioctl.LineInput, gpio.NoEdge, gpio.PullUp, up...); err != nil {
			return fmt.Errorf("%s inputs: %w", b.chip, err)
		}
	}
	if b.in, err = chip.LineSetFromConfig(&cfg); err != nil {
		b.in = nil
		err = fmt.Errorf("%s inputs: %w", b.chip, err)
		if b.out != nil {
			err = errors.Join(err, b.out.Close())
			b.out = nil
		}
		return err
	}
	return nil
}

func find(name string) (*gpioioctl.GPIOChip, error) {
	if _, err := host.Init(); err != nil {
		return nil, err
	}
	for _, c := range gpioioctl.Chips {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no GPIO chip %s on this machine", name)
}

// Close gives the lines back to the kernel.
func (b *Bank) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, set := range []*gpioioctl.LineSet{b.in, b.out} {
		if set != nil {
			errs = append(errs, set.Close())
		}
	}
	b.in, b.out = nil, nil
	return errors.Join(errs...)
}
