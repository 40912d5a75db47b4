package sitefile

import (
	"slices"
	"strings"

	"nirapod/safety"
)

// Where a head hangs decides whether it ever sees anything.
const (
	heavyGasTop  = 0.5 // m above the floor: LPG and chlorine lie on it
	lightGasGap  = 0.3 // m below the ceiling: methane, ammonia, hydrogen rise
	fireGap      = 0.6 // m below the ceiling: smoke and heat detectors
	supplyAirGap = 1.0 // m from where fresh air blows smoke away
	heavierThan  = 1.2 // relative density of a gas that sinks
	lighterThan  = 0.8 // and of one that rises
)

var densities = map[string]float64{
	"lpg": 1.9, "propane": 1.6, "butane": 2.1, "cl2": 2.5, "chlorine": 2.5,
	"ch4": 0.55, "methane": 0.55, "natural gas": 0.6, "nh3": 0.6, "ammonia": 0.6, "h2": 0.07, "hydrogen": 0.07,
}

// mounting warns of heads in the wrong place, and asks for the height of those
// whose place matters.
func (c *check) mounting(path string, s *safety.Sensor, z *safety.Zone) {
	life := c.lifeSafety(path, s)
	fire := s.Quantity == safety.Smoke || s.Quantity == safety.SmokeOD || s.Quantity == safety.Temperature && life
	gas := slices.Contains([]safety.Quantity{safety.LEL, safety.CO, safety.CO2, safety.H2S, safety.NH3, safety.CL2, safety.O2, safety.VOC}, s.Quantity)
	height := path + ".mount_height_m"
	switch {
	case s.MountHeight < 0 || z.Height > 0 && s.MountHeight > z.Height:
		c.mistake(height, "%v m: zone %s is %v m high", s.MountHeight, z.ID, z.Height)
	case s.MountHeight == 0 && life && (fire || gas):
		c.mistake(height, "missing: how high it hangs decides what it sees, in metres above the floor")
	case fire && life && z.Height-s.MountHeight > fireGap:
		c.warn(height, "%.1f m below the ceiling: hot smoke gathers above it, want at most %v m", z.Height-s.MountHeight, fireGap)
	case gas:
		c.gas(path, s, z)
	}
	if fire && s.SupplyAirGap > 0 && s.SupplyAirGap < supplyAirGap {
		c.warn(path+".supply_air_m", "%v m from supply air, which keeps smoke away: want %v m or more", s.SupplyAirGap, supplyAirGap)
	}
	if smoke := s.Quantity == safety.Smoke || s.Quantity == safety.SmokeOD; smoke && (z.Use == "ironing" || z.SteamProne) {
		c.warn(path+".zone", "a smoke head in %s answers to steam: use a heat detector of suffix S", z.ID)
	}
	if area(z.Polygon) > 0 && c.written(path+".at") && !inside(z.Polygon, s.At) {
		c.warn(path+".at", "%v lies outside the polygon of zone %s", s.At, z.ID)
	}
	c.chemistry(path, s, z)
}

func (c *check) gas(path string, s *safety.Sensor, z *safety.Zone) {
	if s.Quantity == safety.LEL && s.Gas == "" {
		c.mistake(path+".gas", "missing: a head for flammable gas says which, such as methane or LPG")
	}
	name := strings.ToLower(s.Gas)
	if name == "" {
		name = string(s.Quantity)
	}
	density := s.GasDensity
	if known, ok := densities[name]; ok {
		density = known
	}
	switch {
	case density > heavierThan && s.MountHeight > heavyGasTop:
		c.warn(path+".mount_height_m", "%v m above the floor, where %s lies: want at most %v m", s.MountHeight, name, heavyGasTop)
	case density > 0 && density < lighterThan && z.Height-s.MountHeight > lightGasGap:
		c.warn(path+".mount_height_m", "%.1f m below the ceiling, where %s gathers: want at most %v m", z.Height-s.MountHeight, name, lightGasGap)
	}
}

// chemistry warns of what blinds or misleads a kind of sensor over time.
func (c *check) chemistry(path string, s *safety.Sensor, z *safety.Zone) {
	silicone := slices.ContainsFunc(z.Nuisances, func(n string) bool { return strings.Contains(strings.ToLower(n), "silicone") })
	if s.Quantity == safety.LEL && silicone {
		c.warn(path+".zone", "silicones in zone %s poison a catalytic head: use an infrared one", z.ID)
	}
	if strings.HasPrefix(strings.ToUpper(s.Model), "SCD4") && c.roundTheClock() {
		c.warn(path+".model", "an SCD4x calibrates itself to the cleanest air of the week, which a site that works day and night never has: switch that off")
	}
}

// roundTheClock reports whether the shifts leave no hour of the day free.
func (c *check) roundTheClock() bool {
	var worked [24 * 60]bool
	for _, shift := range c.site.Factory.Shifts {
		from, to := minutes(shift.From), minutes(shift.To)
		if from < 0 || to < 0 {
			return false
		}
		for m := from; ; {
			worked[m] = true
			if m = (m + 1) % len(worked); m == to {
				break
			}
		}
	}
	return !slices.Contains(worked[:], false)
}
