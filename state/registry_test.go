package state_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"nirapod/safety"
)

func TestRegistry(t *testing.T) {
	d := open(t, t.TempDir())
	version := func(want int64) {
		t.Helper()
		if got, err := d.RegistryVersion(t.Context()); err != nil || got != want {
			t.Errorf("registry version %d, %v, want %d", got, err, want)
		}
	}
	version(0)
	padma := safety.Site{
		Version: 1, Factory: safety.Factory{ID: "padma", Name: safety.Name{BN: "পদ্মা"}, Office: safety.Fact{Value: "gazipur"}},
		Sensors: []safety.Sensor{{ID: "s", Period: 1500 * time.Millisecond, Range: [2]float64{-0.1, 1e300}, At: safety.Point{1, 2}}},
	}
	meghna := safety.Site{Factory: safety.Factory{ID: "meghna"}}
	for _, step := range []struct {
		site safety.Site
		want int64
	}{{padma, 1}, {meghna, 2}, {padma, 1}} {
		if got, err := d.ImportSite(t.Context(), step.site, at(int(step.want))); err != nil || got != step.want {
			t.Errorf("import of %s made version %d, %v, want %d", step.site.Factory.ID, got, err, step.want)
		}
	}
	version(2)
	old := padma
	padma.Factory.Women = 300
	if got, err := d.ImportSite(t.Context(), padma, at(9)); err != nil || got != 3 {
		t.Errorf("a changed site made version %d, %v", got, err)
	}
	if got, err := d.Site(t.Context(), "padma"); err != nil || !reflect.DeepEqual(got, padma) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, padma)
	}
	if got, err := d.ImportSite(t.Context(), old, at(10)); err != nil || got != 4 {
		t.Errorf("going back made version %d, %v", got, err)
	}
	if sites, err := d.Sites(t.Context()); err != nil || !reflect.DeepEqual(sites, []safety.Site{meghna, old}) {
		t.Errorf("sites %+v, %v", sites, err)
	}
	if _, err := d.Site(t.Context(), "jamuna"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("a site that is not there: %v", err)
	}
	if _, err := d.ImportSite(t.Context(), safety.Site{}, at(0)); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("a site without a factory: %v", err)
	}
}
