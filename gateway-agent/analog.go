package agent

import (
	"context"
	"fmt"
	"math"
	"time"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/ads1115"
	"nirapod/gateway-agent/device/eol"
	"nirapod/gateway-agent/device/loop420"
	"nirapod/safety"
)

const (
	// scanEvery is how often a loop is looked at while all is quiet.
	scanEvery = 100 * time.Millisecond
	// supplyTolerance is how far the measured supply of the loops may be from
	// its nominal voltage before their ratios mean nothing.
	supplyTolerance = 0.1
	// inDoubt bounds the samples that follow at once on one that does not fit.
	inDoubt = 4
	// currentStuckAfter is how many identical voltages of a live transmitter
	// mean that the converter or the transmitter is frozen.
	currentStuckAfter = 120
)

// loop is one supervised line.
type loop struct {
	sensor string
	input  int
	*eol.Loop

	err  error  // of the last try to sample it
	told sample // last sent
	due  int64  // the next one is, ms
}

// transmitter is one 4-20 mA loop.
type transmitter struct {
	sensor string
	input  int
	loop420.Loop

	last float64
	same int
}

// analog samples one ADS1115: its loops ten times a second and faster in doubt,
// its transmitters once a period. A change of a loop is sent at once.
type analog struct {
	dev          *ads1115.Dev
	supply       int     // input that measures the supply of the loops
	nominal      float64 // V
	loops        []*loop
	transmitters []*transmitter
	period       time.Duration
	mono         func() int64
	emit         emit
	edge         edge
}

func (a *analog) run(ctx context.Context) error {
	tick := time.NewTicker(scanEvery)
	defer tick.Stop()
	due := a.mono()
	for _, l := range a.loops {
		l.due = due + a.period.Milliseconds() // undecided is nothing to tell in the first period
	}
	for {
		err := a.scan(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if now := a.mono(); now >= due {
			due = after(due, now, a.period)
			if failed := a.sampleTransmitters(); err == nil {
				err = failed
			}
			a.edge.report(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// read tries twice: a part that lost its state in between says so once.
func (a *analog) read(input int) (float64, error) {
	v, err := a.dev.Read(input)
	if err != nil && device.Reason(err) != safety.Timeout {
		v, err = a.dev.Read(input)
	}
	return v, err
}

// scan samples every loop once, and those in doubt a few times more.
func (a *analog) scan(ctx context.Context) error {
	if len(a.loops) == 0 {
		return nil
	}
	supply, err := a.read(a.supply)
	if err == nil && math.Abs(supply-a.nominal) > supplyTolerance*a.nominal {
		err = fmt.Errorf("supply of the loops is %.2f V: %w", supply, device.ErrImplausible)
	}
	for _, l := range a.loops {
		if l.err = err; err == nil {
			l.err = a.observe(l, supply)
		}
		err = firstOf(err, l.err)
		a.tell(l)
	}
	for range inDoubt {
		if !a.doubt() {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(eol.SamplePeriod):
		}
		for _, l := range a.loops {
			if l.err == nil && l.Doubt() {
				l.err = a.observe(l, supply)
				err = firstOf(err, l.err)
				a.tell(l)
			}
		}
	}
	return err
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (a *analog) doubt() bool {
	for _, l := range a.loops {
		if l.err == nil && l.Doubt() {
			return true
		}
	}
	return false
}

func (a *analog) observe(l *loop, supply float64) error {
	v, err := a.read(l.input)
	if err == nil {
		l.Observe(v/supply, ms(a.mono()))
	}
	return err
}

// tell sends what a loop says when it has changed or its period is over.
func (a *analog) tell(l *loop) {
	now := a.mono()
	s := l.reading(now)
	changed := s.Reading != l.told.Reading
	if !changed && now < l.due {
		return
	}
	if s.Reason == safety.Warming && now < l.due {
		return
	}
	l.due = after(l.due, now, a.period)
	if changed {
		l.due = now + a.period.Milliseconds()
	}
	l.told = s
	a.emit(s)
}

func (l *loop) reading(at int64) sample {
	if l.err != nil {
		return bad(l.sensor, device.Reason(l.err), at)
	}
	state, known := l.State()
	if !known {
		return bad(l.sensor, safety.Warming, at)
	}
	value := 0.0
	switch state {
	case eol.Alarm:
		value = 1
	case eol.Normal:
	default:
		return bad(l.sensor, wireReason(state), at)
	}
	if fault, yes := l.Suspect(); yes {
		return uncertain(l.sensor, value, wireReason(fault), at)
	}
	return good(l.sensor, value, at)
}

func wireReason(s eol.State) safety.Reason {
	switch s {
	case eol.Open:
		return safety.WireOpen
	case eol.Short:
		return safety.WireShort
	}
	return safety.Implausible
}

func (a *analog) sampleTransmitters() error {
	var first error
	for _, t := range a.transmitters {
		v, err := a.read(t.input)
		first = firstOf(first, err)
		at := a.mono()
		if err != nil {
			a.emit(bad(t.sensor, device.Reason(err), at))
			continue
		}
		a.emit(t.reading(v, at))
	}
	return first
}

func (t *transmitter) reading(volts float64, at int64) sample {
	if volts != t.last {
		t.last, t.same = volts, 0
	}
	t.same++
	r := t.Decode(volts)
	if t.same > currentStuckAfter && r.Quality == safety.Good {
		return bad(t.sensor, safety.Stuck, at)
	}
	r.Sensor = t.sensor
	return sample{r, at}
}
