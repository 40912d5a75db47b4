package agent

import (
	"context"
	"sync"
	"time"

	"nirapod/gateway-agent/device/contact"
	"nirapod/safety"
)

const (
	// contactEvery is how often levels are sampled: five times within the
	// shortest usual hold.
	contactEvery = 10 * time.Millisecond
	// contactsLost is the same while the bank does not answer.
	contactsLost = 100 * time.Millisecond
)

// switchLine is one contact of a bank.
type switchLine struct {
	sensor    string
	pin       string
	activeLow bool
	period    time.Duration
	in        *contact.Input

	due int64 // the next reading is, ms
}

// contacts samples all switches of one GPIO bank. A change is sent at once,
// else one reading a period.
type contacts struct {
	bank pins
	mono func() int64
	emit emit
	edge edge

	mu    sync.Mutex
	wires []*switchLine // guarded by mu
}

func (c *contacts) run(ctx context.Context) error {
	now := contactEvery
	tick := time.NewTicker(now)
	defer tick.Stop()
	for {
		err := c.scan()
		c.edge.report(err)
		if every := pace(err); every != now {
			now = every
			tick.Reset(every)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func pace(err error) time.Duration {
	if err != nil {
		return contactsLost
	}
	return contactEvery
}

// scan samples every contact once. After a failure the rest are not tried: one
// bank, one fate.
func (c *contacts) scan() error {
	var failed error
	var out []sample
	c.mu.Lock()
	for _, w := range c.wires {
		var level bool
		if failed == nil {
			level, failed = c.bank.Read(w.pin)
		}
		at := c.mono()
		if failed != nil {
			w.in.Lost()
			if at >= w.due {
				w.due = after(w.due, at, w.period)
				out = append(out, bad(w.sensor, safety.Timeout, at))
			}
			continue
		}
		changed := w.in.Observe(level != w.activeLow, ms(at))
		if s, known := w.reading(at); known && (changed || at >= w.due) {
			w.due = after(w.due, at, w.period)
			if changed {
				w.due = at + w.period.Milliseconds()
			}
			out = append(out, s)
		}
	}
	c.mu.Unlock()
	if len(out) > 0 {
		c.emit(out...)
	}
	return failed
}

func (w *switchLine) reading(at int64) (s sample, known bool) {
	operated, known := w.in.Operated()
	value := 0.0
	if operated {
		value = 1
	}
	if w.in.Chatters(ms(at)) {
		return uncertain(w.sensor, value, safety.Implausible, at), known
	}
	return good(w.sensor, value, at), known
}

// release ends the latches of contacts that are back at rest and returns what
// they say now. It is safe for concurrent use with run.
func (c *contacts) release() []sample {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.mono()
	var out []sample
	for _, w := range c.wires {
		if w.in.Release() {
			w.due = at + w.period.Milliseconds()
			out = append(out, good(w.sensor, 0, at))
		}
	}
	return out
}
