package spool

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"nirapod/safety"
	"nirapod/wire"
)

// BenchmarkAppend appends telemetry without waiting for the disk, as the agent
// does: one record or ten in a call. bytes/record is what goes into the files.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name    string
		payload int // bytes
		batch   int
	}{{"demo-reading", 0, 1}, {"demo-reading-by-10", 0, 10}, {"200-byte", 200, 1}} {
		b.Run(c.name, func(b *testing.B) { benchmarkAppend(b, c.payload, c.batch) })
	}
}

func benchmarkAppend(b *testing.B, payload, batch int) {
	dir := b.TempDir()
	s := open(b, dir, Config{Run: runID(1), MaxBytes: 1 << 40})
	defer closeSpool(b, s)
	recs := make([]Record, batch)
	for i := range recs {
		recs[i] = reading("store-heat"+string(rune('a'+i)), 1, 21.5)
		if payload > 0 {
			r := &recs[i].Reading
			r.Quality, r.Reason = safety.Uncertain, safety.Reason(strings.Repeat("x", payload-41))
		}
	}
	n := 0
	for b.Loop() {
		n++
		for i := range recs {
			recs[i].Mono, recs[i].Wall = 7e8+int64(n), epoch.AddDate(0, 0, n)
		}
		if err := s.Append(wire.Readings, recs...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*batch)/b.Elapsed().Seconds(), "records/s")
	if err := s.syncDir(); err != nil {
		b.Fatal(err)
	}
	total := int64(0)
	for _, name := range segments(b, dir, wire.Readings) {
		info, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		total += info.Size()
	}
	b.ReportMetric(float64(total)/float64(n*batch), "bytes/record")
}

// BenchmarkOnDisk syncs every 100 records, as ten sensors at 1 Hz do. What goes
// to the disk is more than what goes into the file: the last page again and
// again (but not what the file system writes for itself).
func BenchmarkOnDisk(b *testing.B) {
	s := open(b, b.TempDir(), Config{Run: runID(1)})
	defer closeSpool(b, s)
	before := diskBytes(b)
	n := 0
	for b.Loop() {
		n++
		appendAll(b, s, wire.Readings, reading("store-heat", n, 21.5))
		if n%100 == 0 {
			s.syncTelemetry()
		}
	}
	b.ReportMetric(float64(diskBytes(b)-before)/float64(n), "disk-bytes/record")
}

// diskBytes is what this process has sent towards the disk.
func diskBytes(b *testing.B) (n int64) {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(data)) {
		if _, err := fmt.Sscanf(line, "write_bytes: %d", &n); err == nil {
			return n
		}
	}
	b.Fatalf("no write_bytes in %q", data)
	return 0
}

// BenchmarkAppendAlarm waits for the disk.
func BenchmarkAppendAlarm(b *testing.B) {
	s := open(b, b.TempDir(), Config{Run: runID(1)})
	defer closeSpool(b, s)
	n := 0
	for b.Loop() {
		n++
		appendAll(b, s, wire.Alarms, transition(n))
	}
}

// BenchmarkRead reads packs of 500 records.
func BenchmarkRead(b *testing.B) {
	s := open(b, b.TempDir(), Config{Run: runID(1)})
	defer closeSpool(b, s)
	for n := 1; n <= 100_000; n++ {
		appendAll(b, s, wire.Readings, reading("store-heat", n, 21.5))
	}
	records := 0
	for b.Loop() {
		r := s.Reader(wire.Readings)
		for from := uint64(1); from <= 100_000; {
			batch, err := r.Next(runID(1), from, everything, 500)
			if err != nil {
				b.Fatal(err)
			}
			from, records = batch.To+1, records+len(batch.Records)
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
