package device

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

const (
	// firstRest and longestRest bound how long a hung device is left alone; the
	// rest doubles each time it hangs again.
	firstRest   = time.Second
	longestRest = 5 * time.Second
)

// Bus lets the devices of one physical bus take turns. A transaction cannot be
// interrupted once it is on the wire, so a device that overruns its limit is
// abandoned: its caller gets ErrTimeout at once, and the device is refused
// until it has rested; so is one that held the wire until the bus below gave
// up. The others wait for the wire at most their own limit.
type Bus struct {
	bus  i2c.Bus
	turn chan struct{} // holds one token: the right to the wire
}

// NewBus shares bus, which the caller still owns and closes after the last Tx.
func NewBus(bus i2c.Bus) *Bus {
	b := &Bus{bus: bus, turn: make(chan struct{}, 1)}
	b.turn <- struct{}{}
	return b
}

// Port is one device's way to the bus. It is an i2c.Bus for that device only
// and is safe for concurrent use.
type Port struct {
	bus   *Bus
	addr  uint16
	limit time.Duration

	mu     sync.Mutex
	counts Counts        // guarded by mu
	rest   time.Duration // after the next hang; guarded by mu
	until  time.Time     // refused before; guarded by mu
	out    int           // abandoned transactions that are still on the wire; guarded by mu
}

// call is one transaction; guarded by the port's mu.
type call struct{ ended, abandoned bool }

// Counts says how a device's transactions ended since the start.
type Counts struct {
	OK, NACK, Timeout, Refused, Other uint64
}

// Port returns the way to the device at addr. A transaction may take limit,
// waiting for the wire included.
func (b *Bus) Port(addr uint16, limit time.Duration) *Port {
	return &Port{bus: b, addr: addr, limit: limit, rest: firstRest}
}

// Tx does one transaction as i2c.Bus says. Its errors wrap ErrNACK, ErrTimeout
// or ErrRefused where the bus below tells them apart. addr must be the port's.
func (p *Port) Tx(addr uint16, w, r []byte) error {
	if addr != p.addr {
		return fmt.Errorf("port of device %#x asked for %#x: %w", p.addr, addr, ErrImplausible)
	}
	err := p.tx(w, r)
	p.count(err)
	if err != nil {
		return fmt.Errorf("device %#x: %w", addr, err)
	}
	return nil
}

func (p *Port) tx(w, r []byte) error {
	if !p.allowed(time.Now()) {
		return ErrRefused
	}
	limit := time.NewTimer(p.limit)
	defer limit.Stop()
	select {
	case <-p.bus.turn:
	case <-limit.C:
		return fmt.Errorf("%w: bus busy", ErrTimeout)
	}
	// The transaction gets memory of its own: it may outlive this call.
	out, in := append([]byte(nil), w...), make([]byte, len(r))
	done, began := make(chan error, 1), time.Now()
	c := &call{}
	go func() {
		done <- Kind(p.bus.bus.Tx(p.addr, out, in))
		p.bus.turn <- struct{}{}
		p.end(c)
	}()
	select {
	case err := <-done:
		copy(r, in)
		if held := time.Since(began); errors.Is(err, ErrTimeout) && held > p.limit/4 {
			p.leave(time.Now())
		}
		return err
	case <-limit.C:
		p.abandon(c, time.Now())
		return fmt.Errorf("%w: abandoned", ErrTimeout)
	}
}

func (p *Port) allowed(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out == 0 && !now.Before(p.until)
}

func (p *Port) abandon(c *call, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.ended {
		c.abandoned = true
		p.out++
	}
	p.leaveLocked(now)
}

// leave lets a device rest that held the wire until the bus gave up.
func (p *Port) leave(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaveLocked(now)
}

func (p *Port) leaveLocked(now time.Time) {
	p.until = now.Add(p.rest)
	p.rest = min(2*p.rest, longestRest)
}

func (p *Port) end(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.ended = true
	if c.abandoned {
		p.out--
	}
}

// Counts returns the counters so far.
func (p *Port) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// SetSpeed leaves the bus as it is: its speed belongs to all its devices.
func (p *Port) SetSpeed(physic.Frequency) error { return nil }

func (p *Port) String() string { return fmt.Sprintf("%s(%#x)", p.bus.bus, p.addr) }

var _ i2c.Bus = (*Port)(nil)
