package factory_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"nirapod/firmware-sim/factory"
	"nirapod/safety"
)

// evening is the first day from 20:20 on: fogging indoors, a shift that ends, a
// power cut.
func evening(t *testing.T, change func(*factory.Config)) *factory.Factory {
	t.Helper()
	cfg := factory.Config{Seed: 1, Days: 1, From: begins}
	change(&cfg)
	f, err := factory.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ordinary are the readings of an evening as it is.
var ordinary = sync.OnceValue(func() []safety.Reading {
	f, err := factory.New(factory.Config{Seed: 1, Days: 1, From: begins})
	if err != nil {
		panic(err)
	}
	return all(f)
})

const begins = 20*time.Hour + 20*time.Minute

func all(f *factory.Factory) (out []safety.Reading) {
	for {
		readings, more := f.Step()
		if !more {
			return out
		}
		out = append(out, readings...)
	}
}

func TestTheSameSeedIsTheSameMonth(t *testing.T) {
	first := ordinary()
	if again := all(evening(t, func(*factory.Config) {})); !slices.Equal(first, again) {
		t.Error("the same seed gave other readings")
	}
	other := evening(t, func(c *factory.Config) { c.Seed = 2 })
	if slices.Equal(first, all(other)) {
		t.Error("another seed gave the same readings")
	}
}

// Every sensor speaks once a period, on time, unless its gateway is without power.
func TestSensorsKeepTheirPeriods(t *testing.T) {
	site, err := factory.Site()
	if err != nil {
		t.Fatal(err)
	}
	period := map[string]time.Duration{}
	for _, s := range site.Sensors {
		period[s.ID] = s.Period
	}
	last := map[string]time.Time{}
	for _, r := range ordinary() {
		if before, known := last[r.Sensor]; known && r.At.Sub(before) != period[r.Sensor] && r.At.Sub(before) < 20*time.Second {
			t.Fatalf("%s at %v after %v, its period is %v", r.Sensor, r.At, before, period[r.Sensor])
		}
		last[r.Sensor] = r.At
	}
	if len(last) != len(site.Sensors) {
		t.Errorf("%d of %d sensors spoke", len(last), len(site.Sensors))
	}
}

// A permit covers smoke and flame. Heat, gas, call points and locks never.
func TestPermitsCoverSmokeOnly(t *testing.T) {
	site, err := factory.Site()
	if err != nil {
		t.Fatal(err)
	}
	inhibited := map[safety.Quantity]int{}
	for _, r := range ordinary() {
		if r.Reason == safety.Inhibit {
			i := slices.IndexFunc(site.Sensors, func(s safety.Sensor) bool { return s.ID == r.Sensor })
			inhibited[site.Sensors[i].Quantity]++
		}
	}
	for q := range inhibited {
		if q != safety.Smoke && q != safety.SmokeOD && q != safety.Flame {
			t.Errorf("%s was inhibited", q)
		}
	}
	if inhibited[safety.Smoke] == 0 {
		t.Error("no smoke head was inhibited while there was fog")
	}
	for _, r := range all(evening(t, func(c *factory.Config) { c.Careless = true })) {
		if r.Reason == safety.Inhibit {
			t.Fatalf("%s inhibited without a permit", r.Sensor)
		}
	}
}

// A recorded course is added to what the heads of its zone measure, and goes
// once the fire is put out.
func TestRecordedFires(t *testing.T) {
	burns := factory.Fire{Zone: "sewing-a", At: begins + 10*time.Minute, Course: func(time.Duration) factory.Added {
		return factory.Added{Heat: [factory.Heads]float64{40, 20, 20, 20}, Smoke: 0.2}
	}}
	quiet := ordinary()
	here := burns // where no permit covers the smoke head
	here.Zone = "panel"
	fire := all(evening(t, func(c *factory.Config) { c.Fires = []factory.Fire{burns, here} }))
	begin := time.Date(2026, 6, 1, 20, 20, 0, 0, factory.Dhaka)
	most := map[string]float64{}
	for i, r := range fire {
		more := r.Value - quiet[i].Value
		if r.At.Sub(begin) < 10*time.Minute && more != 0 {
			t.Fatalf("%s by %g before the fire", r.Sensor, more)
		}
		if r.At.Sub(begin) < 25*time.Minute {
			most[r.Sensor] = max(most[r.Sensor], more)
		}
		if r.At.Sub(begin) > 80*time.Minute && r.Sensor == "sewing-a-heat-1" && math.Abs(more) > 0.1 {
			t.Fatalf("still %g K an hour later", more)
		}
	}
	if math.Abs(most["sewing-a-heat-1"]-40) > 0.5 || math.Abs(most["sewing-a-heat-2"]-20) > 0.5 || most["sewing-a-smoke-1"] != 0 || most["panel-smoke"] != 1 || most["sewing-b-heat-1"] != 0 {
		t.Errorf("added %v", most)
	}
}
