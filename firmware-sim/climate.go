package sim

import (
	"math"
	"slices"
	"time"
)

// Outside is the weather at one moment, as far as rooms follow it.
type Outside struct {
	Warmth float64 // share of a zone's daily swing, -0.5 to 0.5 on an ordinary day
	Damp   float64 // water in the air, as a share of its mean
	Sun    float64 // kW/m², as what is under a roof of sheet metal has felt it
}

// Weather is the weather over the time of a scenario.
type Weather func(t time.Duration) Outside

// fairWeather is every day alike: a cosine, warmest at 15 h. clock is the time
// of day at t = 0.
func fairWeather(clock time.Duration) Weather {
	return func(t time.Duration) Outside {
		return Outside{Warmth: math.Cos(2*math.Pi*((clock+t).Hours()-warmest)/24) / 2, Damp: 1}
	}
}

// Air is what a sensor meets.
type Air struct {
	Temperature float64 // °C
	Humidity    float64 // %RH
	Smoke       float64 // optical density of smoke, fog, dust and mist, base 10, 1/m
	CO, CO2     float64 // ppm
	Hydrogen    float64 // ppm
	VOC         float64 // ppm, as isobutylene
}

// Climate is the air of a building without its box: for whoever wants readings
// faster than registers give them. It is not safe for concurrent use.
type Climate struct {
	plant *plant
	today Outside
	at    time.Duration // of today; negative: of nothing yet
}

// NewClimate returns the air of b at a time at which nothing has been given off.
// step is that of the physics, at most 1 s: nothing in it is faster than 20 s.
func NewClimate(b Building, w Weather, begin, step time.Duration, seed uint64) *Climate {
	c := &Climate{plant: newPlant(&Scenario{building: b}, seed, step), at: -1}
	c.plant.steps = int64(begin / step)
	c.plant.weather = func(t time.Duration) Outside {
		if t != c.at {
			c.today, c.at = w(t), t
		}
		return c.today
	}
	return c
}

// Begin lets a source give off what it does, at its time.
func (c *Climate) Begin(s Source) { c.plant.sources = append(c.plant.sources, s) }

// Ignite starts a fire, at its time. It stays until Extinguish.
func (c *Climate) Ignite(f Fire) { c.plant.fires = append(c.plant.fires, f) }

// Extinguish ends the fires of a zone; their smoke and heat go as they do.
func (c *Climate) Extinguish(zone string) {
	c.plant.fires = slices.DeleteFunc(c.plant.fires, func(f Fire) bool { return f.Zone == zone })
}

// Stop ends the sources of a zone that wanted says: somebody has turned them off.
func (c *Climate) Stop(zone string, wanted func(Source) bool) {
	c.plant.sources = slices.DeleteFunc(c.plant.sources, func(s Source) bool { return s.Zone == zone && wanted(s) })
}

// Crowd says how many people there are in a zone from now on.
func (c *Climate) Crowd(zone string, people int) { c.plant.rooms[zone].inside = float64(people) }

// Advance lets the air go on to now and forgets what is over.
func (c *Climate) Advance(now time.Duration) {
	for c.plant.now()+c.plant.tick <= now {
		c.plant.step()
	}
	c.plant.sources = slices.DeleteFunc(c.plant.sources, func(s Source) bool { return s.over(c.plant.now()) })
}

// At returns the air at a sensor r metres from the axis of any plume in a zone.
func (c *Climate) At(zone string, r float64) Air {
	a := c.plant.gas(zone, r)
	return Air{
		Temperature: a.temperature, Humidity: min(100*a.vapour/saturation(a.temperature), 100),
		Smoke: a.smoke, CO: a.co, CO2: a.co2, Hydrogen: a.hydrogen, VOC: a.voc,
	}
}
