package factory

import (
	"math"
	"math/rand/v2"
	"time"

	sim "nirapod/firmware-sim"
)

// June in Gazipur, between 23 and 24 degrees north. All figures are chosen to be
// plain for the place: sunrise about 05:10, sunset about 18:45; rain on most
// days, which cools and wets the air within minutes.
const (
	sunrise, sunset = 5.2, 18.7 // h
	clearNoon       = 0.95      // kW/m² on the ground
	cloudPasses     = 0.25      // of it, under a thick cloud
	rainCools       = 0.45      // of a zone's daily swing
	rainWets        = 0.08      // of the mean water in the air
	rainSetsIn      = 10 * time.Minute

	// A sheet of 0.5 mm of steel takes 1.8 kJ/(m²·K) and gives off about
	// 25 W/(m²·K) to both sides: 72 s. The heads see it radiate; chosen to be a
	// fifth of what the sun does to them.
	sheetLag   = 72 * time.Second
	sheetShare = 0.2
	// The air below a hot sheet is stable and takes its heat slowly, 0.7 W/(m²·K)
	// downwards (ISO 6946, internal surfaces; recalled): a quarter of an hour.
	underLag = 15 * time.Minute
)

// rain is one shower.
type rain struct{ from, to time.Duration }

// weather is the month outside. Its days are thrown at once, its clouds as time
// goes; so times asked for must not go back.
type weather struct {
	rnd   *rand.Rand
	hot   []float64 // by day: daily swing against the mean one
	dull  []float64 // by day: share of the time under cloud
	rains []rain

	now          time.Duration
	cloud        bool
	turns        time.Duration // when the cloud has passed or come
	sheet, under float64       // kW/m², felt
	wet          float64       // 0 to 1
}

func newWeather(seed uint64, days int) *weather {
	w := &weather{rnd: rand.New(rand.NewPCG(seed, 'w'))}
	for d := range days {
		w.hot = append(w.hot, 0.7+0.6*w.rnd.Float64())
		w.dull = append(w.dull, 0.2+0.7*w.rnd.Float64())
		for range w.rnd.IntN(4) {
			from := time.Duration(d)*day + time.Duration(w.rnd.Float64()*float64(day))
			w.rains = append(w.rains, rain{from, from + minutes(w.rnd, 15, 120)})
		}
	}
	w.hot[0], w.dull[0] = 1.3, 0.3 // the first day is hot, with clouds that come and go
	return w
}

// at returns the weather at t, which is not before the last one asked for.
func (w *weather) at(t time.Duration) sim.Outside {
	dt := t - w.now
	w.now = t
	today := min(int(t/day), len(w.hot)-1)
	for t >= w.turns {
		w.cloud = w.rnd.Float64() < w.dull[today]
		w.turns += minutes(w.rnd, 1, 20)
	}
	hour := (t % day).Hours()
	sun := max(0, clearNoon*math.Sin(math.Pi*(hour-sunrise)/(sunset-sunrise)))
	raining := w.raining(t)
	if w.cloud || raining {
		sun *= cloudPasses
	}
	w.sheet = towards(w.sheet, sun, dt, sheetLag)
	w.under = towards(w.under, sun, dt, underLag)
	wet := 0.0
	if raining {
		wet = 1
	}
	w.wet = towards(w.wet, wet, dt, rainSetsIn)
	return sim.Outside{
		Warmth: w.hot[today]*math.Cos(2*math.Pi*(hour-15)/24)/2 - rainCools*w.wet,
		Damp:   1 + rainWets*w.wet,
		Sun:    sheetShare*w.sheet + (1-sheetShare)*w.under,
	}
}

func (w *weather) raining(t time.Duration) bool {
	for _, r := range w.rains {
		if t >= r.from && t < r.to {
			return true
		}
	}
	return false
}

// towards moves v to x as a first-order lag does.
func towards(v, x float64, dt, lag time.Duration) float64 {
	return v + (x-v)*(1-math.Exp(-float64(dt)/float64(lag)))
}

// minutes throws a duration between two numbers of minutes.
func minutes(rnd *rand.Rand, low, high float64) time.Duration {
	return time.Duration((low + (high-low)*rnd.Float64()) * float64(time.Minute))
}
