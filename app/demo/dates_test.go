package demo_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"nirapod/app/demo"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state/sitefile"
)

// due are the rules that tell of papers and tests by their dates.
var due = []string{"calibration-due", "bump-due", "walk-test-due", "sensor-worn-out", "sensor-wears-out", "boiler-licence-expired", "boiler-licence-ending"}

// fires returns which of those rules tell something of a site on a day.
func fires(t *testing.T, site []byte, day time.Time) (out []string) {
	t.Helper()
	parsed, _, err := sitefile.Parse("site.yaml", site)
	if err != nil {
		t.Fatal(err)
	}
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	e, err := rules.New(packs, rules.PlantOf(parsed), rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	ts := e.Tick(day)
	for i := range 70 {
		for _, s := range parsed.Sensors {
			ts = append(ts, e.Observe(safety.Reading{Sensor: s.ID, At: day.Add(time.Duration(i+1) * time.Second), Quality: safety.Good, Value: 1})...)
		}
	}
	for _, tr := range ts {
		for _, rule := range due {
			if tr.Rule == rule && tr.To == safety.Firing {
				out = append(out, rule+" "+tr.Sensor+tr.Zone)
			}
		}
	}
	return out
}

func TestNothingIsDueInTheDemoWheneverItStarts(t *testing.T) {
	for _, day := range []time.Time{
		time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC), time.Date(2027, 1, 20, 6, 0, 0, 0, time.UTC),
		time.Date(2028, 2, 29, 23, 59, 0, 0, time.UTC), time.Date(2036, 7, 1, 6, 0, 0, 0, time.UTC),
	} {
		if got := fires(t, demo.SiteOn(day), day); len(got) > 0 {
			t.Errorf("on %s: %s", day.Format(time.DateOnly), strings.Join(got, ", "))
		}
	}
	late := time.Date(2027, 4, 20, 6, 0, 0, 0, time.UTC)
	if got := fires(t, demo.Site, late); len(got) < 3 {
		t.Errorf("of the file as shipped only %v are due on %s: the test says little", got, late.Format(time.DateOnly))
	}
	if early := demo.SiteOn(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)); !bytes.Equal(early, demo.Site) {
		t.Error("the file is changed before anything is old")
	}
}
