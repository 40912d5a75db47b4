package sim

import "time"

const (
	// outdoorCO2 is what fresh air holds, ppm (NOAA, about 2023).
	outdoorCO2 = 420.0
	// exhaled is what one person at light work breathes out, m³ of CO2 a second:
	// 0.3 L/min, from memory.
	exhaled = 5e-6

	ppmPerMilligramCO2 = 24.45 / 44.01 // at 25 °C: mg/m³ → ppm

	// CO2 by mass burnt, g/g: order of magnitude for cotton, from memory of the
	// SFPE Handbook's tables.
	co2Flaming, co2Smoulder = 1.3, 0.3
)

// breathe moves the room's CO2 on by dt seconds: one well-mixed room, fed by
// people, by its own fires and its own leaks, thinned by ventilation. It is not
// carried to other rooms: sensors of CO2 hang at head height, below the smoke.
func (r *room) breathe(people, milligrams, dt float64) {
	r.co2 += dt * (people*exhaled*1e6 + milligrams*ppmPerMilligramCO2) / (r.Area * r.Height)
	r.co2 -= dt * r.co2 * r.AirChanges / 3600
}

// settled is the CO2 above fresh air, ppm, at which so many people have long
// been in the room; 0 in a room that has no ventilation at all.
func (r *room) settled(people float64) float64 {
	if r.AirChanges == 0 {
		return 0
	}
	return people * exhaled * 1e6 / (r.Area * r.Height * r.AirChanges / 3600)
}

// people are those inside a zone, by who was there before the scenario and
// who has come and gone. Zones without a counter have nobody to speak of.
func (p *plant) people(zone string, t time.Duration) float64 {
	inside := p.rooms[zone].inside
	for _, c := range p.counters {
		if c.Zone == zone {
			in, out := c.through(t)
			inside += float64(in) - float64(out)
		}
	}
	return inside
}

// carbonic returns mg of CO2 a second that fires and leaks give off in a zone.
func (p *plant) carbonic(zone string, t time.Duration) float64 {
	total := 0.0
	for _, f := range p.fires {
		if f.Zone == zone {
			b := f.at(t)
			total += 1e3 * (co2Flaming*b.flaming + co2Smoulder*b.smoulder)
		}
	}
	for _, l := range p.leaks {
		if l.Zone == zone && l.on(t) {
			total += l.CO2
		}
	}
	return total
}
