package agent

import (
	"fmt"
	"time"

	"nirapod/gateway-agent/device/ads1115"
	"nirapod/gateway-agent/device/eol"
	"nirapod/gateway-agent/device/loop420"
	"nirapod/safety"
)

func (k *checker) sensor(path string, s *Sensor) {
	k.named(path, s.ID, s.Zone)
	if err := s.Quantity.Validate(); err != nil {
		k.bad(path+".quantity", "%v", err)
	}
	if s.Grade.Rank() == 0 {
		k.bad(path+".grade", "%q: want %s, %s or %s", s.Grade, safety.Indicative, safety.Industrial, safety.Certified)
	}
	if s.Period < shortestPeriod || s.Period > longestPeriod {
		k.bad(path+".period", "%v: want %v to %v", s.Period, shortestPeriod, longestPeriod)
	}
	wirings := 0
	if s.HDC302x != nil {
		wirings++
		k.hdc302x(path+".hdc302x", s)
	}
	if s.SCD41 != nil {
		wirings++
		k.scd41(path+".scd41", s)
	}
	if s.EOL != nil {
		wirings++
		k.eol(path+".eol", s)
	}
	if s.Current != nil {
		wirings++
		k.current(path+".loop_4_20ma", s)
	}
	if s.Contact != nil {
		wirings++
		k.contact(path+".contact", s)
	}
	if s.Counter != nil {
		wirings++
		k.counter(path+".counter", s)
	}
	if s.Modbus != nil {
		wirings++
		k.modbus(path+".modbus", s)
	}
	if wirings != 1 {
		k.bad(path, "%s has %d wirings: want exactly one of hdc302x, scd41, eol, loop_4_20ma, contact, counter, modbus", s.ID, wirings)
	}
}

func (k *checker) counter(path string, s *Sensor) {
	c := s.Counter
	k.unit(path, c.Bus, c.Unit, "people counter")
	if s.Quantity != safety.People && s.Quantity != safety.PeopleHigh {
		k.bad(path, "counts %s and %s, not %s", safety.People, safety.PeopleHigh, s.Quantity)
	}
	if s.Period < time.Second {
		k.bad(path, "is read once a second at most; the period is %v", s.Period)
	}
	unit := fmt.Sprintf("%s unit %d", c.Bus, c.Unit)
	k.once(path, unit+" "+string(s.Quantity), "%s of this unit is read twice", s.Quantity)
	if other, ok := k.steps[unit]; ok && other != s.Period {
		k.bad(path, "%s is read every %v and every %v: want one period for a device", unit, other, s.Period)
	}
	k.steps[unit] = s.Period
}

// unit claims an address on an RS-485 line for a kind of unit.
func (k *checker) unit(path, bus string, unit uint8, kind string) {
	k.use(path+".bus", bus, serialUnits)
	if unit < 1 || unit > 247 {
		k.bad(path+".unit", "%d: want 1 to 247", unit)
	}
	k.kind(path+".unit", bus, uint16(unit), fmt.Sprintf("unit %d", unit), kind)
}

// kind refuses two kinds of device at one address.
func (k *checker) kind(path, bus string, addr uint16, called, kind string) {
	if k.parts[bus] == nil {
		k.parts[bus] = map[uint16]string{}
	}
	if other := k.parts[bus][addr]; other != "" && other != kind {
		k.bad(path, "%s on %s is a %s and a %s", called, bus, other, kind)
	}
	k.parts[bus][addr] = kind
}

// part claims an address for a kind of part, and one period for the device.
func (k *checker) part(path, bus string, addr uint16, kind string, low, high uint16, period time.Duration) {
	k.use(path+".bus", bus, "I2C devices")
	if addr < low || addr > high {
		k.bad(path+".addr", "%#x: a %s is at %#x to %#x", addr, kind, low, high)
	}
	k.kind(path+".addr", bus, addr, fmt.Sprintf("%#x", addr), kind)
	device := fmt.Sprintf("%s/%#x", bus, addr)
	if other, ok := k.steps[device]; ok && other != period {
		k.bad(path, "%s is read every %v and every %v: want one period for a device", device, other, period)
	}
	k.steps[device] = period
}

func (k *checker) hdc302x(path string, s *Sensor) {
	h := s.HDC302x
	k.part(path, h.Bus, h.Addr, "HDC302x", 0x44, 0x47, s.Period)
	if s.Quantity != safety.Temperature && s.Quantity != safety.Humidity {
		k.bad(path, "measures temperature and humidity, not %s", s.Quantity)
	}
	if s.Period < time.Second {
		k.bad(path, "is read once a second at most; the period is %v", s.Period)
	}
	k.once(path, fmt.Sprintf("%s %#x %s", h.Bus, h.Addr, s.Quantity), "%s of this part is read twice", s.Quantity)
}

func (k *checker) input(path, bus string, addr uint16, input int) {
	if input < 0 || input >= ads1115.Inputs {
		k.bad(path, "%d: want 0 to %d", input, ads1115.Inputs-1)
		return
	}
	k.once(path, fmt.Sprintf("%s %#x ain%d", bus, addr, input), "input %d of %#x is used twice", input, addr)
}

func (k *checker) eol(path string, s *Sensor) {
	e := s.EOL
	k.part(path, e.Bus, e.Addr, "ADS1115", 0x48, 0x4B, s.Period)
	if s.Quantity != safety.Smoke && s.Quantity != safety.Flame && s.Quantity != safety.CallPoint {
		k.bad(path, "a supervised loop tells smoke, flame or call_point, not %s", s.Quantity)
	}
	k.input(path+".input", e.Bus, e.Addr, e.Input)
	if _, ok := eol.Profiles[e.Profile]; !ok {
		k.bad(path+".profile", "%q is not known", e.Profile)
	}
	if e.Volts < 1 || e.Volts > ads1115.FullScale {
		k.bad(path+".supply_v", "%g: want 1 to %g", e.Volts, ads1115.FullScale)
	}
	if e.Supply < 0 || e.Supply >= ads1115.Inputs || e.Supply == e.Input {
		k.bad(path+".supply_input", "%d: want another input of the same part, 0 to %d", e.Supply, ads1115.Inputs-1)
		return
	}
	k.wires[fmt.Sprintf("%s %#x ain%d", e.Bus, e.Addr, e.Supply)] = true // shared by all loops of the part
	for i := range k.c.Sensors {
		o := k.c.Sensors[i].EOL
		if o != nil && o.Bus == e.Bus && o.Addr == e.Addr && (o.Supply != e.Supply || o.Volts != e.Volts) {
			k.bad(path+".supply_input", "the loops of one part share one supply: %s differs", k.c.Sensors[i].ID)
			return
		}
	}
}

func (k *checker) current(path string, s *Sensor) {
	l := s.Current
	k.part(path, l.Bus, l.Addr, "ADS1115", 0x48, 0x4B, s.Period)
	k.input(path+".input", l.Bus, l.Addr, l.Input)
	if s.Quantity.Switch() {
		k.bad(path, "a transmitter gives a number, and %s is a switch", s.Quantity)
	}
	model, ok := loop420.Models[l.Model]
	if !ok {
		k.bad(path+".model", "%q is not known", l.Model)
	}
	if err := (loop420.Loop{Model: model, Shunt: l.Shunt, Span: l.Span}).Validate(ads1115.FullScale); err != nil {
		k.bad(path, "%v", err)
	}
}

func (k *checker) contact(path string, s *Sensor) {
	c := s.Contact
	k.pin(path, c.Bus, c.Pin)
	if !s.Quantity.Switch() {
		k.bad(path, "a contact is 0 or 1, and %s is a number", s.Quantity)
	}
	if c.Hold != 0 && (c.Hold < 20*time.Millisecond || c.Hold > 5*time.Second) {
		k.bad(path+".hold", "%v: want 20ms to 5s", c.Hold)
	}
	isKey := s.Quantity == safety.Key
	if isKey != (c.Key == KeyAcknowledge || c.Key == KeyPanel) {
		k.bad(path+".key", "%q: a contact of quantity key, and no other, is %s or %s", c.Key, KeyAcknowledge, KeyPanel)
	}
}
