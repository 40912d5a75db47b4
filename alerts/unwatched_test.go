package alerts

import (
	"errors"
	"slices"
	"testing"

	"nirapod/safety"
	"nirapod/state"
)

// What nothing watches any more ends on a person's word; what is watched does
// not, whatever the sensor says now.
func TestResetOfWhatIsNoLongerWatched(t *testing.T) {
	gone := func(t *safety.Transition) {
		t.From, t.To, t.Values = safety.Firing, safety.Unknown, map[string]float64{safety.Unwatched: 1}
	}
	blind := func(t *safety.Transition) { t.From, t.To = safety.Firing, safety.Unknown }
	cases := []struct {
		name string
		then func(r *rig)
		ok   bool
	}{
		{"firing", func(*rig) {}, false},
		{"blind", func(r *rig) { r.put(r.firing("store-smoke", from(safety.ServerSource), blind)) }, false},
		{"its rule is gone", func(r *rig) { r.put(r.firing("store-smoke", from(safety.ServerSource), gone)) }, true},
		{"its rule is gone and came back", func(r *rig) {
			r.put(r.firing("store-smoke", from(safety.ServerSource), gone))
			r.now = r.now.Add(1e9)
			r.put(r.firing("store-smoke", from(safety.ServerSource)))
		}, false},
		{"a gateway holds it too", func(r *rig) {
			r.put(r.firing("store-smoke"), r.firing("store-smoke", from(safety.ServerSource), gone))
		}, false},
		{"the gateway that held it is gone", func(r *rig) {
			r.put(r.firing("store-smoke"), r.firing("store-smoke", from(safety.ServerSource), inactive))
			_, err := r.db.ImportSite(r.t.Context(), plant(), t0)
			r.must(err)
		}, true},
		{"its sensor is gone", func(r *rig) {
			site := plant()
			site.Sensors = slices.DeleteFunc(site.Sensors, func(s safety.Sensor) bool { return s.ID == "store-smoke" })
			_, err := r.db.ImportSite(r.t.Context(), site, t0)
			r.must(err)
		}, true},
		{"its zone is gone", func(r *rig) {
			site := plant()
			site.Zones = slices.DeleteFunc(site.Zones, func(z safety.Zone) bool { return z.ID == "store" })
			_, err := r.db.ImportSite(r.t.Context(), site, t0)
			r.must(err)
		}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			site := plant()
			site.Gateways = []safety.Gateway{{ID: "gw-1"}}
			r := newRig(t, site, Deps{}, Config{})
			r.put(r.firing("store-smoke", from(safety.ServerSource)))
			id := r.alerts()[0].ID
			c.then(r)
			if _, err := r.a.Reset(t.Context(), "rahima", id, second(1)); !errors.Is(err, safety.ErrConflict) {
				t.Fatalf("before anybody acknowledged: %v", err)
			}
			_, err := r.a.Acknowledge(t.Context(), "rahima", id, second(2))
			r.must(err)
			got, err := r.a.Reset(t.Context(), "rahima", id, second(3))
			if c.ok != (err == nil) || c.ok != (got.State == safety.Cleared) {
				t.Fatalf("reset: %+v, %v", got, err)
			}
			if !c.ok {
				return
			}
			r.must(r.db.Book(t.Context(), func(b *state.Book) error {
				a, err := b.Alert(t.Context(), id)
				if a.Work.ResetBy != "rahima" || a.Work.ResetReason != noLongerWatched {
					t.Errorf("on record: %+v", a.Work)
				}
				return err
			}))
		})
	}
}
