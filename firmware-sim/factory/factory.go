// Package factory is a month in a factory, faster than real time: what its
// sensors say while people work, machines run, the power fails and, now and
// then, something burns. It makes readings and knows the truth; what they mean is
// for the rules, and whether the rules are right for whoever compares the two.
//
// Everything follows from the seed and from what people are made to do (Attend,
// Power). The air is the simulator's; the figures of ordinary work
// stand where they are used, each with its source or with the word chosen.
package factory

import (
	_ "embed"
	"math/rand/v2"
	"slices"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

//go:embed site.yaml
var siteFile []byte

const (
	building = "meghna"
	step     = time.Second // of the physics and of Step
)

// Dhaka is the factory's time zone; Bangladesh has no summer time.
var Dhaka = time.FixedZone("Asia/Dhaka", 6*3600)

// Config says which month.
type Config struct {
	Seed  uint64
	Days  int
	From  time.Duration // 0 = from the beginning; what began before goes on
	Fires []Fire
	// Careless is a month in which nobody asks for the permits that fogging and
	// welding want.
	Careless bool
}

// Factory is the month at work. It is not safe for concurrent use.
type Factory struct {
	site     safety.Site
	zones    map[string]safety.Zone
	climate  *sim.Climate
	rnd      *rand.Rand // of the sensors
	channels []*channel
	begin    time.Time
	end      time.Duration
	now      time.Duration // since begin

	plan    []Happening // in order
	next    int
	fires   []Fire
	cuts    []cut
	outages []span
	permits []Permit
	clouds  map[string]cloud         // by head
	told    map[string]time.Duration // until when drivers at a zone turn off their engines
	out     []safety.Reading
}

// Site returns the registry's view of the factory.
func Site() (safety.Site, error) {
	var site safety.Site
	_, err := yamlfile.Parse("site.yaml", siteFile, &site)
	return site, err
}

// New returns the month at its beginning: 1 June 2026, a Monday, midnight in Dhaka.
func New(cfg Config) (*Factory, error) {
	site, err := Site()
	if err != nil {
		return nil, err
	}
	b, err := sim.LoadBuilding(building)
	if err != nil {
		return nil, err
	}
	f := &Factory{
		site: site, zones: map[string]safety.Zone{}, begin: time.Date(2026, 6, 1, 0, 0, 0, 0, Dhaka),
		climate: sim.NewClimate(b, newWeather(cfg.Seed, cfg.Days).at, cfg.From, step, cfg.Seed),
		rnd:     rand.New(rand.NewPCG(cfg.Seed, 's')), end: time.Duration(cfg.Days) * day,
		clouds: map[string]cloud{}, told: map[string]time.Duration{}, fires: cfg.Fires, now: cfg.From,
	}
	for _, z := range site.Zones {
		f.zones[z.ID] = z
	}
	f.install()
	p := &plan{rnd: rand.New(rand.NewPCG(cfg.Seed, 'p')), building: b, site: site, days: cfg.Days, permits: !cfg.Careless}
	f.plan = p.all()
	for _, fire := range cfg.Fires {
		if fire.Course == nil {
			burns := fire.Burns
			burns.Zone, burns.At = fire.Zone, fire.At
			f.climate.Ignite(burns)
		}
	}
	return f, nil
}

func (f *Factory) install() {
	type kind struct {
		zone string
		q    safety.Quantity
	}
	heads := map[kind]int{}
	for i, s := range f.site.Sensors {
		k := kind{s.Zone, s.Quantity}
		c := newChannel(s, heads[k], f.rnd)
		c.due = f.now + step + time.Duration(i)*step%s.Period
		f.channels = append(f.channels, c)
		heads[k]++
	}
}

// Now is the time of the last step.
func (f *Factory) Now() time.Time { return f.begin.Add(f.now) }

// Begin is the time at which the month begins.
func (f *Factory) Begin() time.Time { return f.begin }

// Plan returns what ordinary things happen, in order.
func (f *Factory) Plan() []Happening {
	return slices.DeleteFunc(slices.Clone(f.plan), func(h Happening) bool { return h.Kind == "" })
}

// Attended reports whether a shift works now.
func (f *Factory) Attended() bool { return works(f.now) }

// Step lets a second pass and returns what was measured, in the order in which
// the sensors stand in the site. The slice is good until the next Step. It
// returns false when the month is over.
func (f *Factory) Step() ([]safety.Reading, bool) {
	if f.now+step > f.end {
		return nil, false
	}
	f.now += step
	for f.next < len(f.plan) && f.plan[f.next].At <= f.now {
		f.plan[f.next].begin(f)
		f.next++
	}
	f.climate.Advance(f.now)
	f.putOut()
	f.out = f.out[:0]
	for _, c := range f.channels {
		if f.now < c.due {
			continue
		}
		c.due += c.Period
		if r := f.read(c); f.Up(c.Gateway) {
			f.out = append(f.out, r)
		}
	}
	return f.out, true
}

func (f *Factory) putOut() {
	for _, fire := range f.fires {
		if fire.Out() == f.now {
			f.climate.Extinguish(fire.Zone)
		}
	}
	f.cuts = slices.DeleteFunc(f.cuts, func(c cut) bool { return f.now > c.to+2*boots })
	f.permits = slices.DeleteFunc(f.permits, func(p Permit) bool {
		if f.now >= p.To {
			f.rearm(p)
		}
		return f.now >= p.To
	})
}

// rearm is what a permit ends with: its heads are reset, and watch again.
func (f *Factory) rearm(p Permit) {
	for _, c := range f.channels {
		if slices.Contains(p.Sensors, c.ID) {
			c.latched = false
		}
	}
}

func (f *Factory) inhibited(sensor string) bool {
	for _, p := range f.permits {
		if f.now >= p.From && f.now < p.To && slices.Contains(p.Sensors, sensor) {
			return true
		}
	}
	return false
}

// Attend is somebody who comes to a zone because of an alarm, and turns off what
// can be turned off there: an engine, a torch, an air hose. Who drives to the
// dock later on that day is told to turn the engine off; the day after it is forgotten.
func (f *Factory) Attend(zone string) {
	f.climate.Stop(zone, func(s sim.Source) bool { return s.CO > 0 || s.Smoke > 0 })
	f.told[zone] = f.now - f.now%day + day
}

// idles reports whether engines may run at a zone now.
func (f *Factory) idles(zone string) bool { return f.now >= f.told[zone] }

// Power interrupts the power of a gateway's smoke heads for a moment, as a reset
// does: those with clean air in them are out of alarm.
func (f *Factory) Power(gateway string) {
	for _, c := range f.channels {
		if c.Gateway == gateway {
			c.latched = false
		}
	}
}
