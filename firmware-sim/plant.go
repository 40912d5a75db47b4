package sim

import (
	"slices"
	"time"
)

// plant is the building: rooms, the ways between them, the fires, the boilers.
type plant struct {
	weather  Weather
	tick     time.Duration // of its own steps
	rooms    map[string]*room
	order    []*room
	links    []Link
	fires    []Fire
	leaks    []Leak
	sources  []Source
	counters []*counter // who is where
	boilers  []*boiler
	steps    int64 // ticks done
}

func newPlant(sc *Scenario, seed uint64, step time.Duration) *plant {
	p := &plant{
		weather: fairWeather(sc.clock), tick: step, rooms: make(map[string]*room),
		links: sc.building.Links, fires: sc.Fires, leaks: sc.Leaks, sources: sc.Sources,
	}
	var longest time.Duration
	for _, l := range sc.building.Links {
		longest = max(longest, l.Delay)
	}
	for _, c := range sc.building.Counters {
		p.counters = append(p.counters, newCounter(c, sc.Crowds))
	}
	for _, z := range sc.building.Zones {
		r := newRoom(z, seed, longest, step)
		p.rooms[z.ID] = r
		r.co2 = r.settled(p.people(z.ID, 0))
		p.order = append(p.order, r)
	}
	if sc.Recording != nil {
		for _, b := range sc.Recording.Bind {
			p.rooms[b.Zone].driven[b.Quantity] = sc.Recording.driver(b)
		}
	}
	return p
}

func (p *plant) now() time.Duration { return time.Duration(p.steps) * p.tick }

// step moves the plant on by one tick: explicit Euler, stable because every
// time constant is far longer than a tick (scenarios are checked for that).
func (p *plant) step() {
	t := p.now()
	dt := p.tick.Seconds()
	next := make([]mix, len(p.order))
	for i, r := range p.order {
		r.past[p.steps%int64(len(r.past))] = r.layer
		next[i] = r.layer.
			plus(r.layer, -r.AirChanges/3600*dt).
			plus(mix{heat: r.layer.heat}, -dt/wallLoss.Seconds()).
			plus(mix{mist: r.layer.mist}, -dt/mistLife.Seconds())
		for _, f := range p.fires {
			if f.Zone == r.ID {
				next[i] = next[i].plus(f.at(t).source(r.volume()), dt)
			}
		}
		for _, l := range p.leaks {
			if l.Zone == r.ID {
				next[i] = next[i].plus(l.source(t, r.volume()), dt)
			}
		}
	}
	for _, s := range p.sources {
		if i := p.index(s.Zone); s.on(t) {
			next[i] = next[i].plus(s.gives(p.order[i].volume()), dt)
		}
	}
	p.spread(next, dt)
	for i, r := range p.order {
		r.layer = next[i]
		r.breathe(p.people(r.ID, t), p.carbonic(r.ID, t), dt)
	}
	for _, b := range p.boilers {
		b.step(t)
	}
	p.steps++
}

// index returns the place of a zone in order.
func (p *plant) index(zone string) int {
	return slices.IndexFunc(p.order, func(r *room) bool { return r.ID == zone })
}

// spread carries what is in the air along the links: what left a room Delay ago
// arrives, diluted in the other room's layer; nothing flows back.
func (p *plant) spread(next []mix, dt float64) {
	for _, l := range p.links {
		from, to := p.index(l.From), p.index(l.To)
		leaving, arriving := p.order[from], p.order[to]
		next[from] = next[from].plus(leaving.layer, -l.Flow*dt/leaving.volume())
		next[to] = next[to].plus(leaving.remembered(p.steps, int64(l.Delay/p.tick)), l.Flow*dt/arriving.volume())
	}
}

// gas returns the air at a sensor r metres from the axis of any fire in zone.
func (p *plant) gas(zone string, radius float64) air {
	room, t := p.rooms[zone], p.now()
	return room.airAt(p.weather(t), p.plumes(room, radius, t), t)
}

// plumes are what rises to a place under a room's ceiling, above its layer. A
// fire's plume is known by its heat only; that of a source carries all that the
// source gives off, in proportion.
func (p *plant) plumes(r *room, radius float64, t time.Duration) mix {
	var m mix
	for _, f := range p.fires {
		if f.Zone == r.ID {
			m.heat += ceilingJet(f.at(t).heat, radius, r.Height)
		}
	}
	for _, s := range p.sources {
		if s.Zone == r.ID && s.Heat > 0 && s.on(t) {
			given := s.gives(1)
			m = m.plus(given, ceilingJet(s.Heat/(1-radiativeShare), radius, r.Height)/given.heat)
		}
	}
	return m
}
