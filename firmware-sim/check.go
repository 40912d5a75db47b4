package sim

import (
	"fmt"
	"math"
	"strings"
	"time"

	"nirapod/internal/yamlfile"
)

// checker gathers what is wrong with the meaning of a scenario.
type checker struct {
	file  *yamlfile.File
	found []error
	names map[string]string // everything that a fault can name → what it is
	zones map[string]bool
}

func (c *checker) must(ok bool, path, format string, args ...any) {
	if !ok {
		c.found = append(c.found, c.file.Errorf(path, format, args...))
	}
}

func (c *checker) name(path, name, kind string) {
	c.must(name != "", path, "a name is wanted")
	other := c.names[name]
	c.must(other == "", path, "%s is already the name of a %s", name, other)
	c.names[name] = kind
}

func (c *checker) zone(path, id string) {
	c.must(c.zones[id], path, "there is no zone %q", id)
}

func (c *checker) checkBuilding(b Building) {
	c.must(b.Vref >= 1 && b.Vref <= 3.6, "vref_v", "%v V is outside 1 to 3.6", b.Vref)
	c.must(len(b.Zones) > 0, "zones", "at least one zone is wanted")
	for i, z := range b.Zones {
		c.checkZone(fmt.Sprintf("zones[%d]", i), z)
	}
	for i, l := range b.Links {
		c.checkLink(fmt.Sprintf("links[%d]", i), l)
	}
	for i, chip := range b.Chips {
		c.checkChip(fmt.Sprintf("chips[%d]", i), chip)
	}
	for i, n := range b.Counters {
		path := fmt.Sprintf("counters[%d]", i)
		c.must(n.Unit >= 1 && n.Unit <= 247, path+".unit", "%d is outside 1 to 247", n.Unit)
		c.zone(path+".zone", n.Zone)
		c.name(path+".unit", n.Target(), targetCounter)
	}
	for i, o := range b.Boilers {
		c.checkBoiler(fmt.Sprintf("boilers[%d]", i), o)
	}
	for i, g := range b.Gauges {
		path := fmt.Sprintf("gauges[%d]", i)
		c.must(g.Unit >= 1 && g.Unit <= 247, path+".unit", "%d is outside 1 to 247", g.Unit)
		c.must(c.names[g.Boiler] == targetBoiler, path+".boiler", "there is no boiler %q", g.Boiler)
		c.must(g.Span > 0 && g.Span <= 300, path+".span_bar", "%v is outside 0 to 300", g.Span)
		c.name(path+".unit", g.Target(), targetGauge)
	}
	for i, p := range b.Pins {
		c.checkPin(fmt.Sprintf("pins[%d]", i), p)
	}
}

func (c *checker) checkBoiler(path string, o Boiler) {
	c.name(path+".id", o.ID, targetBoiler)
	c.must(o.Setpoint > 0 && o.Setpoint < o.Valve, path+".setpoint_bar", "%v is not between 0 and the safety valve's %v", o.Setpoint, o.Valve)
	c.must(o.Band > 0 && o.Band < o.Setpoint, path+".band_bar", "%v is not between 0 and the setpoint", o.Band)
	c.must(o.Draw > 0 && o.Firing > o.Draw && o.Firing <= 60, path+".firing_bar_per_min", "%v: want more than the draw of %v, and at most 60", o.Firing, o.Draw)
}

func (c *checker) checkScenario(sc *Scenario) {
	clock, err := time.Parse("15:04", sc.Clock)
	c.must(err == nil, "clock", "%q is not a time of day such as 10:30", sc.Clock)
	sc.clock = time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute
	c.must(sc.Name != "", "name", "a name is wanted")
	for i, f := range sc.Fires {
		c.checkFire(fmt.Sprintf("fires[%d]", i), f)
	}
	for i, l := range sc.Leaks {
		c.checkLeak(fmt.Sprintf("leaks[%d]", i), l)
	}
	for i, o := range sc.Sources {
		c.checkSource(fmt.Sprintf("sources[%d]", i), o)
	}
	for i, p := range sc.Crowds {
		path := fmt.Sprintf("crowds[%d]", i)
		c.zone(path+".zone", p.Zone)
		c.must(p.At >= 0, path+".at", "%v is negative", p.At)
		c.must((p.Enter == 0) != (p.Leave == 0), path, "one of enter and leave is wanted")
		c.must(p.Enter <= 1e6 && p.Leave <= 1e6, path, "more than a million people")
		c.must(p.Pace > 0 && p.Pace <= 6000, path+".per_minute", "%v is outside 0 to 6000", p.Pace)
	}
	for i, e := range sc.Events {
		c.checkEvent(fmt.Sprintf("events[%d]", i), e)
	}
	if sc.Recording != nil {
		c.checkRecording(sc.Recording)
	}
}

func (c *checker) checkZone(path string, z Zone) {
	c.must(z.ID != "", path+".id", "a name is wanted")
	c.must(!c.zones[z.ID], path+".id", "zone %q stands twice", z.ID)
	c.zones[z.ID] = true
	c.must(z.Area >= 1, path+".area_m2", "%v is less than 1 m²", z.Area)
	c.must(z.Height >= 1, path+".height_m", "%v is less than 1 m", z.Height)
	c.must(z.Temperature >= -40 && z.Temperature <= 80, path+".temperature_c", "%v °C is outside -40 to 80", z.Temperature)
	c.must(z.Swing >= 0 && z.Swing <= 40, path+".daily_swing_k", "%v K is outside 0 to 40", z.Swing)
	c.must(z.Humidity > 0 && z.Humidity <= 100, path+".humidity_pct", "%v is outside 0 to 100 %%", z.Humidity)
	c.must(z.CO >= 0, path+".co_ppm", "%v is negative", z.CO)
	c.must(z.Roof >= 0 && z.Roof <= 40, path+".roof_k_per_kw_m2", "%v is outside 0 to 40", z.Roof)
	c.must(z.AirChanges >= 0 && z.AirChanges <= 600, path+".air_changes_per_hour", "%v is outside 0 to 600", z.AirChanges)
}

func (c *checker) checkLink(path string, l Link) {
	c.zone(path+".from", l.From)
	c.zone(path+".to", l.To)
	c.must(l.From != l.To, path, "a link leads from one zone to another")
	c.must(l.Flow > 0 && l.Flow <= 10, path+".flow_m3_per_s", "%v is outside 0 to 10 m³/s", l.Flow)
	c.must(l.Delay >= 0 && l.Delay <= 10*time.Minute, path+".delay", "%v is outside 0s to 10m", l.Delay)
}

func (c *checker) checkFire(path string, f Fire) {
	c.zone(path+".zone", f.Zone)
	c.must(f.At >= 0, path+".at", "%v is negative", f.At)
	c.must(f.Smoulder >= 0, path+".smoulder", "%v is negative", f.Smoulder)
	c.must(f.Pyrolysis >= 0 && f.Pyrolysis <= 1000, path+".pyrolysis_g_per_s", "%v is outside 0 to 1000", f.Pyrolysis)
	c.must(f.Growth >= 0 && f.Growth <= 10, path+".growth_kw_per_s2", "%v is outside 0 to 10", f.Growth)
	c.must(f.Peak >= 0 && f.Peak <= 1e5, path+".peak_kw", "%v is outside 0 to 100000", f.Peak)
	c.must(f.Burn >= 0, path+".burn", "%v is negative", f.Burn)
}

func (c *checker) checkLeak(path string, l Leak) {
	c.zone(path+".zone", l.Zone)
	c.must(l.At >= 0, path+".at", "%v is negative", l.At)
	c.must(l.CO > 0 && l.CO <= 1e5, path+".co_mg_per_s", "%v is outside 0 to 100000", l.CO)
	c.must(l.CO2 >= 0 && l.CO2 <= 1e7, path+".co2_mg_per_s", "%v is outside 0 to 10000000", l.CO2)
	c.must(l.For >= 0, path+".for", "%v is negative", l.For)
}

func (c *checker) checkSource(path string, s Source) {
	c.zone(path+".zone", s.Zone)
	c.must(s.At >= 0 && s.For >= 0, path, "a duration is negative")
	for _, rate := range []float64{s.Heat, s.Smoke, s.Mist, s.Steam, s.CO, s.Hydrogen, s.VOC} {
		c.must(rate >= 0 && rate <= 1e5, path, "a rate is outside 0 to 100000")
	}
}

func (c *checker) checkChip(path string, chip Chip) {
	c.must(validBus(chip.Bus), path+".bus", "%q is not a bus such as i2c-1", chip.Bus)
	c.must(chip.Lag >= 0, path+".lag", "%v is negative", chip.Lag)
	c.name(path+".address", chip.Target(), targetOf[chip.Part])
	switch chip.Part {
	case partHDC302x:
		c.must(chip.Address >= 0x44 && chip.Address <= 0x47, path+".address", "an hdc302x is strapped to 0x44 to 0x47")
		c.zone(path+".zone", chip.Zone)
		c.must(chip.Radius > 0, path+".radius_m", "%v is not above 0", chip.Radius)
		c.must(chip.Reread == rereadNACK || chip.Reread == rereadMinimum, path+".reread", "%q is neither nack nor minimum", chip.Reread)
		c.must(len(chip.Inputs) == 0, path+".inputs", "an hdc302x has no inputs")
	case partSCD41:
		c.must(chip.Address == scdAddress, path+".address", "an scd41 is at %#x", scdAddress)
		c.zone(path+".zone", chip.Zone)
		c.must(len(chip.Inputs) == 0, path+".inputs", "an scd41 has no inputs")
	case partADS1115:
		c.must(chip.Address >= 0x48 && chip.Address <= 0x4b, path+".address", "an ads1115 is strapped to 0x48 to 0x4b")
		used := make(map[int]bool)
		for i, in := range chip.Inputs {
			at := fmt.Sprintf("%s.inputs[%d]", path, i)
			c.must(in.AIN >= 0 && in.AIN <= 3 && !used[in.AIN], at+".ain", "%d is not a free input of 0 to 3", in.AIN)
			used[in.AIN] = true
			c.checkInput(at, in)
		}
	default:
		c.must(false, path+".part", "%q is none of %s, %s, %s", chip.Part, partHDC302x, partSCD41, partADS1115)
	}
}

func (c *checker) checkInput(path string, in Input) {
	c.must(targetOf[in.Kind] != "", path+".kind", "%q is none of %s, %s, %s", in.Kind, kindSmokeLoop, kindCOLoop, kindVref)
	c.name(path+".id", in.ID, targetOf[in.Kind])
	c.must(in.Lag >= 0 && in.WarmUp >= 0, path, "a duration is negative")
	c.must(in.Alarm >= 0 && in.Span >= 0, path, "a limit is negative")
	if in.Kind != kindVref {
		c.zone(path+".zone", in.Zone)
	}
}

func (c *checker) checkPin(path string, p Pin) {
	c.must(p.Direction == "in" || p.Direction == "out", path+".direction", "%q is neither in nor out", p.Direction)
	kind := targetInput
	if p.Direction == "out" {
		kind = targetOutput
		c.must(!p.Level && p.Bounce == 0, path, "level and bounce belong to inputs")
	}
	c.must(len(p.Name) <= 64, path+".name", "longer than 64 characters")
	c.must(p.Bounce >= 0 && p.Bounce <= time.Second, path+".bounce", "%v is outside 0s to 1s", p.Bounce)
	c.name(path+".name", p.Name, kind)
}

func (c *checker) checkEvent(path string, e Event) {
	c.must(e.At >= 0, path+".at", "%v is negative", e.At)
	c.must((e.Set == nil) != (e.Fault == nil), path, "one of set and fault is wanted")
	if e.Set != nil {
		if err := e.Set.check(c.zones, c.names); err != nil {
			c.must(false, path+".set", "%v", err)
		}
	}
	if e.Fault != nil {
		if err := e.Fault.check(c.names); err != nil {
			c.must(false, path+".fault", "%v", err)
		}
	}
}

func (s Setting) check(zones map[string]bool, names map[string]string) error {
	switch {
	case s.For < 0:
		return fmt.Errorf("for: %v is negative", s.For)
	case (s.Pin == "") == (s.Zone == ""):
		return fmt.Errorf("one of pin and zone is wanted")
	case s.Pin != "" && names[s.Pin] != targetInput:
		return fmt.Errorf("there is no input pin %q", s.Pin)
	case s.Zone != "" && !zones[s.Zone]:
		return fmt.Errorf("there is no zone %q", s.Zone)
	case s.Zone != "" && !knownQuantity(s.Quantity):
		return fmt.Errorf("quantity %q is none of temperature, humidity, smoke_od, co, co2", s.Quantity)
	case math.Abs(s.Value) > largest:
		return fmt.Errorf("value %v is beyond ±%.0f", s.Value, largest)
	}
	return nil
}

func knownQuantity(q string) bool {
	switch q {
	case quantityTemperature, quantityHumidity, quantitySmoke, quantityCO, quantityCO2:
		return true
	}
	return false
}

func validBus(name string) bool {
	return strings.HasPrefix(name, "i2c-") && len(name) > len("i2c-") && len(name) <= 16 && !strings.Contains(name, "/")
}
