package sim

import "time"

// plant is the building: rooms, the ways between them, the fires, the boilers.
type plant struct {
	clock    time.Duration // time of day at t = 0
	rooms    map[string]*room
	order    []*room
	links    []Link
	fires    []Fire
	leaks    []Leak
	counters []*counter // who is where
	boilers  []*boiler
	steps    int64 // ticks done
}

func newPlant(sc *Scenario, seed uint64) *plant {
	p := &plant{clock: sc.clock, rooms: make(map[string]*room), links: sc.building.Links, fires: sc.Fires, leaks: sc.Leaks}
	var longest time.Duration
	for _, l := range sc.building.Links {
		longest = max(longest, l.Delay)
	}
	for _, c := range sc.building.Counters {
		p.counters = append(p.counters, newCounter(c, sc.Crowds))
	}
	for _, z := range sc.building.Zones {
		r := newRoom(z, seed, longest)
		r.co2 = r.settled(p.people(z.ID, 0))
		p.rooms[z.ID] = r
		p.order = append(p.order, r)
	}
	if sc.Recording != nil {
		for _, b := range sc.Recording.Bind {
			p.rooms[b.Zone].driven[b.Quantity] = sc.Recording.driver(b)
		}
	}
	return p
}

func (p *plant) now() time.Duration { return time.Duration(p.steps) * tick }

// step moves the plant on by one tick: explicit Euler, stable because every
// time constant is far longer than a tick (scenarios are checked for that).
func (p *plant) step() {
	t := p.now()
	dt := tick.Seconds()
	next := make([]mix, len(p.order))
	for i, r := range p.order {
		r.past[p.steps%int64(len(r.past))] = r.layer
		next[i] = r.layer.
			plus(r.layer, -r.AirChanges/3600*dt).
			plus(mix{heat: r.layer.heat}, -dt/wallLoss.Seconds())
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

// spread carries smoke, heat and CO along the links: what left a room Delay ago
// arrives, diluted in the other room's layer; nothing flows back.
func (p *plant) spread(next []mix, dt float64) {
	for _, l := range p.links {
		for i, r := range p.order {
			switch r.ID {
			case l.From:
				next[i] = next[i].plus(r.layer, -l.Flow*dt/r.volume())
			case l.To:
				arriving := p.rooms[l.From].remembered(p.steps, int64(l.Delay/tick))
				next[i] = next[i].plus(arriving, l.Flow*dt/r.volume())
			}
		}
	}
}

// gas returns the air at a sensor r metres from the axis of any fire in zone.
func (p *plant) gas(zone string, radius float64) air {
	room, t := p.rooms[zone], p.now()
	a := room.airAt(p.clock, t)
	if _, driven := room.drive(quantityTemperature, t); driven {
		return a
	}
	for _, f := range p.fires {
		if f.Zone == zone {
			a.temperature += ceilingJet(f.at(t).heat, radius, room.Height)
		}
	}
	return a
}
