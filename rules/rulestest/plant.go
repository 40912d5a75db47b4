// Package rulestest draws what the rules are held against: plants, packs and
// readings. The gateway, the server and the rules themselves are tested with
// the same draws, so that what each says of them can be compared.
package rulestest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"nirapod/rules"
	"nirapod/safety"
)

// Factory is the id of every drawn plant.
const Factory = "padma"

var (
	zoneIDs    = []string{"store", "sewing", "boiler"}
	quantities = []safety.Quantity{
		safety.Temperature, safety.Temperature, safety.Temperature, safety.Smoke, safety.Smoke, safety.SmokeOD,
		safety.CO, safety.LEL, safety.CO2, safety.Humidity, safety.Flame, safety.CallPoint, safety.DoorOpen,
		safety.Locked, safety.People, safety.PeopleHigh, safety.Pressure,
	}
	periods = []time.Duration{time.Second, time.Second, 500 * time.Millisecond, 2 * time.Second, 5 * time.Second}
)

// Plant draws one to three zones and up to eight sensors at so many gateways:
// gw-1, gw-2, ...
func Plant(t *rapid.T, gateways int) rules.Plant {
	p := rules.Plant{Factory: Factory}
	for i := range rapid.IntRange(1, len(zoneIDs)).Draw(t, "zones") {
		z := safety.Zone{
			ID: zoneIDs[i], Height: 3, Area: rapid.SampledFrom([]float64{0, 10, 400}).Draw(t, "area"), NormalMax: 40,
			SteamProne: rapid.Bool().Draw(t, "steam"), HighBay: rapid.IntRange(0, 3).Draw(t, "bay") == 0,
			Exempt: rapid.IntRange(0, 5).Draw(t, "exempt") == 0,
		}
		if i > 0 && rapid.Bool().Draw(t, "adjacent") {
			z.Adjacent = []string{zoneIDs[i-1]}
		}
		p.Zones = append(p.Zones, z)
	}
	p.Hazards = []safety.Hazmat{{Zone: p.Zones[0].ID, Kind: safety.KindBoiler, RatedBar: 10}}
	for i := range rapid.IntRange(1, 8).Draw(t, "sensors") {
		s := safety.Sensor{
			ID: fmt.Sprintf("s-%d", i), Zone: rapid.SampledFrom(p.Zones).Draw(t, "zone").ID,
			Gateway:  fmt.Sprintf("gw-%d", rapid.IntRange(1, gateways).Draw(t, "gateway")),
			Quantity: rapid.SampledFrom(quantities).Draw(t, "quantity"),
			Grade:    rapid.SampledFrom([]safety.Grade{safety.Industrial, safety.Indicative, safety.Certified}).Draw(t, "grade"),
			Period:   rapid.SampledFrom(periods).Draw(t, "period"),
		}
		if s.Quantity == safety.Temperature {
			s.Class = rapid.SampledFrom([]string{"A1R", "A1R", "A2", "BS", ""}).Draw(t, "class")
		}
		p.Sensors = append(p.Sensors, s)
	}
	return p
}
