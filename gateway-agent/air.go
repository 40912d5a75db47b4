package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/scd41"
	"nirapod/safety"
)

const (
	// freshPause is between asking an SCD41 for a sample that is not there yet.
	freshPause = 500 * time.Millisecond
	// frozenAir is how many identical samples of an SCD41 mean that it is frozen:
	// half a minute. Two may be chance, and rarely are: the second is in doubt.
	frozenAir = 6
	// thickAir is how much CO2 there must have been, ppm, for the end of the scale
	// to be gas and not a broken part: with its lag of a minute nothing in a room
	// takes it from below to its end between two samples.
	thickAir = 5000.0
)

// airSensor samples one SCD41.
type airSensor struct {
	dev                        *scd41.Dev
	co2, temperature, humidity string // sensor ids, "" = not used
	period                     time.Duration
	mono                       func() int64
	emit                       emit
	edge                       edge

	last   scd41.Sample
	same   int     // how often last has been seen in a row
	most   float64 // the newest CO2 within the scale, ppm
	serial uint64
}

func (a *airSensor) run(ctx context.Context) error {
	tick := time.NewTicker(a.period)
	defer tick.Stop()
	for {
		if err := a.poll(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// poll takes one sample. The part measures by its own clock: while there is
// none that has not been read, it waits, at most a period.
func (a *airSensor) poll(ctx context.Context) error {
	s, err := a.dev.Read()
	for left := a.period - freshPause; errors.Is(err, device.ErrWarming) && left > 0; left -= freshPause {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(freshPause):
		}
		s, err = a.dev.Read()
	}
	a.edge.report(err)
	a.meet()
	at := a.mono()
	if err != nil {
		a.same = 0
		for _, sensor := range []string{a.co2, a.temperature, a.humidity} {
			a.tell(sensor, safety.Reading{Reason: reasonOf(err)}, at)
		}
		return nil
	}
	a.tell(a.co2, a.gas(s), at)
	a.tell(a.temperature, a.judge(s.Temperature(), s.RawT), at)
	a.tell(a.humidity, a.judge(s.Humidity(), s.RawRH), at)
	return nil
}

func (a *airSensor) tell(sensor string, r safety.Reading, at int64) {
	if r.Sensor = sensor; sensor != "" {
		a.emit(sample{r, at})
	}
}

// meet says which part is there, and when it is another.
func (a *airSensor) meet() {
	if serial := a.dev.Serial(); serial != a.serial {
		a.serial = serial
		a.edge.log.Info("device identified", "device", a.edge.device, "serial", fmt.Sprintf("%012x", serial))
	}
}

// gas judges CO2, and with it whether the sample is new at all. No air is
// without CO2. At the upper end of the scale, where there was much before, gas
// does not read as silence: the end is reported, uncertain.
func (a *airSensor) gas(s scd41.Sample) safety.Reading {
	if s != a.last {
		a.last, a.same = s, 0
	}
	a.same++
	switch {
	case a.same >= frozenAir:
		return safety.Reading{Reason: safety.Stuck}
	case s.CO2 >= scd41.MaxCO2 && a.most >= thickAir:
		return safety.Reading{Value: scd41.MaxCO2, Quality: safety.Uncertain, Reason: safety.OutOfRange}
	case s.CO2 == 0 || s.CO2 >= scd41.MaxCO2:
		return safety.Reading{Reason: safety.OutOfRange}
	case a.same > 1:
		return safety.Reading{Value: s.PPM(), Quality: safety.Uncertain, Reason: safety.Stale}
	}
	a.most = s.PPM()
	return safety.Reading{Value: s.PPM(), Quality: safety.Good}
}

// judge judges another quantity of a sample that gas has seen.
func (a *airSensor) judge(value float64, raw uint16) safety.Reading {
	switch {
	case a.same >= frozenAir:
		return safety.Reading{Reason: safety.Stuck}
	case raw == 0 || raw == 0xFFFF:
		return safety.Reading{Reason: safety.OutOfRange}
	case a.same > 1:
		return safety.Reading{Value: value, Quality: safety.Uncertain, Reason: safety.Stale}
	}
	return safety.Reading{Value: value, Quality: safety.Good}
}

// air wires one quantity of an SCD41.
func (w *wirer) air(s *Sensor) error {
	bus := s.SCD41.Bus
	a := w.airs[bus]
	if a == nil {
		port, err := w.port(place{bus, scd41.Address})
		if err != nil {
			return err
		}
		a = &airSensor{
			dev: scd41.New(port, s.SCD41.settings()), period: s.Period, mono: w.a.clock.Mono, emit: w.a.emit,
			edge: edge{log: w.a.log, device: port.String()},
		}
		w.airs[bus] = a
		w.a.devices = append(w.a.devices, a.run)
	}
	switch s.Quantity {
	case safety.Temperature:
		a.temperature = s.ID
	case safety.Humidity:
		a.humidity = s.ID
	default:
		a.co2 = s.ID
	}
	return nil
}

func (c *SCD41) settings() scd41.Settings {
	s := scd41.Settings{
		Altitude: c.Altitude, Pressure: c.Pressure, SelfHeating: c.SelfHeating, SelfCalibration: c.SelfCalibration,
	}
	if s.SelfHeating == 0 {
		s.SelfHeating = scd41.UsualHeat
	}
	return s
}
