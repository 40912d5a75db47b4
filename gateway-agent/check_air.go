package agent

import (
	"fmt"
	"slices"
	"time"

	"nirapod/gateway-agent/device/rs485"
	"nirapod/gateway-agent/device/scd41"
	"nirapod/safety"
)

func (k *checker) scd41(path string, s *Sensor) {
	c := s.SCD41
	k.part(path, c.Bus, scd41.Address, "SCD41", scd41.Address, scd41.Address, s.Period)
	if s.Quantity != safety.CO2 && s.Quantity != safety.Temperature && s.Quantity != safety.Humidity {
		k.bad(path, "measures co2, temperature and humidity, not %s", s.Quantity)
	}
	if s.Period < scd41.Interval {
		k.bad(path, "has a sample every %v; the period is %v", scd41.Interval, s.Period)
	}
	if s.LifeSafety || s.Grade == safety.Certified {
		k.bad(path, "is for air quality and occupancy: want life_safety: false and no certificate")
	}
	if err := c.settings().Validate(); err != nil {
		k.bad(path, "%v", err)
	}
	if c.SelfCalibration && k.c.always() {
		k.bad(path+".self_calibration", "takes the week's lowest CO2 for fresh air, and by attended people are here at all hours: want false")
	}
	k.once(path, fmt.Sprintf("%s %#x %s", c.Bus, scd41.Address, s.Quantity), "%s of this part is read twice", s.Quantity)
	for i := range k.c.Sensors {
		if o := k.c.Sensors[i]; o.SCD41 != nil && o.SCD41.Bus == c.Bus && *o.SCD41 != *c {
			k.bad(path, "the sensors of one part say the same of it: %s differs", o.ID)
			return
		}
	}
}

// always reports whether somebody is there at all hours.
func (c *Config) always() bool {
	midnight := time.Date(2000, 1, 1, 0, 0, 0, 0, dhaka)
	for minute := range 24 * 60 {
		if !attended(c.Attended, midnight.Add(time.Duration(minute)*time.Minute)) {
			return false
		}
	}
	return true
}

func (k *checker) modbus(path string, s *Sensor) {
	m := s.Modbus
	k.unit(path, m.Bus, m.Unit, "unit of plain registers")
	if s.Quantity.Switch() || s.Quantity == safety.People || s.Quantity == safety.PeopleHigh {
		k.bad(path, "is a measured number, not %s", s.Quantity)
	}
	if s.Period < time.Second {
		k.bad(path, "is read once a second at most; the period is %v", s.Period)
	}
	if m.Function != rs485.Input && m.Function != rs485.Holding {
		k.bad(path+".function", "%q: want %s or %s", m.Function, rs485.Input, rs485.Holding)
	}
	if !slices.Contains([]WordOrder{"", HighFirst, LowFirst}, m.WordOrder) {
		k.bad(path+".word_order", "%q: want %s or %s", m.WordOrder, HighFirst, LowFirst)
	}
	if err := m.layout().Validate(); err != nil {
		k.bad(path, "%v", err)
	}
	if m.Stuck != 0 && m.Stuck < 10*s.Period {
		k.bad(path+".stuck_after", "%v: want at least ten periods of %v", m.Stuck, s.Period)
	}
	where := fmt.Sprintf("%s unit %d %s %d", m.Bus, m.Unit, m.Function, m.Register)
	k.once(path, where, "%s register %d of this unit is read twice", m.Function, m.Register)
}

// hazards checks those of the site's hazards that rules read.
func (k *checker) hazards() {
	for i, h := range k.c.Hazards {
		if !k.zones[h.Zone] {
			k.bad(fmt.Sprintf("hazards[%d].zone", i), "zone %q is not among zones", h.Zone)
		}
		if h.Kind == safety.KindBoiler && !(h.RatedBar > 0) {
			k.bad(fmt.Sprintf("hazards[%d].rated_bar", i), "is missing: want the rated pressure in bar")
		}
	}
}
