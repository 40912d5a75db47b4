package sim

import (
	"fmt"
	"time"

	"nirapod/internal/yamlfile"
)

// Building is a place and what is wired into its box.
type Building struct {
	Vref     float64   `yaml:"vref_v"` // supply of the supervised loops, nominal; default 3.3
	Zones    []Zone    `yaml:"zones"`
	Links    []Link    `yaml:"links"`
	Chips    []Chip    `yaml:"chips"`
	Counters []Counter `yaml:"counters"`
	Boilers  []Boiler  `yaml:"boilers"`
	Gauges   []Gauge   `yaml:"gauges"`
	Pins     []Pin     `yaml:"pins"`
}

// Zone is a room. Sensors in it hang under its ceiling.
type Zone struct {
	ID          string  `yaml:"id"`
	Area        float64 `yaml:"area_m2"`
	Height      float64 `yaml:"height_m"`
	Temperature float64 `yaml:"temperature_c"`        // daily mean
	Swing       float64 `yaml:"daily_swing_k"`        // peak to peak over the day
	Humidity    float64 `yaml:"humidity_pct"`         // at the mean temperature
	CO          float64 `yaml:"co_ppm"`               // background
	AirChanges  float64 `yaml:"air_changes_per_hour"` // of the layer under the ceiling, and of the room
	Roof        float64 `yaml:"roof_k_per_kw_m2"`     // under a roof of sheet metal: by what the sun warms it
}

// Link is a way for smoke from one room into another.
type Link struct {
	From  string        `yaml:"from"`
	To    string        `yaml:"to"`
	Flow  float64       `yaml:"flow_m3_per_s"`
	Delay time.Duration `yaml:"delay"`
}

// Chip is a device on an I2C bus.
type Chip struct {
	Part    string        `yaml:"part"` // hdc302x | scd41 | ads1115
	Bus     string        `yaml:"bus"`  // such as i2c-1
	Address uint16        `yaml:"address"`
	Zone    string        `yaml:"zone"`      // hdc302x, scd41
	Lag     time.Duration `yaml:"lag"`       // hdc302x: thermal time constant, default 5s; scd41: of its cell, default 60s
	Radius  float64       `yaml:"radius_m"`  // hdc302x: from the axis of a fire in its zone; default 1
	Reread  string        `yaml:"reread"`    // hdc302x: second read of a sample: nack (default) | minimum
	Busy    bool          `yaml:"busy_nack"` // hdc302x: no acknowledge while it measures
	Inputs  []Input       `yaml:"inputs"`    // ads1115; an input left out is tied to ground
}

// Target is how faults call the chip.
func (c Chip) Target() string { return fmt.Sprintf("%s/0x%02x", c.Bus, c.Address) }

// Input is what is wired to one input of an ADC.
type Input struct {
	ID     string        `yaml:"id"` // how faults call it
	AIN    int           `yaml:"ain"`
	Kind   string        `yaml:"kind"` // smoke_loop | co_4_20ma | vref
	Zone   string        `yaml:"zone"`
	Lag    time.Duration `yaml:"lag"`      // smoke entry 5s, CO cell 13s by default
	Alarm  float64       `yaml:"alarm_od"` // smoke_loop: sensitivity, 1/m, base 10; default 0.05
	Span   float64       `yaml:"span_ppm"` // co_4_20ma: at 20 mA; default 500
	WarmUp time.Duration `yaml:"warm_up"`  // co_4_20ma: after power on
}

// Pin is one line of the GPIO bank. A high input is a thing operated: a door's
// leaf open, a button pressed, a key turned.
type Pin struct {
	Name      string        `yaml:"name"`
	Direction string        `yaml:"direction"` // in | out, as the agent sees it
	Level     bool          `yaml:"level"`     // in: at start
	Bounce    time.Duration `yaml:"bounce"`    // in: after each change
}

// defaults fills in what a building file may leave out.
func (b *Building) defaults() {
	for i := range b.Chips {
		c := &b.Chips[i]
		if c.Part == partHDC302x {
			c.Lag, c.Radius = orDefault(c.Lag, 5*time.Second), orDefault(c.Radius, 1)
			c.Reread = orDefault(c.Reread, rereadNACK)
		}
		if c.Part == partSCD41 {
			c.Lag = orDefault(c.Lag, time.Minute)
		}
		for j := range c.Inputs {
			in := &c.Inputs[j]
			switch in.Kind {
			case kindSmokeLoop:
				in.Lag, in.Alarm = orDefault(in.Lag, 5*time.Second), orDefault(in.Alarm, 0.05)
			case kindCOLoop:
				in.Lag, in.Span = orDefault(in.Lag, 13*time.Second), orDefault(in.Span, 500)
			}
		}
	}
	for i := range b.Boilers {
		o := &b.Boilers[i]
		o.Band, o.Firing, o.Draw = orDefault(o.Band, boilerBand), orDefault(o.Firing, boilerFiring), orDefault(o.Draw, boilerDraw)
	}
	for i := range b.Gauges {
		b.Gauges[i].Span = orDefault(b.Gauges[i].Span, gaugeSpan)
	}
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// LoadBuilding reads a building by the name of a shipped one or by its file and
// checks it whole. All mistakes are told at once and wrap safety.ErrInvalid.
func LoadBuilding(name string) (Building, error) {
	b := Building{Vref: 3.3}
	file, data, err := source("buildings", name, "")
	if err != nil {
		return b, err
	}
	f, err := yamlfile.Parse(file, data, &b)
	if err != nil {
		return b, err
	}
	b.defaults()
	c := &checker{file: f, names: make(map[string]string), zones: make(map[string]bool)}
	c.checkBuilding(b)
	return b, yamlfile.Join(c.found...)
}
