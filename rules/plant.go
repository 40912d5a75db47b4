package rules

import (
	"slices"
	"strings"
	"time"

	"nirapod/safety"
)

const defaultPeriod = time.Second

// place is a zone and what stands in it.
type place struct {
	*safety.Zone
	rated    float64                       // bar, of its boiler; 0 = none
	sensors  map[safety.Quantity][]*sensor // by id
	ways     []*exit                       // that lead from here
	licence  int64                         // day on which the first boiler's licence ends, days since 1970
	licensed licences
	required []requirement
}

func (b *binder) addPlaces(plant Plant) {
	rated := ratedPressures(plant.Hazards)
	for i := range plant.Zones {
		z := &plant.Zones[i]
		if b.places[z.ID] != nil {
			b.wrong("zone %s stands there twice", z.ID)
			continue
		}
		p := &place{Zone: z, rated: rated[z.ID], sensors: map[safety.Quantity][]*sensor{}}
		b.places[z.ID] = p
		b.order = append(b.order, p)
	}
}

func (b *binder) addSensors(specs []safety.Sensor, together bool) {
	e := b.engine
	for _, spec := range specs {
		zone := b.places[spec.Zone]
		switch {
		case e.sensors[spec.ID] != nil:
			b.wrong("sensor %s stands there twice", spec.ID)
		case zone == nil:
			b.wrong("sensor %s: zone %q is not in the site", spec.ID, spec.Zone)
		case spec.Quantity.Validate() != nil:
			b.wrong("sensor %s: %q is not a quantity", spec.ID, spec.Quantity)
		case spec.Grade.Rank() == 0:
			b.wrong("sensor %s: %q is not a grade", spec.ID, spec.Grade)
		case spec.Period < 0 || spec.Period%time.Millisecond != 0:
			b.wrong("sensor %s: period %v", spec.ID, spec.Period)
		default:
			if spec.Period == 0 {
				spec.Period = defaultPeriod
			}
			s := newSensor(spec, zone, b.slots)
			e.sensors[spec.ID] = s
			e.order = append(e.order, s)
		}
	}
	slices.SortFunc(e.order, func(x, y *sensor) int { return strings.Compare(x.spec.ID, y.spec.ID) })
	byGateway := map[string]*channels{}
	for _, s := range e.order {
		c := byGateway[s.spec.Gateway]
		if c == nil {
			c = &channels{gateway: s.spec.Gateway, own: s.spec.Gateway == "" || s.spec.Gateway == e.source}
			byGateway[c.gateway] = c
			e.channels = append(e.channels, c)
		}
		c.sensors = append(c.sensors, s)
		s.zone.sensors[s.spec.Quantity] = append(s.zone.sensors[s.spec.Quantity], s)
		s.channels = c
	}
	for _, c := range e.channels {
		if c.together = []*channels{c}; together {
			c.together = e.channels
		}
	}
}

// linkPeers gives each sensor those that should read alike: the same quantity
// in the same zone, or where it is alone, also in the zones next to it.
func (b *binder) linkPeers() {
	adjacent := map[*place][]*place{}
	for _, p := range b.order {
		for _, id := range p.Adjacent {
			if other := b.places[id]; other != nil && other != p {
				adjacent[p] = append(adjacent[p], other)
				adjacent[other] = append(adjacent[other], p)
			}
		}
	}
	for _, s := range b.engine.order {
		q := s.spec.Quantity
		if physics[q].tolerance == unlike {
			continue
		}
		s.peers = s.zone.sensors[q]
		if len(s.peers) > 1 {
			continue
		}
		seen := map[*place]bool{}
		for _, p := range adjacent[s.zone] {
			if !seen[p] {
				seen[p] = true
				s.peers = append(slices.Clip(s.peers), p.sensors[q]...)
			}
		}
	}
}
