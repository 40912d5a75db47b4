package agent

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"periph.io/x/conn/v3/i2c"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/rs485"
	"nirapod/gateway-agent/device/scd41"
)

// The addresses of 7 bits that devices may have.
const firstAddr, lastAddr = 0x08, 0x77

// Scan says what answers on one bus, against the configuration. On an RS-485
// line only the units that are configured are asked: each address that is
// silent takes a third of a second.
type Scan struct {
	Bus        string   `json:"bus"`
	Answers    []string `json:"answers"`
	Missing    []string `json:"missing"`    // configured and silent
	Unexpected []string `json:"unexpected"` // answers and is not configured
	Error      string   `json:"error,omitempty"`
}

// OK reports whether bus and configuration agree.
func (s Scan) OK() bool { return s.Error == "" && len(s.Missing)+len(s.Unexpected) == 0 }

// ScanBuses asks every address of every configured I2C bus, and the units of
// every RS-485 line.
func ScanBuses(cfg Config) []Scan {
	all := scanI2C(cfg)
	units := cfg.units()
	for _, name := range slices.Sorted(maps.Keys(units)) {
		all = append(all, scanLine(name, cfg.Buses[name], units[name]))
	}
	return all
}

func scanI2C(cfg Config) []Scan {
	want := map[string]map[uint16]bool{}
	for p := range cfg.places() {
		if want[p.bus] == nil {
			want[p.bus] = map[uint16]bool{}
		}
		want[p.bus][p.addr] = true
	}
	var all []Scan
	for _, name := range slices.Sorted(maps.Keys(want)) {
		all = append(all, scanBus(name, cfg.Buses[name].Open, want[name]))
	}
	return all
}

// places returns the I2C devices of the configuration.
func (c *Config) places() map[place]bool {
	all := map[place]bool{}
	for _, s := range c.Sensors {
		switch {
		case s.HDC302x != nil:
			all[place{s.HDC302x.Bus, s.HDC302x.Addr}] = true
		case s.SCD41 != nil:
			all[place{s.SCD41.Bus, scd41.Address}] = true
		case s.EOL != nil:
			all[place{s.EOL.Bus, s.EOL.Addr}] = true
		case s.Current != nil:
			all[place{s.Current.Bus, s.Current.Addr}] = true
		}
	}
	return all
}

func scanBus(name, open string, want map[uint16]bool) (s Scan) {
	s = Scan{Bus: name, Answers: []string{}, Missing: []string{}, Unexpected: []string{}}
	bus, err := openI2C(open)
	if err != nil {
		s.Error = err.Error()
		return s
	}
	defer func() {
		if err := bus.Close(); err != nil && s.Error == "" {
			s.Error = err.Error()
		}
	}()
	for addr := uint16(firstAddr); addr <= lastAddr; addr++ {
		err := device.Kind(probe(bus, addr))
		if err != nil && !errors.Is(err, device.ErrNACK) {
			s.Error = fmt.Sprintf("%#x: %v", addr, err)
			return s
		}
		s.note(fmt.Sprintf("%#x", addr), err == nil, want[addr])
	}
	return s
}

// units returns what is to be read of each Modbus unit, by line.
func (c *Config) units() map[string]map[uint8]Modbus {
	all := map[string]map[uint8]Modbus{}
	add := func(m Modbus) {
		if all[m.Bus] == nil {
			all[m.Bus] = map[uint8]Modbus{}
		}
		all[m.Bus][m.Unit] = m
	}
	for _, s := range c.Sensors {
		switch {
		case s.Counter != nil:
			add(Modbus{Bus: s.Counter.Bus, Unit: s.Counter.Unit, Function: rs485.Input})
		case s.Modbus != nil:
			add(*s.Modbus)
		}
	}
	return all
}

// scanLine asks each unit for its register. A unit that refuses is there, and
// so is one that is garbled: two of one address look so.
func scanLine(name string, b Bus, units map[uint8]Modbus) Scan {
	s := Scan{Bus: name, Answers: []string{}, Missing: []string{}, Unexpected: []string{}}
	line := openLine(b)
	var wrong []error
	for _, unit := range slices.Sorted(maps.Keys(units)) {
		m := units[unit]
		layout := m.layout()
		_, err := line.Read(unit, m.Function, m.Register, layout.Words())
		if err != nil && !errors.Is(err, device.ErrTimeout) {
			wrong = append(wrong, err)
		}
		s.note(fmt.Sprintf("unit %d", unit), !errors.Is(err, device.ErrTimeout), true)
	}
	if err := errors.Join(append(wrong, line.Close())...); err != nil {
		s.Error = err.Error()
	}
	return s
}

// probe asks for something that changes nothing. An HDC302x that has not been
// started refuses to be read, and tells its status; an SCD41 that measures
// takes little else than being asked whether it has something.
func probe(bus i2c.Bus, addr uint16) error {
	if addr == scd41.Address {
		return bus.Tx(addr, []byte{0xE4, 0xB8}, nil)
	}
	if addr >= 0x44 && addr <= 0x47 {
		return bus.Tx(addr, []byte{0xF3, 0x2D}, make([]byte, 3))
	}
	return bus.Tx(addr, nil, make([]byte, 1))
}

func (s *Scan) note(addr string, answers, wanted bool) {
	switch {
	case answers && !wanted:
		s.Unexpected = append(s.Unexpected, addr)
	case !answers && wanted:
		s.Missing = append(s.Missing, addr)
	}
	if answers {
		s.Answers = append(s.Answers, addr)
	}
}
