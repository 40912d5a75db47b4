package factory

import (
	"math"
	"time"

	sim "nirapod/firmware-sim"
)

// Added is what a fire adds to a zone's air at one moment.
type Added struct {
	Heat  [Heads]float64 // K, at the zone's heat heads, the nearest to the fire first
	Smoke float64        // optical density, base 10, 1/m
	CO    float64        // ppm
}

// Heads is how many heat heads a zone has at most.
const Heads = 4

// Course is what a fire adds at a time after its ignition.
type Course func(since time.Duration) Added

// Fire is one real fire. Its course is a recording's, or else that of Burns,
// the simulator's own.
type Fire struct {
	Name   string
	Zone   string
	At     time.Duration // from the beginning of the month
	Course Course
	Burns  sim.Fire // Zone and At are those above
	Hidden string   // what it is hidden in, in words
}

const (
	// burnsFor is how long a fire is left until it is put out.
	burnsFor = 15 * time.Minute
	// goesIn is how fast its smoke and heat go afterwards.
	goesIn = 3 * time.Minute
	// Aftermath is how long after its ignition a fire may still raise something:
	// until it has been put out and its smoke is gone.
	Aftermath = time.Hour
)

// Out is when the fire has been put out.
func (f Fire) Out() time.Duration { return f.At + burnsFor }

// adds returns what a recorded course adds at t.
func (f Fire) adds(t time.Duration) Added {
	since := t - f.At
	if f.Course == nil || since < 0 || since > Aftermath {
		return Added{}
	}
	if since < burnsFor {
		return f.Course(since)
	}
	return Added{}.plus(f.Course(burnsFor), math.Exp(-float64(since-burnsFor)/float64(goesIn)))
}

func (a Added) plus(o Added, times float64) Added {
	for i := range a.Heat {
		a.Heat[i] += o.Heat[i] * times
	}
	a.Smoke, a.CO = a.Smoke+o.Smoke*times, a.CO+o.CO*times
	return a
}

// Burning reports whether a zone burns at t, or has just been put out.
func (f *Factory) Burning(zone string) bool {
	for _, fire := range f.fires {
		if fire.Zone == zone && f.now >= fire.At && f.now < fire.Out() {
			return true
		}
	}
	return false
}

// During returns the fire whose hour t is in.
func (f *Factory) During(t time.Time) (Fire, bool) {
	since := t.Sub(f.begin)
	for _, fire := range f.fires {
		if since >= fire.At && since < fire.At+Aftermath {
			return fire, true
		}
	}
	return Fire{}, false
}
