package sim

import (
	"math"
	"time"
)

const (
	// tick is the step of the physics. Nothing in it moves faster than seconds.
	tick = 100 * time.Millisecond

	layerShare      = 0.25             // of the room's height is the well-mixed layer under the ceiling
	airHeatCapacity = 1.2              // kJ/(m³·K) at 20 °C
	wallLoss        = 30 * time.Second // time constant of the layer's heat into ceiling and walls
	ppmPerMilligram = 24.45 / 28.01    // CO at 25 °C: mg/m³ → ppm
	warmest         = 15.0             // hour of the day
	ambientKnot     = time.Minute      // of the random walk around the daily curve
	ambientSigma    = 0.15             // K, of that walk
)

// mix is what the layer under a ceiling carries above the ambient.
type mix struct {
	heat  float64 // K
	smoke float64 // optical density, base 10, 1/m
	co    float64 // ppm
}

func (m mix) plus(o mix, times float64) mix {
	return mix{m.heat + o.heat*times, m.smoke + o.smoke*times, m.co + o.co*times}
}

// air is what sensors under a ceiling meet.
type air struct {
	temperature float64 // °C, without the jet of a fire in the same room
	vapour      float64 // partial pressure of water, hPa
	smoke       float64 // optical density, base 10, 1/m
	co          float64 // ppm
	co2         float64 // ppm, at head height
}

// room is a zone's state: one well-mixed layer. Smoke leaves by ventilation
// and along links, heat also into the walls. Soot does not settle and layers
// do not descend: the layer's volume is constant.
type room struct {
	Zone
	dice   dice
	layer  mix
	co2    float64 // ppm above fresh air, over the whole room
	past   []mix   // ring, one per tick, for delayed links
	driven map[string]driver
}

// driver replaces one of the air's quantities, by a setting or a recording.
type driver func(t time.Duration) (value float64, ok bool)

func newRoom(z Zone, seed uint64, longestDelay time.Duration) *room {
	return &room{
		Zone:   z,
		dice:   newDice(seed, "zone/"+z.ID),
		past:   make([]mix, longestDelay/tick+1),
		driven: make(map[string]driver),
	}
}

func (r *room) volume() float64 { return r.Area * r.Height * layerShare }

func (r *room) remembered(n, delay int64) mix {
	if n < delay {
		return mix{}
	}
	return r.past[(n-delay)%int64(len(r.past))]
}

// ambient is the day outside: a cosine around the mean, warmest at 15 h, and a
// small random walk. clock is the time of day at t = 0.
func (r *room) ambient(clock, t time.Duration) float64 {
	hours := (clock + t).Hours()
	return r.Temperature + r.Swing/2*math.Cos(2*math.Pi*(hours-warmest)/24) +
		ambientSigma*r.dice.wander(t, ambientKnot)
}

// airAt mixes ambient, layer and drivers. The amount of water stays as it is
// at the mean temperature, so relative humidity falls as air warms.
func (r *room) airAt(clock, t time.Duration) air {
	a := air{
		temperature: r.ambient(clock, t) + r.layer.heat,
		vapour:      r.Humidity / 100 * saturation(r.Temperature),
		smoke:       r.layer.smoke,
		co:          r.CO + r.layer.co,
		co2:         outdoorCO2 + r.co2,
	}
	if v, ok := r.drive(quantityTemperature, t); ok {
		a.temperature = min(max(v, -100), 1500)
	}
	if v, ok := r.drive(quantityHumidity, t); ok {
		a.vapour = v / 100 * saturation(a.temperature)
	}
	if v, ok := r.drive(quantitySmoke, t); ok {
		a.smoke = max(v, 0)
	}
	if v, ok := r.drive(quantityCO, t); ok {
		a.co = max(v, 0)
	}
	if v, ok := r.drive(quantityCO2, t); ok {
		a.co2 = max(v, 0)
	}
	return a
}

func (r *room) drive(quantity string, t time.Duration) (float64, bool) {
	if d := r.driven[quantity]; d != nil {
		return d(t)
	}
	return 0, false
}

// saturation is the pressure of saturated water vapour in hPa at t °C: the
// Magnus formula with the constants of Sonntag 1990, good from -45 to 60 °C,
// used beyond without harm.
func saturation(t float64) float64 { return 6.112 * math.Exp(17.62*t/(243.12+t)) }

// lag moves v towards x as a first-order lag does in one tick.
func lag(v, x float64, tau time.Duration) float64 {
	if tau <= 0 {
		return x
	}
	return v + (x-v)*(1-math.Exp(-float64(tick)/float64(tau)))
}
