// Package rs485 reads Modbus RTU units on one RS-485 line, over a serial port
// or a converter to TCP. Units take turns: one that does not answer costs the
// others its time limit.
package rs485

import (
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"sync"
	"time"

	"github.com/simonvetter/modbus"

	"nirapod/gateway-agent/device"
)

const (
	// limit bounds one request.
	limit = 300 * time.Millisecond
	// reopenPause keeps a line that cannot be opened from being tried at each poll.
	reopenPause = time.Second
)

// Line is one RS-485 line. It is safe for concurrent use.
type Line struct {
	url  string
	baud uint

	mu     sync.Mutex
	client *modbus.ModbusClient // nil until opened; guarded by mu
	err    error                // of the last try to open; guarded by mu
	notYet time.Time            // no new try before; guarded by mu
}

// Supports reports whether open names a line: rtu:///dev/ttyUSB0 or
// rtuovertcp://host:port.
func Supports(open string) bool {
	return strings.HasPrefix(open, "rtu:///") || strings.HasPrefix(open, "rtuovertcp://")
}

// New returns the line at url, which is opened at its first use, and again
// after a failure. baud is a serial port's; 0 means 19200. Frames are 8N2.
func New(url string, baud uint) *Line { return &Line{url: url, baud: baud} }

// Input reads n input registers from first on. Errors wrap device.ErrTimeout,
// device.ErrCRC or, when the unit refuses, device.ErrImplausible.
func (l *Line) Input(unit uint8, first, n uint16) ([]uint16, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.open(time.Now()); err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", l.url, device.ErrTimeout, err)
	}
	var words []uint16
	err := l.client.SetUnitId(unit)
	if err == nil {
		words, err = l.client.ReadRegisters(first, n, modbus.INPUT_REGISTER)
	}
	if err == nil {
		return words, nil
	}
	err = kind(err)
	if !errors.Is(err, device.ErrImplausible) {
		_ = l.shut() // bytes of a late or broken answer must not meet the next request
	}
	return nil, fmt.Errorf("unit %d: %w", unit, err)
}

func kind(err error) error {
	switch {
	case errors.Is(err, modbus.ErrBadCRC), errors.Is(err, modbus.ErrShortFrame):
		return fmt.Errorf("%w: %w", device.ErrCRC, err)
	case errors.Is(err, modbus.ErrIllegalFunction), errors.Is(err, modbus.ErrIllegalDataAddress),
		errors.Is(err, modbus.ErrIllegalDataValue), errors.Is(err, modbus.ErrServerDeviceFailure):
		return fmt.Errorf("%w: %w", device.ErrImplausible, err)
	}
	return fmt.Errorf("%w: %w", device.ErrTimeout, err)
}

func (l *Line) open(now time.Time) error { // with mu
	if l.client != nil {
		return nil
	}
	if now.Before(l.notYet) {
		return l.err
	}
	client, err := modbus.NewClient(&modbus.ClientConfiguration{
		URL: l.url, Speed: l.baud, Timeout: limit, Logger: log.New(io.Discard, "", 0),
	})
	if err == nil {
		err = client.Open()
	}
	if l.err = err; err != nil {
		l.notYet = now.Add(reopenPause)
		return err
	}
	l.client = client
	return nil
}

func (l *Line) shut() error { // with mu
	if l.client == nil {
		return nil
	}
	client := l.client
	l.client = nil
	return client.Close()
}

// Close closes the line; a later use opens it again.
func (l *Line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut()
}

func (l *Line) String() string { return l.url }
