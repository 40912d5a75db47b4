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

// kinds are conditions of four sorts; window stands for how far they look back.
var kinds = []string{`mean("window") >= high`, `max("window") >= high && value >= low`, `rise("window") >= steep`, `min("window") >= low || value >= high`}

// pack writes rules for each quantity, that all look back as far.
func pack(perQuantity int, window string, quantities ...safety.Quantity) string {
	var b strings.Builder
	b.WriteString("rules:")
	for _, q := range quantities {
		unit := string(q.Unit())
		steep := strings.Replace(unit+"/min", "Cel", "K", 1)
		for i := range perQuantity {
			when := strings.Replace(kinds[i%len(kinds)], "window", window, 1)
			fmt.Fprintf(&b, `
  - {name: %s-%d, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: %s, runs: [server], clause: c, for: %ds,
     when: '%s', limits: {high: {value: 80, unit: "%s", source: s, clause: c, confidence: chosen},
     low: {value: 60, unit: "%s", source: s, clause: c, confidence: chosen}, steep: {value: 30, unit: "%s", source: s, clause: c, confidence: chosen}}}`,
				q, i, q, 2+i/len(kinds), when, unit, unit, steep)
		}
	}
	return b.String()
}

const perZone = 50 // sensors

// five quantities, a fifth of the sensors each.
var five = []safety.Quantity{safety.Temperature, safety.Humidity, safety.CO, safety.CO2, safety.Noise}

func benchEngine(b testing.TB, text string, sensors int) (*rules.Engine, []safety.Reading) {
	b.Helper()
	packs, err := rules.Load(mapFS(text))
	if err != nil {
		b.Fatal(err)
	}
	plant := rules.Plant{Factory: "f"}
	var readings []safety.Reading
	for i := range sensors {
		q := five[i%len(five)]
		if i%10 == 0 && strings.Contains(text, "quantity: h2s") {
			q = safety.H2S
		}
		s := sensorOf(fmt.Sprint("s", i), q)
		s.Zone = fmt.Sprint("z", i/perZone)
		if i%perZone == 0 {
			plant.Zones = append(plant.Zones, safety.Zone{ID: s.Zone})
		}
		plant.Sensors = append(plant.Sensors, s)
		readings = append(readings, safety.Reading{Sensor: fmt.Sprint("s", i), Quality: safety.Good})
	}
	e, err := rules.New(packs, plant, rules.Server, safety.ServerSource)
	if err != nil {
		b.Fatal(err)
	}
	return e, readings
}

// BenchmarkReading shows that cost is linear in the rules that read the
// sensor, and flat in how far they look back.
func BenchmarkReading(b *testing.B) {
	for _, c := range []struct {
		rules  int
		window string
	}{{1, "60s"}, {4, "60s"}, {20, "60s"}, {20, "10s"}, {20, "10m"}, {20, "1h"}} {
		b.Run(fmt.Sprintf("rules=%d/window=%s", c.rules, c.window), func(b *testing.B) {
			e, readings := benchEngine(b, pack(c.rules, c.window, five...), 100)
			run(b, e, readings, quiet)
		})
	}
}

func quiet(n int) float64 { return 20 + float64(n*7919%100)/50 }

// run measures Observe with full windows.
func run(b *testing.B, e *rules.Engine, readings []safety.Reading, value func(int) float64) {
	observe := func(n int) int {
		r := readings[n%len(readings)]
		r.Value, r.At = value(n), start.Add(time.Duration(n/len(readings))*time.Second)
		return len(e.Observe(r))
	}
	n, changes := 0, 0
	for ; n < 4000*len(readings); n++ {
		observe(n)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		changes += observe(n)
		n++
	}
	b.ReportMetric(100*float64(changes)/float64(b.N), "%changes")
}

func BenchmarkReadingThatChangesState(b *testing.B) {
	e, readings := benchEngine(b, pack(4, "60s", five...), 100)
	run(b, e, readings, func(n int) float64 {
		if n/100%200 < 4 {
			return 85
		}
		return quiet(n)
	})
}

// minutely are two rules over the minutes of a quantity.
func minutely(q safety.Quantity) string {
	const rule = `
  - {name: %[1]s-%[2]s, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: %[1]s, runs: [server], clause: c,
     when: '%[3]s >= high', limits: {high: {value: 80, unit: ppm, source: s, clause: c, confidence: chosen}}}`
	return fmt.Sprintf(rule, q, "shift", `twa("8h")`) + fmt.Sprintf(rule, q, "short", `stel("15m")`)
}

// What a TWA and a STEL add to a reading: nothing is allocated, and the length of
// the window costs nothing.
func BenchmarkReadingWithMinutes(b *testing.B) {
	e, readings := benchEngine(b, "rules:"+minutely(safety.CO), 3)
	n := 0
	observe := func() {
		r := readings[2] // five[2] is CO
		r.Value, r.At = quiet(n), start.Add(time.Duration(n)*time.Second)
		e.Observe(r)
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
	e, readings := benchEngine(b, pack(4, "60s", five...), 100)
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
	e, readings := benchEngine(b, pack(4, "60s", five...), 100)
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
