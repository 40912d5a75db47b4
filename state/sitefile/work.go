package sitefile

import (
	"slices"

	"nirapod/safety"
)

// radiant uses are rooms whose machines radiate heat: air and humidity alone say too little of it.
var radiant = []string{"ironing", "boiler"}

// work checks what is said of the work in a zone: its heat and noise are judged by it.
func (c *check) work(path string, z *safety.Zone) {
	c.word(path+".metabolic_class", z.Metabolic, true, "resting", "low", "moderate", "high", "very_high")
	c.date(path+".work_judged", z.WorkJudged)
	if z.Shift < 0 || z.Shift > 16 {
		c.mistake(path+".shift_h", "want the hours that one person works here in a day, up to 16, have %v", z.Shift)
	}
	if z.Acclimatised && z.Metabolic == "" {
		c.warn(path+".acclimatised", "says nothing without metabolic_class: the limit of heat hangs on both")
	}
	if z.Acclimatised && z.WorkJudged == "" {
		c.warn(path+".work_judged", "missing: people get used to heat in weeks and lose it in as many; say when that was judged")
	}
	if slices.Contains(radiant, z.Use) && c.has(z, safety.Humidity) && !c.has(z, safety.GlobeTemperature) {
		c.warn(path+".use", "%s without a globe thermometer: radiant heat is not seen, so heat there can be warned of and never be denied", z.Use)
	}
}

func (c *check) has(z *safety.Zone, q safety.Quantity) bool {
	return slices.ContainsFunc(c.site.Sensors, func(s safety.Sensor) bool { return s.Zone == z.ID && s.Quantity == q })
}
