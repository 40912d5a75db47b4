package agent

import (
	"context"
	"errors"
	"time"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/hdc302x"
	"nirapod/safety"
)

const (
	// stuckAfter is how many identical samples of a part that has noise mean
	// that it gives the same sample again and again.
	stuckAfter = 60
	// notReadyPause is between tries when a part has nothing new yet.
	notReadyPause = 100 * time.Millisecond
	notReadyTries = 5
	// hotBefore is how hot it must have been for a reading beyond the part's
	// range to be a fire and not a broken element: nothing in a room rises from
	// below to beyond the range in one period.
	hotBefore = 60.0
)

func reasonOf(err error) safety.Reason { return device.Reason(err) }

// thermo samples one HDC302x.
type thermo struct {
	dev         *hdc302x.Dev
	temperature string // sensor ids, "" = not used
	humidity    string
	period      time.Duration
	mono        func() int64
	emit        emit
	edge        edge

	last hdc302x.Sample
	same int     // how often last has been seen in a row
	hot  float64 // the newest temperature within the range, °C
}

func (t *thermo) run(ctx context.Context) error {
	tick := time.NewTicker(t.period)
	defer tick.Stop()
	for {
		if err := t.poll(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// poll takes one sample. The part samples by its own clock, so that now and
// then it has nothing new yet: then it is asked again shortly.
func (t *thermo) poll(ctx context.Context) error {
	s, err := t.dev.Read()
	for try := 1; errors.Is(err, device.ErrWarming) && try < notReadyTries; try++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(notReadyPause):
		}
		s, err = t.dev.Read()
	}
	t.edge.report(err)
	at := t.mono()
	if err != nil {
		t.same = 0
		t.send(bad(t.temperature, reasonOf(err), at), bad(t.humidity, reasonOf(err), at))
		return nil
	}
	if t.stuck(s) {
		t.send(bad(t.temperature, safety.Stuck, at), bad(t.humidity, safety.Stuck, at))
		return nil
	}
	t.send(t.heat(s, at), t.damp(s, at))
	return nil
}

func (t *thermo) send(samples ...sample) {
	for _, s := range samples {
		if s.Sensor != "" {
			t.emit(s)
		}
	}
}

func (t *thermo) stuck(s hdc302x.Sample) bool {
	if s != t.last {
		t.last, t.same = s, 0
	}
	t.same++
	return t.same > stuckAfter
}

// heat judges the temperature. Above the range, where it was hot before, a fire
// does not read as silence: the end of the range is reported, uncertain.
func (t *thermo) heat(s hdc302x.Sample, at int64) sample {
	v := s.Temperature()
	switch {
	case v > hdc302x.MaxTemperature && t.hot >= hotBefore:
		return uncertain(t.temperature, hdc302x.MaxTemperature, safety.OutOfRange, at)
	case v > hdc302x.MaxTemperature || v < hdc302x.MinTemperature:
		return bad(t.temperature, safety.OutOfRange, at)
	}
	t.hot = v
	return good(t.temperature, v, at)
}

// damp judges the humidity. In steam the register stands at its upper end, and
// that says something; at its lower end it says nothing.
func (t *thermo) damp(s hdc302x.Sample, at int64) sample {
	switch s.RawRH {
	case 0xFFFF:
		return uncertain(t.humidity, s.Humidity(), safety.OutOfRange, at)
	case 0:
		return bad(t.humidity, safety.OutOfRange, at)
	}
	return good(t.humidity, s.Humidity(), at)
}

func uncertain(sensor string, value float64, why safety.Reason, mono int64) sample {
	return sample{safety.Reading{Sensor: sensor, Value: value, Quality: safety.Uncertain, Reason: why}, mono}
}
