package alerts

import (
	"context"
	"maps"
	"slices"
	"sync"

	"nirapod/safety"
	"nirapod/state"
)

// sites is the registry as of its last refresh. It is safe for concurrent use.
type sites struct {
	db *state.DB

	mu      sync.Mutex
	version int64
	all     map[string]safety.Site // by factory; guarded by mu, as version is
}

// refresh reads the registry again if it has changed. On an error the last
// known one stays: an old plan tells more than none.
func (s *sites) refresh(ctx context.Context) error {
	version, err := s.db.RegistryVersion(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all != nil && version == s.version {
		return nil
	}
	list, err := s.db.Sites(ctx)
	if err != nil {
		return err
	}
	s.all, s.version = make(map[string]safety.Site, len(list)), version
	for _, site := range list {
		s.all[site.Factory.ID] = site
	}
	return nil
}

// site returns a factory's site; of an unregistered one only the id is known.
func (s *sites) site(factory string) safety.Site {
	s.mu.Lock()
	defer s.mu.Unlock()
	if site, ok := s.all[factory]; ok {
		return site
	}
	return safety.Site{Factory: safety.Factory{ID: factory}}
}

// factories returns the ids of all registered factories, sorted.
func (s *sites) factories() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.all))
}

func sensorOf(site safety.Site, id string) (safety.Sensor, bool) {
	i := slices.IndexFunc(site.Sensors, func(s safety.Sensor) bool { return s.ID == id })
	if i < 0 {
		return safety.Sensor{}, false
	}
	return site.Sensors[i], true
}

// gatewayOf returns the gateway that a transition without zone and sensor is
// about: the one that its point is made of, "" if there is none.
func gatewayOf(site safety.Site, t safety.Transition) string {
	if t.Zone != "" || t.Sensor != "" {
		return ""
	}
	for _, g := range site.Gateways {
		if safety.PointID(t.Factory, t.Rule, g.ID) == t.Point {
			return g.ID
		}
	}
	return ""
}

// near reports whether two zones are one or touch, said by either of them.
func near(site safety.Site, a, b string) bool {
	if a == b {
		return true
	}
	return slices.ContainsFunc(site.Zones, func(z safety.Zone) bool {
		return z.ID == a && slices.Contains(z.Adjacent, b) || z.ID == b && slices.Contains(z.Adjacent, a)
	})
}
