package rules_test

import (
	"strings"
	"testing"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

// A room of unknown size is said when the rules are bound, not as a sensor
// that cannot see.
// A sensor that is too slow for what a zone's rule asks of it is said as well.
func TestASlowSensorOfAZoneIsTold(t *testing.T) {
	slow, quick := sensorOf("slow", safety.SmokeOD), sensorOf("quick", safety.SmokeOD)
	slow.Period = 10 * time.Second
	told := strings.Join(shippedEngine(t, slow, quick, sensorOf("t", safety.Temperature)).Unbound(), "\n")
	if strings.Count(told, "rule smoke-and-heat does not watch sensor slow: a reading every 10s is too few for a window of 20s") != 1 || strings.Contains(told, "sensor quick") {
		t.Errorf("got\n%s", told)
	}
}

func TestACounterInARoomOfUnknownSizeIsNotBound(t *testing.T) {
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	e, err := rules.New(packs, rules.Plant{
		Factory: "f", Zones: []safety.Zone{{ID: "z", Height: 3}, {ID: "y", PostedMaximum: 9}, {ID: "x", Area: 95, Height: 3}},
		Sensors: []safety.Sensor{inZone(sensorOf("no", safety.People), "z"), inZone(sensorOf("posted", safety.People), "y"), inZone(sensorOf("sized", safety.People), "x")},
	}, rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, text := range e.Unbound() {
		if strings.HasPrefix(text, "rule overcrowded does") {
			told = append(told, text)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], "sensor no: zone z says neither") {
		t.Errorf("got %q", told)
	}
	for i := range 200 {
		for _, tr := range observe(e, "no", float64(i), 30) {
			if tr.Sensor == "no" && tr.Class == safety.ClassFault && tr.To != safety.Inactive {
				t.Errorf("got %+v", tr)
			}
		}
	}
}

// A gauge where no boiler stands is said when the rules are bound as well.
func TestAGaugeWithoutABoilerIsNotBound(t *testing.T) {
	told := strings.Join(shippedEngine(t, sensorOf("gauge", safety.Pressure)).Unbound(), "\n")
	if !strings.Contains(told, "rule boiler-overpressure does not watch sensor gauge") {
		t.Errorf("got %q", told)
	}
}
