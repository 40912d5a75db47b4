package sim

import "time"

// Leak is flue gas that enters a room, such as from a blocked flue.
type Leak struct {
	Zone string        `yaml:"zone"`
	At   time.Duration `yaml:"at"`
	CO   float64       `yaml:"co_mg_per_s"`
	CO2  float64       `yaml:"co2_mg_per_s"`
	For  time.Duration `yaml:"for"` // 0 = it goes on
}

func (l Leak) on(t time.Duration) bool { return t >= l.At && (l.For == 0 || t < l.At+l.For) }

// source is what l adds at time t to a layer of v m³ in a second.
func (l Leak) source(t time.Duration, v float64) mix {
	if !l.on(t) {
		return mix{}
	}
	return mix{co: l.CO / v * ppmPerMilligram}
}
