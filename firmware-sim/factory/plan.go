package factory

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/safety"
)

const day = 24 * time.Hour

// Kind is what ordinary thing happens.
type Kind string

// The kinds.
const (
	Irons     Kind = "steam irons and presses"
	DyeSteam  Kind = "dyeing machines opened"
	DyeVapour Kind = "dye vapour"
	BlowDown  Kind = "boiler blow-down"
	Lint      Kind = "lint blown off with compressed air"
	Welding   Kind = "welding, under a permit"
	Truck     Kind = "truck idling at the dock"
	Cut       Kind = "power cut, generator"
	Charging  Kind = "battery charging, hydrogen"
	Fogging   Kind = "mosquito fogging indoors, under a permit"
	Street    Kind = "mosquito fogging in the street"
	Shift     Kind = "shift change"
	Outage    Kind = "SIM outage"
)

// Kinds are all of them, in the order of tables.
var Kinds = []Kind{Irons, DyeSteam, DyeVapour, BlowDown, Lint, Welding, Truck, Cut, Charging, Fogging, Street, Shift, Outage}

// Happening is one piece of an ordinary day.
type Happening struct {
	Kind    Kind
	Zones   []string // where; none: everywhere, or nowhere
	At, For time.Duration
	begin   func(*Factory)
}

// Permit lets named sensors be inhibited while work goes on (safety
// requirement 4): smoke heads and meters, never heat, call points or gas.
type Permit struct {
	From, To time.Duration
	Sensors  []string
}

// plan throws the days.
type plan struct {
	rnd      *rand.Rand
	building sim.Building
	site     safety.Site
	days     int
	permits  bool // work that wants a permit has one
	out      []Happening
}

func (p *plan) add(k Kind, at, length time.Duration, begin func(*Factory), zones ...string) {
	p.out = append(p.out, Happening{Kind: k, Zones: zones, At: at, For: length, begin: begin})
}

// between throws a moment of a day.
func (p *plan) between(d int, from, to float64) time.Duration {
	return time.Duration(d)*day + minutes(p.rnd, 60*from, 60*to)
}

// lognormal throws a number around 1 whose logarithm has a standard deviation of sigma.
func (p *plan) lognormal(sigma float64) float64 { return math.Exp(sigma * p.rnd.NormFloat64()) }

// friday reports whether a day is the weekly holiday: the month begins on a Monday.
func friday(d int) bool { return d%7 == 4 }

// Hours of work, local: two shifts.
const (
	opens   = 6.0
	changes = 14.0
	closes  = 22.0
)

// works reports whether a shift works at t.
func works(t time.Duration) bool {
	hour := (t % day).Hours()
	return !friday(int(t/day)) && hour >= opens && hour < closes
}

// all throws everything and returns it in order of time.
func (p *plan) all() []Happening {
	for d := range p.days {
		p.cuts(d)
		p.charging(d)
		p.street(d)
		if friday(d) {
			continue
		}
		for _, work := range []func(int){p.irons, p.dyeing, p.blowDown, p.lint, p.welding, p.trucks, p.fogging, p.shifts} {
			work(d)
		}
	}
	p.outages()
	slices.SortStableFunc(p.out, func(a, b Happening) int { return int(a.At - b.At) })
	return p.out
}

// zone returns the room of an id.
func (p *plan) zone(id string) sim.Zone {
	i := slices.IndexFunc(p.building.Zones, func(z sim.Zone) bool { return z.ID == id })
	return p.building.Zones[i]
}

// source adds a happening that gives something off into a zone.
func (p *plan) source(k Kind, s sim.Source) {
	p.add(k, s.At, s.For, func(f *Factory) { f.climate.Begin(s) }, s.Zone)
}

// permit has the smoke heads, smoke meters and flame detectors of zones inhibited.
func (p *plan) permit(from, to time.Duration, zones ...string) func(*Factory) {
	var named []string
	for _, s := range p.site.Sensors {
		smoke := s.Quantity == safety.Smoke || s.Quantity == safety.SmokeOD || s.Quantity == safety.Flame
		if p.permits && smoke && slices.Contains(zones, s.Zone) {
			named = append(named, s.ID)
		}
	}
	return func(f *Factory) { f.permits = append(f.permits, Permit{from, to, named}) }
}
