package factory

import (
	"math"
	"math/rand/v2"
	"time"

	"nirapod/safety"
)

// What sensors make of the air. Lags are first-order, the spreads those of one
// reading; where nothing else is said they are those of the simulator's registers or chosen.
const (
	heatLag   = 20 * time.Second // a thermistor in its cage: EN 54-5 gives class A1 0:30 to 2:20 at 20 K/min (recalled)
	smokeLag  = 5 * time.Second
	coLag     = 13 * time.Second
	dampLag   = 8 * time.Second
	vapourLag = 10 * time.Second

	headAnswers = 0.05   // 1/m, of a clean smoke head
	dustNow     = 0.01   // 1/m, at most, that a head's dust has taken of that on the first day
	dustADay    = 0.0003 // 1/m a day more, where there is lint
	cloudGoes   = 25 * time.Second

	heatNoise, odNoise, coNoise   = 0.05, 0.0008, 0.5
	dampNoise, lelNoise, vocNoise = 0.3, 0.2, 0.2
	coZero                        = 2.0 // ppm, standard deviation of the cells' zeros
	coHydrogen                    = 0.6 // of hydrogen is taken for CO (Crowcon, cross sensitivities)
	lelPPM                        = 400 // of hydrogen are 1 %LEL: 4 vol% are 100
	cageRadius                    = 2.5 // m from the axis of a plume to the first head of a zone, the next so much farther
)

// channel is one sensor at work.
type channel struct {
	safety.Sensor
	head    int     // which of its kind in the zone, from 0
	felt    float64 // after its lag
	begun   bool
	zero    float64 // of its own
	linty   bool
	dust    float64 // 1/m
	latched bool    // a smoke head in alarm, until its power is interrupted
	due     time.Duration
	last    time.Duration
}

// cloud is dust around one head: as dense as it is until then, and gone soon after.
type cloud struct {
	until time.Duration
	dense float64
}

func (c cloud) at(t time.Duration) float64 {
	if t < c.until {
		return c.dense
	}
	return c.dense * math.Exp(-float64(t-c.until)/float64(cloudGoes))
}

func newChannel(s safety.Sensor, head int, rnd *rand.Rand) *channel {
	c := &channel{Sensor: s, head: head}
	switch s.Quantity {
	case safety.CO:
		c.zero = coZero * rnd.NormFloat64()
	case safety.Smoke:
		c.dust = dustNow * rnd.Float64()
		c.linty = s.Zone == "cutting" || s.Zone == "sewing-a" || s.Zone == "sewing-b"
	}
	return c
}

// feel moves what is felt towards x; the first time it is x.
func (c *channel) feel(x float64, now, lag time.Duration) float64 {
	if !c.begun {
		c.felt, c.begun = x, true
	}
	c.felt = towards(c.felt, x, now-c.last, lag)
	c.last = now
	return c.felt
}

// mainsFed reports whether a quantity is measured by an instrument on the mains.
func mainsFed(q safety.Quantity) bool {
	return q == safety.VOC || q == safety.CO2 || q == safety.Pressure
}

// read returns what the sensor says now.
func (f *Factory) read(c *channel) safety.Reading {
	r := safety.Reading{Sensor: c.ID, Quality: safety.Good, At: f.Now()}
	value := f.measure(c)
	switch {
	case f.inhibited(c.ID):
		r.Quality, r.Reason = safety.Bad, safety.Inhibit
	case mainsFed(c.Quantity) && f.dark():
		r.Quality, r.Reason = safety.Bad, safety.Timeout
	case mainsFed(c.Quantity) && f.darkWithin(warms):
		r.Quality, r.Reason = safety.Bad, safety.Warming
	default:
		r.Value = value
	}
	return r
}

func (f *Factory) measure(c *channel) float64 {
	noise := func(sigma float64) float64 { return sigma * f.rnd.NormFloat64() }
	switch c.Quantity {
	case safety.People, safety.PeopleHigh:
		low, high := f.counted(c.Zone)
		if c.Quantity == safety.People {
			return low
		}
		return high
	case safety.Locked:
		return oneIf(f.locked())
	case safety.DoorOpen:
		return oneIf(works(f.now))
	case safety.Pressure:
		return 6 + noise(0.1)
	case safety.CallPoint, safety.Flame:
		return 0
	}
	air, fire := f.climate.At(c.Zone, cageRadius*float64(c.head+1)), f.added(c.Zone)
	switch c.Quantity {
	case safety.Temperature:
		return c.feel(air.Temperature+fire.Heat[c.head], f.now, heatLag) + noise(heatNoise)
	case safety.Smoke:
		return oneIf(f.smokes(c, air.Smoke+fire.Smoke))
	case safety.SmokeOD:
		return max(c.feel(air.Smoke+fire.Smoke, f.now, smokeLag)+noise(odNoise), 0)
	case safety.CO:
		return max(c.feel(air.CO+fire.CO+coHydrogen*air.Hydrogen, f.now, coLag)+c.zero+noise(coNoise), 0)
	case safety.Humidity:
		return min(c.feel(air.Humidity, f.now, dampLag)+noise(dampNoise), 100)
	case safety.LEL:
		return air.Hydrogen/lelPPM + noise(lelNoise)
	case safety.VOC:
		return max(c.feel(air.VOC, f.now, vapourLag)+noise(vocNoise), 0)
	}
	return air.CO2
}

// smokes lets smoke and dust enter a head, and reports whether it is in alarm.
func (f *Factory) smokes(c *channel, smoke float64) bool {
	felt := c.feel(smoke+f.clouds[c.ID].at(f.now), f.now, smokeLag)
	c.latched = c.latched || felt >= headAnswers-f.dusty(c)
	return c.latched
}

func (f *Factory) dusty(c *channel) float64 {
	if !c.linty {
		return c.dust
	}
	return c.dust + dustADay*f.now.Hours()/24
}

func (f *Factory) added(zone string) Added {
	var sum Added
	for _, fire := range f.fires {
		if fire.Zone == zone {
			sum = sum.plus(fire.adds(f.now), 1)
		}
	}
	return sum
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
