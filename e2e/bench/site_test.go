package bench

import (
	"fmt"
	"testing"
	"time"

	"nirapod/app/demo"
	"nirapod/safety"
	"nirapod/state/sitefile"
)

// site is the demo's building as a factory that is no demonstration, with the
// gateways and sensors of l in place of its own.
func site(t *testing.T, l load) safety.Site {
	t.Helper()
	s, _, err := sitefile.Parse("site.yaml", demo.Site)
	if err != nil {
		t.Fatal(err)
	}
	s.Factory.ID, s.Factory.Demo, s.Building.Tenants = factory, false, []string{factory}
	s.Gateways, s.Sensors = nil, nil
	for i := range s.Zones {
		s.Zones[i].Required = nil
	}
	for i := range s.Exits {
		s.Exits[i].Sensor, s.Exits[i].LockSensor = "", ""
	}
	for i := range s.Outputs {
		s.Outputs[i].Gateway = gatewayID(0)
	}
	for g := range l.gateways {
		s.Gateways = append(s.Gateways, box(g))
		for i := range l.sensors {
			s.Sensors = append(s.Sensors, sensor(s, sensorID(g, i), gatewayID(g), g*l.sensors+i, l.quantity(i), l.period))
		}
	}
	return s
}

func box(g int) safety.Gateway {
	return safety.Gateway{ID: gatewayID(g), Floor: "f1", Place: safety.Name{BN: "দেয়াল", EN: "Wall"}}
}

// sensor spreads sensors over the zones.
func sensor(s safety.Site, id, gateway string, number int, q safety.Quantity, period time.Duration) safety.Sensor {
	return safety.Sensor{
		ID: id, Name: safety.Name{BN: "মাপ", EN: "Sensor"}, Gateway: gateway, Zone: s.Zones[number%len(s.Zones)].ID,
		Quantity: q, Grade: safety.Industrial, Period: period, MountHeight: 2,
	}
}

func headID(i int) string { return fmt.Sprintf("smoke-%03d", i) }
