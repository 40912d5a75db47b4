package rules

import (
	"slices"
	"strings"
	"time"

	"nirapod/safety"
)

const defaultPeriod = time.Second

func (b *binder) zones(zones []safety.Zone) map[string]*safety.Zone {
	out := map[string]*safety.Zone{}
	for i := range zones {
		if out[zones[i].ID] != nil {
			b.wrong("zone %s stands there twice", zones[i].ID)
		}
		out[zones[i].ID] = &zones[i]
	}
	return out
}

func (b *binder) addSensors(specs []safety.Sensor, zones map[string]*safety.Zone) {
	e := b.engine
	for _, spec := range specs {
		zone := zones[spec.Zone]
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
			c = &channels{gateway: s.spec.Gateway}
			byGateway[c.gateway] = c
			e.channels = append(e.channels, c)
		}
		c.sensors = append(c.sensors, s)
		s.channels = c
	}
}

// linkNeighbours gives each sensor those that should read alike: the same
// quantity in the same zone, or else in a zone next to it.
func (b *binder) linkNeighbours() {
	for _, s := range b.engine.order {
		if physics[s.spec.Quantity].tolerance == unlike {
			continue
		}
		var adjacent []*sensor
		for _, n := range b.engine.order {
			switch {
			case n == s || n.spec.Quantity != s.spec.Quantity:
			case n.zone == s.zone:
				s.neighbours = append(s.neighbours, n)
			case slices.Contains(s.zone.Adjacent, n.zone.ID) || slices.Contains(n.zone.Adjacent, s.zone.ID):
				adjacent = append(adjacent, n)
			}
		}
		if len(s.neighbours) == 0 {
			s.neighbours = adjacent
		}
	}
}
