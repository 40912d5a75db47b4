package agent

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"nirapod/gateway-agent/annunciate"
)

const (
	// assertEvery is how often levels are written again: whoever drives the
	// lines may have lost them. They are never read back.
	assertEvery = time.Second
	// outputRetry is how soon a line that could not be written is tried again.
	outputRetry = 100 * time.Millisecond
)

// drive is one output and the bank that holds its line.
type drive struct {
	Output
	bank pins
}

// outputs keeps the lines at what the core wants, most important first.
type outputs struct {
	drives  []drive
	sounder func(broken bool) // what evacuates
	others  func(broken bool)
	log     *slog.Logger
	wake    chan struct{}

	mu   sync.Mutex
	want annunciate.Outputs // guarded by mu
}

func newOutputs(drives []drive, sounder, others func(bool), log *slog.Logger) *outputs {
	return &outputs{drives: drives, sounder: sounder, others: others, log: log, wake: make(chan struct{}, 1)}
}

// set says what is wanted from now on. It never blocks.
func (o *outputs) set(want annunciate.Outputs) {
	o.mu.Lock()
	changed := want != o.want
	o.want = want
	o.mu.Unlock()
	if !changed {
		return
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// run drives the lines until ctx ends and then leaves them as they are: an
// agent that stops must not silence a sounder.
func (o *outputs) run(ctx context.Context) error {
	sounder, others := health{tell: o.sounder}, health{tell: o.others}
	for {
		siren, rest := o.assert()
		if sounder.report(siren) {
			o.log.Error("sounder changed", "failing", siren != nil, "err", siren)
		}
		if others.report(rest) {
			o.log.Warn("outputs changed", "failing", rest != nil, "err", rest)
		}
		next := assertEvery
		if siren != nil || rest != nil {
			next = outputRetry
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-o.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// assert writes every line and returns the first error of a line that evacuates
// and the first of all others.
func (o *outputs) assert() (siren, rest error) {
	o.mu.Lock()
	want := o.want
	o.mu.Unlock()
	for _, d := range o.drives {
		first := &rest
		if d.Kind == OutputEvacuate {
			first = &siren
		}
		if err := d.bank.Write(d.Pin, d.Kind.of(want) != d.ActiveLow); err != nil && *first == nil {
			*first = fmt.Errorf("output %s: %w", d.ID, err)
		}
	}
	return siren, rest
}

func (k OutputKind) of(o annunciate.Outputs) bool {
	switch k {
	case OutputEvacuate:
		return o.Evacuate
	case OutputStaff:
		return o.Staff
	case OutputBeacon:
		return o.Beacon
	case OutputFault:
		return o.Fault
	}
	return false
}
