package agent

import (
	"fmt"

	"nirapod/gateway-agent/device/counter"
	"nirapod/gateway-agent/device/register"
	"nirapod/gateway-agent/device/rs485"
	"nirapod/safety"
)

// line returns an RS-485 line, the same for all units on it.
func (w *wirer) line(bus string) *rs485.Line {
	l := w.lines[bus]
	if l == nil {
		l = openLine(w.a.cfg.Buses[bus])
		w.lines[bus] = l
		w.a.close = append(w.a.close, l)
	}
	return l
}

// counter wires one end of a people counter's interval.
func (w *wirer) counter(s *Sensor) {
	p := place{s.Counter.Bus, uint16(s.Counter.Unit)}
	t := w.people[p]
	if t == nil {
		line, unit := w.line(p.bus), s.Counter.Unit
		t = &tally{
			dev:    counter.New(func(first, n uint16) ([]uint16, error) { return line.Read(unit, rs485.Input, first, n) }),
			period: s.Period, mono: w.a.clock.Mono, emit: w.a.emit,
			edge: edge{log: w.a.log, device: fmt.Sprintf("%s unit %d", line, unit)},
		}
		w.people[p] = t
		w.a.devices = append(w.a.devices, t.run)
	}
	if s.Quantity == safety.PeopleHigh {
		t.high = s.ID
	} else {
		t.low = s.ID
	}
}

// gauge wires one number of a unit.
func (w *wirer) gauge(s *Sensor) {
	m := *s.Modbus
	line, layout := w.line(m.Bus), m.layout()
	g := &gauge{
		sensor: s.ID, period: s.Period, mono: w.a.clock.Mono, emit: w.a.emit,
		dev: register.New(layout, func() ([]uint16, error) {
			return line.Read(m.Unit, m.Function, m.Register, layout.Words())
		}),
		edge: edge{log: w.a.log, device: fmt.Sprintf("%s unit %d %s register %d", line, m.Unit, m.Function, m.Register)},
	}
	w.a.devices = append(w.a.devices, g.run)
}

func (m *Modbus) layout() register.Layout {
	l := register.Layout{
		Type: m.Type, LowFirst: m.WordOrder == LowFirst, Scale: m.Scale, Offset: m.Offset, Range: m.Range, Stuck: m.Stuck,
	}
	if l.Scale == 0 {
		l.Scale = 1
	}
	return l
}
