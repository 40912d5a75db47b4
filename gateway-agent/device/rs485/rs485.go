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
	// lateLimit is for how long after it was not answered a request may still be:
	// far longer than converters hold frames back (chosen).
	lateLimit = time.Second
	// reopenPause keeps a line that cannot be opened from being tried at each poll.
	reopenPause = time.Second
)

// Table is a kind of registers.
type Table string

// The tables.
const (
	Holding Table = "holding" // function 03
	Input   Table = "input"   // function 04
)

var tables = map[Table]modbus.RegType{Holding: modbus.HOLDING_REGISTER, Input: modbus.INPUT_REGISTER}

// Line is one RS-485 line. It is safe for concurrent use.
//
// An answer in RTU names its unit, its function and its length, and has no
// number that would say which request it answers. What does not fit is told
// from the three. What fits and comes late does not betray itself: so a unit
// that has not answered is left alone until a late answer must have come, and
// is asked next over a connection of its own, on which none can wait.
type Line struct {
	url  string
	baud uint

	mu      sync.Mutex
	client  *modbus.ModbusClient // nil until opened; guarded by mu
	err     error                // of the last try to open; guarded by mu
	notYet  time.Time            // no new try before; guarded by mu
	overdue map[uint8]time.Time  // until when a unit may still answer what it was asked before; guarded by mu
}

// Supports reports whether open names a line: rtu:///dev/ttyUSB0 or
// rtuovertcp://host:port.
func Supports(open string) bool {
	return strings.HasPrefix(open, "rtu:///") || strings.HasPrefix(open, "rtuovertcp://")
}

// New returns the line at url, which is opened at its first use, and again
// after a failure. baud is a serial port's; 0 means 19200. Frames are 8N2.
func New(url string, baud uint) *Line {
	return &Line{url: url, baud: baud, overdue: map[uint8]time.Time{}}
}

// Read reads n registers from first on. Errors wrap device.ErrTimeout when
// nobody answers in time, or did so less than a second ago; device.ErrCRC;
// device.ErrStray when the answer is another unit's or another request's;
// device.ErrNACK when the unit is busy; device.ErrImplausible when it refuses.
func (l *Line) Read(unit uint8, from Table, first, n uint16) ([]uint16, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.settle(unit, time.Now()); err != nil {
		return nil, fmt.Errorf("unit %d: %w", unit, err)
	}
	if err := l.open(time.Now()); err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", l.url, device.ErrTimeout, err)
	}
	var words []uint16
	err := l.client.SetUnitId(unit)
	if err == nil {
		words, err = l.client.ReadRegisters(first, n, tables[from])
	}
	if err == nil {
		return words, nil
	}
	err = kind(err)
	if errors.Is(err, device.ErrTimeout) || errors.Is(err, device.ErrStray) {
		l.overdue[unit] = time.Now().Add(lateLimit)
	}
	if !errors.Is(err, device.ErrImplausible) && !errors.Is(err, device.ErrNACK) {
		_ = l.shut() // bytes of a late or broken answer must not meet the next request
	}
	return nil, fmt.Errorf("unit %d: %w", unit, err)
}

// settle makes sure that no answer to an earlier request of unit can come.
func (l *Line) settle(unit uint8, now time.Time) error { // with mu
	until, overdue := l.overdue[unit]
	switch {
	case !overdue:
		return nil
	case now.Before(until):
		return fmt.Errorf("%w: left alone, an answer may still be on its way", device.ErrTimeout)
	}
	delete(l.overdue, unit)
	_ = l.shut() // others may have used the line meanwhile: what waits on it goes too
	return nil
}

func kind(err error) error {
	switch {
	case errors.Is(err, modbus.ErrBadCRC), errors.Is(err, modbus.ErrShortFrame):
		return fmt.Errorf("%w: %w", device.ErrCRC, err)
	case errors.Is(err, modbus.ErrBadUnitId), errors.Is(err, modbus.ErrProtocolError):
		return fmt.Errorf("%w: %w", device.ErrStray, err)
	case errors.Is(err, modbus.ErrAcknowledge), errors.Is(err, modbus.ErrServerDeviceBusy):
		return fmt.Errorf("%w: %w", device.ErrNACK, err)
	case errors.Is(err, modbus.ErrIllegalFunction), errors.Is(err, modbus.ErrIllegalDataAddress),
		errors.Is(err, modbus.ErrIllegalDataValue), errors.Is(err, modbus.ErrServerDeviceFailure),
		errors.Is(err, modbus.ErrMemoryParityError):
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
