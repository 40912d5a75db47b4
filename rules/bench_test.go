package rules_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

// twenty rules over five quantities: each reading is read by four of them,
// among them a mean, a maximum, a rise and a 15-minute mean.
func twenty() string {
	var b strings.Builder
	for _, q := range []struct{ name, unit, rise string }{
		{"temperature", "Cel", "K/min"}, {"humidity", "%RH", "%RH/min"}, {"co", "ppm", "ppm/min"}, {"co2", "ppm", "ppm/min"}, {"noise", "dBA", "dBA/min"},
	} {
		for i, when := range []string{`mean("60s") >= high`, `max("60s") >= high && value >= low`, `rise("60s") >= steep`, `mean("15m") >= low || value >= high`} {
			fmt.Fprintf(&b, `
  - {name: %s-%d, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: %s, runs: [server], clause: c, for: 2s,
     when: '%s', limits: {high: {value: 80, unit: "%s", source: s, clause: c, confidence: chosen},
     low: {value: 60, unit: "%s", source: s, clause: c, confidence: chosen}, steep: {value: 30, unit: "%s", source: s, clause: c, confidence: chosen}}}`,
				q.name, i, q.name, when, q.unit, q.unit, q.rise)
		}
	}
	return b.String()
}

func benchEngine(b *testing.B) (*rules.Engine, []safety.Reading) {
	b.Helper()
	packs, err := rules.Load(mapFS("rules:\n" + twenty()))
	if err != nil {
		b.Fatal(err)
	}
	plant := rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: "z"}}}
	var readings []safety.Reading
	for i := range 100 {
		q := []safety.Quantity{safety.Temperature, safety.Humidity, safety.CO, safety.CO2, safety.Noise}[i%5]
		plant.Sensors = append(plant.Sensors, sensorOf(fmt.Sprint("s", i), q))
		readings = append(readings, safety.Reading{Sensor: fmt.Sprint("s", i), Quality: safety.Good})
	}
	e, err := rules.New(packs, plant, rules.Server, safety.ServerSource)
	if err != nil {
		b.Fatal(err)
	}
	return e, readings
}

func BenchmarkReadingWith20Rules(b *testing.B) {
	for _, c := range []struct {
		name  string
		value func(n int) float64
	}{
		{"quiet", func(n int) float64 { return 20 + float64(n*7919%100)/50 }},
		{"a hundredth changes state", func(n int) float64 {
			if n/100%200 < 4 {
				return 85
			}
			return 20 + float64(n*7919%100)/50
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e, readings := benchEngine(b)
			observe := func(n int) int {
				r := readings[n%len(readings)]
				r.Value, r.At = c.value(n), start.Add(time.Duration(n/len(readings))*time.Second)
				return len(e.Observe(r))
			}
			n, changes := 0, 0
			for ; n < 100_000; n++ { // windows full
				observe(n)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				changes += observe(n)
				n++
			}
			b.ReportMetric(100*float64(changes)/float64(b.N), "%changes")
		})
	}
}

// What a TWA and a STEL add to a reading: nothing is allocated, and the length of
// the window costs nothing.
func BenchmarkReadingWithMinutes(b *testing.B) {
	const limit = `limits: {high: {value: 80, unit: ppm, source: s, clause: c, confidence: chosen}}}`
	const rule = `
  - {name: %s, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, runs: [server], clause: c, when: '%s >= high', ` + limit
	packs, err := rules.Load(mapFS("rules:\n" + fmt.Sprintf(rule, "shift", `twa("8h")`) + fmt.Sprintf(rule, "short", `stel("15m")`)))
	if err != nil {
		b.Fatal(err)
	}
	e, err := rules.New(packs, rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: "z"}}, Sensors: []safety.Sensor{sensorOf("s", safety.CO)}}, rules.Server, safety.ServerSource)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	observe := func() {
		e.Observe(safety.Reading{Sensor: "s", Quality: safety.Good, Value: 20 + float64(n*7919%100)/50, At: start.Add(time.Duration(n) * time.Second)})
		n++
	}
	for n < 9*3600 {
		observe()
	}
	if got := testing.AllocsPerRun(1000, observe); got != 0 {
		b.Fatalf("%g allocations a reading", got)
	}
	b.ReportAllocs()
	for b.Loop() {
		observe()
	}
}

func BenchmarkTickOverQuietSensors(b *testing.B) {
	e, readings := benchEngine(b)
	for i := range readings {
		readings[i].At = start.Add(1000 * time.Hour)
		e.Observe(readings[i])
	}
	b.ReportAllocs()
	for i := range b.N {
		e.Tick(start.Add(time.Duration(i) * time.Millisecond))
	}
}

func BenchmarkSnapshotAfterAReading(b *testing.B) {
	e, readings := benchEngine(b)
	b.ReportAllocs()
	for i := range b.N {
		r := readings[0]
		r.At = start.Add(time.Duration(i) * time.Second)
		e.Observe(r)
		e.Snapshot()
	}
}

// What a sensor with TWA and STEL weighs more than one without.
func BenchmarkMemoryOfMinutes(b *testing.B) {
	const sensors = 2000
	weigh := func(when string) float64 {
		packs, err := rules.Load(mapFS(`rules:
  - {name: r, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, runs: [server], clause: c, when: '` + when + `',
     limits: {high: {value: 80, unit: ppm, source: s, clause: c, confidence: chosen}}}`))
		if err != nil {
			b.Fatal(err)
		}
		plant := rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: "z"}}}
		for i := range sensors {
			plant.Sensors = append(plant.Sensors, sensorOf(fmt.Sprint("s", i), safety.CO))
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		e, err := rules.New(packs, plant, rules.Server, safety.ServerSource)
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(e)
		return float64(after.HeapAlloc-before.HeapAlloc) / sensors
	}
	for b.Loop() {
		more := weigh(`twa("8h") >= high || stel("15m") >= high`) - weigh("value >= high")
		b.ReportMetric(more, "B/sensor")
		if more > 4000 {
			b.Fatalf("%.0f bytes a sensor", more)
		}
	}
}
