package agent

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/host/v3"

	"nirapod/firmware-sim/simbus"
	"nirapod/gateway-agent/device/gpiochip"
	"nirapod/gateway-agent/device/rs485"
)

// pins is a bank of GPIO lines. Levels are physical.
type pins interface {
	Read(pin string) (bool, error)
	Write(pin string, level bool) error
	Close() error
}

func simulated(open string) bool { return strings.Contains(open, "://") && !rs485.Supports(open) }

// openI2C returns a bus that is opened at its first use, and again after a
// failure to open: a box whose adapter comes late, or never, still runs.
func openI2C(open string) (i2c.BusCloser, error) {
	if simulated(open) {
		return simbus.DialI2C(open)
	}
	return &lazyI2C{name: open}, nil
}

func openPins(open string, inputs []gpiochip.Input, outputs []gpiochip.Output) (pins, error) {
	if simulated(open) {
		return simbus.DialGPIO(open)
	}
	return gpiochip.New(open, inputs, outputs), nil
}

// openLine returns an RS-485 line. The simulator's stands behind the address of
// all its buses.
func openLine(b Bus) *rs485.Line {
	open := b.Open
	if rest, ok := strings.CutPrefix(open, "sim://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		open = "rtuovertcp://" + host
	}
	return rs485.New(open, b.Baud)
}

// loadHost makes periph find the buses of this machine.
var loadHost = sync.OnceValue(func() error {
	_, err := host.Init()
	return err
})

// reopenPause keeps a bus that cannot be opened from being tried at each poll.
const reopenPause = time.Second

type lazyI2C struct {
	name string

	mu     sync.Mutex
	bus    i2c.BusCloser // nil until opened; guarded by mu
	err    error         // of the last try; guarded by mu
	notYet time.Time     // no new try before; guarded by mu
}

func (l *lazyI2C) opened() (i2c.BusCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bus != nil {
		return l.bus, nil
	}
	if time.Now().Before(l.notYet) {
		return nil, l.err
	}
	l.notYet = time.Now().Add(reopenPause)
	if l.err = loadHost(); l.err == nil {
		l.bus, l.err = i2creg.Open(l.name)
	}
	return l.bus, l.err
}

func (l *lazyI2C) Tx(addr uint16, w, r []byte) error {
	bus, err := l.opened()
	if err != nil {
		return fmt.Errorf("open %s: %w", l.name, err)
	}
	return bus.Tx(addr, w, r)
}

func (l *lazyI2C) SetSpeed(f physic.Frequency) error {
	bus, err := l.opened()
	if err != nil {
		return err
	}
	return bus.SetSpeed(f)
}

func (l *lazyI2C) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bus == nil {
		return nil
	}
	return l.bus.Close()
}

func (l *lazyI2C) String() string { return l.name }
