package rules_test

import (
	"strings"
	"testing"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

// Air and humidity alone never say that it is fine, however cold it is; with a
// globe they do.
func TestAirAloneNeverSaysFine(t *testing.T) {
	packs, err := rules.Load(rules.Shipped, "heat.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, globe := range []bool{false, true} {
		sensors := []safety.Sensor{sensorOf("t", safety.Temperature), sensorOf("h", safety.Humidity)}
		if globe {
			sensors = append(sensors, sensorOf("g", safety.GlobeTemperature))
		}
		for i := range sensors {
			sensors[i].Period = 15 * time.Second
		}
		e, err := rules.New(packs, rules.Plant{
			Factory: "f", Zones: []safety.Zone{{ID: "z", Metabolic: "moderate"}}, Sensors: sensors,
		}, rules.Server, safety.ServerSource)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for second := 0.0; second < 7200; second += 15 {
			for _, s := range sensors {
				for _, tr := range observe(e, s.ID, second, 20) {
					told = append(told, line(tr))
				}
			}
		}
		want := ""
		if globe {
			want = "44m45s heat-work z unknown>inactive"
		}
		if got := strings.Join(told, "; "); got != want {
			t.Errorf("globe %v: told %q, want %q", globe, got, want)
		}
	}
}
