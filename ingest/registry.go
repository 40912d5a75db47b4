package ingest

import (
	"slices"

	"nirapod/safety"
)

// registry is what the sites say about gateways and sensors.
type registry struct {
	version int64
	sites   map[string]*site // by factory id
}

type site struct {
	safety.Site
	gateways map[string]bool
	sensors  map[string]safety.Sensor
}

func newRegistry(version int64, sites []safety.Site) *registry {
	r := &registry{version: version, sites: map[string]*site{}}
	for _, s := range sites {
		indexed := &site{Site: s, gateways: map[string]bool{}, sensors: map[string]safety.Sensor{}}
		for _, g := range s.Gateways {
			indexed.gateways[g.ID] = true
		}
		for _, sensor := range s.Sensors {
			indexed.sensors[sensor.ID] = sensor
		}
		r.sites[s.Factory.ID] = indexed
	}
	return r
}

// gateway returns the site of a registered gateway, nil if there is none.
func (r *registry) gateway(factory, gateway string) *site {
	s := r.sites[factory]
	if s == nil || !s.gateways[gateway] {
		return nil
	}
	return s
}

// factories returns the ids of all factories, sorted.
func (r *registry) factories() []string {
	ids := make([]string, 0, len(r.sites))
	for id := range r.sites {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
