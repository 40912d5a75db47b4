package ingest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nirapod/internal/mqttconn"
	"nirapod/safety"
	"nirapod/wire"
)

const benchRules = `
rules:
  - {name: over, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: temperature, when: value >= limit, runs: [server], clause: bench,
     limits: {limit: {value: 54, unit: Cel, source: bench, clause: bench, confidence: chosen}}}
  - {name: mean, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: temperature, when: 'mean("60s") >= limit', runs: [server], clause: bench,
     limits: {limit: {value: 50, unit: Cel, source: bench, clause: bench, confidence: chosen}}}
  - {name: top, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: temperature, when: 'max("60s") >= limit', runs: [server], clause: bench,
     limits: {limit: {value: 60, unit: Cel, source: bench, clause: bench, confidence: chosen}}}
  - {name: rise, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: temperature, when: 'rise("60s") >= limit', runs: [server], clause: bench,
     limits: {limit: {value: 30, unit: K/min, source: bench, clause: bench, confidence: chosen}}}
`

// BenchmarkIngest is the way from an encoded pack to its commit, without the
// network: 10 gateways of 25 sensors, packs of 50 readings, each reading read
// by 4 rules, one in 200 changing the state of one; real state and series
// store. "batch" is how many packs are queued at a flush.
func BenchmarkIngest(b *testing.B) {
	for _, batch := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("batch %d", batch), func(b *testing.B) { benchmarkIngest(b, batch) })
	}
}

func benchmarkIngest(b *testing.B, batch int) {
	db, series := openBoth(b, b.TempDir())
	defer db.Close()
	defer series.Close()
	var gateways []string
	for g := range 10 {
		gateways = append(gateways, fmt.Sprintf("gw-%d", g))
	}
	if _, err := db.ImportSite(b.Context(), testSite("padma", 25, gateways...), time.Now()); err != nil {
		b.Fatal(err)
	}
	i := offline(b, Config{Rules: loadRules(b, benchRules)}, db, series, func(mqttconn.Message) error { return nil })
	start := time.Now().UTC().Truncate(time.Second).Add(-24 * time.Hour)
	var took []time.Duration
	var cpu time.Duration
	n, readings := 0, 0
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		messages := make([]mqttconn.Message, batch)
		for m := range messages {
			topic, payload := encode(b, benchPack(gateways[n%10], n/10, start))
			messages[m] = mqttconn.Message{Topic: topic, Payload: payload}
			n++
		}
		used, began := cpuTime(b), time.Now()
		b.StartTimer()
		for _, m := range messages {
			if err := i.take(b.Context(), m); err != nil {
				b.Fatal(err)
			}
		}
		if err := i.flush(b.Context()); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
		cpu += cpuTime(b) - used
		readings += 50 * batch
	}
	if len(i.core.tracks) != 10 || i.core.held > 0 {
		b.Fatalf("%d tracks, %d records held", len(i.core.tracks), i.core.held)
	}
	slices.Sort(took)
	b.ReportMetric(float64(readings)/b.Elapsed().Seconds(), "readings/s")
	b.ReportMetric(cpu.Seconds()/float64(readings)*1e6, "cpu-s/M")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// benchPack is pack k of a gateway: two rounds of its 25 sensors.
func benchPack(gateway string, k int, start time.Time) wire.Pack {
	p := wire.Pack{
		Factory: "padma", Gateway: gateway, Run: testRun, Stream: wire.Readings, First: uint64(k)*50 + 1,
		Boot: "b1", Clock: wire.Synced,
	}
	for r := range 50 {
		at := start.Add(time.Duration(k*2+r/25) * time.Second)
		value := 20 + float64((k*50+r)%97)*0.05
		if (k*50+r)%200 == 0 {
			value = 58
		}
		p.Records = append(p.Records, wire.Record{At: at, Reading: safety.Reading{
			Sensor: sensorID(gateway, r%25), Value: value, Quality: safety.Good,
		}})
		p.Sent = at
	}
	return p
}

func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
