package agent

import (
	"time"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/ads1115"
	"nirapod/gateway-agent/device/contact"
	"nirapod/gateway-agent/device/eol"
	"nirapod/gateway-agent/device/gpiochip"
	"nirapod/gateway-agent/device/hdc302x"
	"nirapod/gateway-agent/device/loop420"
	"nirapod/gateway-agent/device/rs485"
	"nirapod/safety"
)

const (
	// transactionLimit bounds one I2C transaction, waiting for the bus included.
	transactionLimit = 250 * time.Millisecond

	holdContact   = 50 * time.Millisecond
	holdCallPoint = 100 * time.Millisecond
)

// place is one device on one bus.
type place struct {
	bus  string
	addr uint16
}

// wirer turns the configuration into devices. Maps are by bus, or by place.
type wirer struct {
	a       *Agent
	i2c     map[string]*device.Bus
	banks   map[string]pins
	thermos map[place]*thermo
	airs    map[string]*airSensor // by bus: a part has one address
	analogs map[place]*analog
	inputs  map[string]*contacts
	lines   map[string]*rs485.Line
	people  map[place]*tally
}

// wire builds all devices and outputs. Nothing is opened yet.
func (a *Agent) wire() error {
	w := wirer{
		a: a, i2c: map[string]*device.Bus{}, banks: map[string]pins{},
		thermos: map[place]*thermo{}, airs: map[string]*airSensor{}, analogs: map[place]*analog{}, inputs: map[string]*contacts{},
		lines: map[string]*rs485.Line{}, people: map[place]*tally{},
	}
	var drives []drive
	for _, o := range a.cfg.Outputs {
		bank, err := w.bank(o.Bus)
		if err != nil {
			return err
		}
		drives = append(drives, drive{o, bank})
	}
	a.outputs = newOutputs(inOrder(drives), a.fault(partSounder), a.fault(partOutputs), a.log)
	a.core.outputs = a.outputs
	for i := range a.cfg.Sensors {
		if err := w.sensor(&a.cfg.Sensors[i]); err != nil {
			return err
		}
	}
	a.core.release = func() (all []sample) {
		for _, c := range w.inputs {
			all = append(all, c.release()...)
		}
		return all
	}
	return nil
}

// inOrder puts the sounder before all others: it is written first.
func inOrder(drives []drive) []drive {
	var ordered []drive
	for _, k := range []OutputKind{OutputEvacuate, OutputStaff, OutputBeacon, OutputFault} {
		for _, d := range drives {
			if d.Kind == k {
				ordered = append(ordered, d)
			}
		}
	}
	return ordered
}

func (w *wirer) sensor(s *Sensor) error {
	switch {
	case s.HDC302x != nil:
		t, err := w.thermo(place{s.HDC302x.Bus, s.HDC302x.Addr}, s.Period)
		if err != nil {
			return err
		}
		if s.Quantity == safety.Temperature {
			t.temperature = s.ID
		} else {
			t.humidity = s.ID
		}
	case s.SCD41 != nil:
		return w.air(s)
	case s.EOL != nil:
		a, err := w.analog(place{s.EOL.Bus, s.EOL.Addr}, s.Period)
		if err != nil {
			return err
		}
		a.supply, a.nominal = s.EOL.Supply, s.EOL.Volts
		a.loops = append(a.loops, &loop{sensor: s.ID, input: s.EOL.Input, Loop: eol.NewLoop(eol.Profiles[s.EOL.Profile])})
	case s.Current != nil:
		a, err := w.analog(place{s.Current.Bus, s.Current.Addr}, s.Period)
		if err != nil {
			return err
		}
		a.transmitters = append(a.transmitters, &transmitter{sensor: s.ID, input: s.Current.Input, Loop: s.Current.loop()})
	case s.Contact != nil:
		return w.contact(s)
	case s.Counter != nil:
		w.counter(s)
	case s.Modbus != nil:
		w.gauge(s)
	}
	return nil
}

func (l *Current) loop() loop420.Loop {
	return loop420.Loop{Model: loop420.Models[l.Model], Shunt: l.Shunt, Span: l.Span}
}

func (w *wirer) thermo(p place, period time.Duration) (*thermo, error) {
	if t := w.thermos[p]; t != nil {
		return t, nil
	}
	port, err := w.port(p)
	if err != nil {
		return nil, err
	}
	t := &thermo{
		dev: hdc302x.New(port, p.addr), period: period, mono: w.a.clock.Mono, emit: w.a.emit,
		edge: edge{log: w.a.log, device: port.String()},
	}
	w.thermos[p] = t
	w.a.devices = append(w.a.devices, t.run)
	return t, nil
}

func (w *wirer) analog(p place, period time.Duration) (*analog, error) {
	if a := w.analogs[p]; a != nil {
		return a, nil
	}
	port, err := w.port(p)
	if err != nil {
		return nil, err
	}
	a := &analog{
		dev: ads1115.New(port, p.addr), period: period, mono: w.a.clock.Mono, emit: w.a.emit,
		edge: edge{log: w.a.log, device: port.String()},
	}
	w.analogs[p] = a
	w.a.devices = append(w.a.devices, a.run)
	return a, nil
}

func (w *wirer) port(p place) (*device.Port, error) {
	if w.i2c[p.bus] == nil {
		bus, err := openI2C(w.a.cfg.Buses[p.bus].Open)
		if err != nil {
			return nil, err
		}
		w.a.close = append(w.a.close, bus)
		w.i2c[p.bus] = device.NewBus(bus)
	}
	return w.i2c[p.bus].Port(p.addr, transactionLimit), nil
}

func (w *wirer) contact(s *Sensor) error {
	name := s.Contact.Bus
	bank, err := w.bank(name)
	if err != nil {
		return err
	}
	c := w.inputs[name]
	if c == nil {
		c = &contacts{bank: bank, mono: w.a.clock.Mono, emit: w.a.emit, edge: edge{log: w.a.log, device: name}}
		w.inputs[name] = c
		w.a.devices = append(w.a.devices, c.run)
	}
	in := contact.New(s.Contact.hold(s.Quantity), s.Quantity == safety.CallPoint)
	if w.a.core.ann.Operated(s.ID) {
		in.Latch()
	}
	c.wires = append(c.wires, &switchLine{
		sensor: s.ID, pin: s.Contact.Pin, activeLow: s.Contact.ActiveLow, period: s.Period, in: in,
	})
	return nil
}

func (c *Contact) hold(q safety.Quantity) time.Duration {
	switch {
	case c.Hold != 0:
		return c.Hold
	case q == safety.CallPoint:
		return holdCallPoint
	}
	return holdContact
}

// bank returns the lines of one GPIO bus, all of them at once: a chip gives out
// those of one direction in one request.
func (w *wirer) bank(name string) (pins, error) {
	if b := w.banks[name]; b != nil {
		return b, nil
	}
	var inputs []gpiochip.Input
	var outputs []gpiochip.Output
	for _, s := range w.a.cfg.Sensors {
		if s.Contact != nil && s.Contact.Bus == name {
			inputs = append(inputs, gpiochip.Input{Name: s.Contact.Pin, PullUp: s.Contact.ActiveLow})
		}
	}
	for _, o := range w.a.cfg.Outputs {
		if o.Bus == name {
			outputs = append(outputs, gpiochip.Output{Name: o.Pin, Rest: o.ActiveLow})
		}
	}
	b, err := openPins(w.a.cfg.Buses[name].Open, inputs, outputs)
	if err != nil {
		return nil, err
	}
	w.a.close = append(w.a.close, b)
	w.banks[name] = b
	return b, nil
}

// emit hands samples to the core.
func (a *Agent) emit(samples ...sample) { a.core.samples <- samples }
