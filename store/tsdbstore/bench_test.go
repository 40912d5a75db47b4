package tsdbstore

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nirapod/store"
	"nirapod/store/storetest"
)

// BenchmarkAppend is one durable append: as many samples as stand in the name,
// one from each sensor. It prints the latency of append and sync together, and
// the processor time for a million samples.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name  string
		size  int
		every int // one batch in so many is late, 0 = none
	}{{"25", 25, 0}, {"1000", 1000, 0}, {"5000", 5000, 0}, {"5000 late 1 in 4", 5000, 4}} {
		b.Run(c.name, func(b *testing.B) {
			s, err := Open(b.TempDir(), Options{}, discard)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			var took []time.Duration
			cpu, n := cpuTime(b), 0
			for b.Loop() {
				at := time.Duration(n) * time.Second
				if c.every > 0 && n%c.every == 0 {
					at -= time.Hour - time.Millisecond
				}
				batch := make([]store.Sample, c.size)
				for i := range batch {
					batch[i] = storetest.Reading(fmt.Sprintf("s-%d", i), at, float64(n+i))
				}
				began := time.Now()
				if err := s.Append(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
				n++
			}
			used := cpuTime(b) - cpu
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(used.Seconds()/float64(n*c.size)*1e6, "cpu-s/M")
		})
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
