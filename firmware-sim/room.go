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

	// mistLife is how long droplets of condensed steam last in air that is not
	// saturated: those of 10 µm, some tens of seconds. Chosen.
	mistLife = 20 * time.Second
	// hPaPerGram is what 1 g/m³ of water vapour adds to its partial pressure at
	// 37 °C: the gas constant of water, 461.5 J/(kg·K), times the temperature.
	hPaPerGram = 461.5 * 310 * 1e-5
)

// mix is what the layer under a ceiling carries above the ambient.
type mix struct {
	heat     float64 // K
	smoke    float64 // optical density, base 10, 1/m: of all that stays in the air
	mist     float64 // the same, of water droplets
	vapour   float64 // g/m³ of water
	co       float64 // ppm
	hydrogen float64 // ppm
	voc      float64 // ppm, as isobutylene
}

func (m mix) plus(o mix, times float64) mix {
	return mix{
		m.heat + o.heat*times, m.smoke + o.smoke*times, m.mist + o.mist*times, m.vapour + o.vapour*times,
		m.co + o.co*times, m.hydrogen + o.hydrogen*times, m.voc + o.voc*times,
	}
}

// air is what sensors under a ceiling meet.
type air struct {
	temperature float64 // °C, without the jet of a fire in the same room
	vapour      float64 // partial pressure of water, hPa
	smoke       float64 // optical density, base 10, 1/m; mist counts: no head can tell
	co          float64 // ppm
	co2         float64 // ppm, at head height
	hydrogen    float64 // ppm
	voc         float64 // ppm, as isobutylene
}

// room is a zone's state: one well-mixed layer. Smoke leaves by ventilation
// and along links, heat also into the walls. Soot does not settle and layers
// do not descend: the layer's volume is constant.
type room struct {
	Zone
	dice   dice
	layer  mix
	co2    float64 // ppm above fresh air, over the whole room
	inside float64 // people beside those that counters know of
	past   []mix   // ring, one per tick, for delayed links
	driven map[string]driver

	saturated float64 // pressure of saturated vapour at the mean temperature, hPa
}

// driver replaces one of the air's quantities, by a setting or a recording.
type driver func(t time.Duration) (value float64, ok bool)

func newRoom(z Zone, seed uint64, longestDelay, step time.Duration) *room {
	return &room{
		Zone:   z,
		dice:   newDice(seed, "zone/"+z.ID),
		past:   make([]mix, longestDelay/step+1),
		driven: make(map[string]driver),

		saturated: saturation(z.Temperature),
	}
}

func (r *room) volume() float64 { return r.Area * r.Height * layerShare }

func (r *room) remembered(n, delay int64) mix {
	if n < delay {
		return mix{}
	}
	return r.past[(n-delay)%int64(len(r.past))]
}

// ambient is the room as the weather has it, and a small random walk.
func (r *room) ambient(out Outside, t time.Duration) float64 {
	return r.Temperature + r.Swing*out.Warmth + r.Roof*out.Sun + ambientSigma*r.dice.wander(t, ambientKnot)
}

// airAt mixes weather, layer, the plume at the place asked for, and drivers.
// The amount of water stays as it is at the mean temperature, so relative
// humidity falls as air warms.
func (r *room) airAt(out Outside, plume mix, t time.Duration) air {
	m := r.layer.plus(plume, 1)
	a := air{
		temperature: r.ambient(out, t) + m.heat,
		vapour:      r.Humidity/100*r.saturated*out.Damp + m.vapour*hPaPerGram,
		smoke:       m.smoke + m.mist,
		co:          r.CO + m.co,
		co2:         outdoorCO2 + r.co2,
		hydrogen:    m.hydrogen,
		voc:         m.voc,
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
