package influxstore

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nirapod/internal/influxtest"
	"nirapod/store"
	"nirapod/store/storetest"
)

// BenchmarkAppend is one durable append to a server on this machine: as many
// samples as stand in the name, one from each sensor. The processor time for a
// million samples is this process's; the server's comes on top.
func BenchmarkAppend(b *testing.B) {
	server := influxtest.Start(b)
	for _, size := range []int{25, 1000, 5000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, optionsOf(server, influxtest.Database))
			var took []time.Duration
			cpu, n := cpuTime(b), 0
			for b.Loop() {
				batch := make([]store.Sample, size)
				for i := range batch {
					batch[i] = storetest.Reading(fmt.Sprintf("s-%d", i), time.Duration(n)*time.Second, float64(n+i))
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
			b.ReportMetric(used.Seconds()/float64(n*size)*1e6, "cpu-s/M")
		})
	}
}

// BenchmarkQuery reads the last half hour at one sample a second, of one sensor
// and of as many as one answer holds.
func BenchmarkQuery(b *testing.B) {
	s := open(b, optionsOf(influxtest.Start(b), influxtest.Database))
	var sensors []string
	var batch []store.Sample
	for i := range maxSensors {
		sensors = append(sensors, fmt.Sprintf("s-%d", i))
		for second := range 1800 {
			batch = append(batch, storetest.Reading(sensors[i], time.Duration(second)*time.Second, float64(second)))
		}
	}
	if err := s.Append(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, maxSensors} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			q := store.Query{Factory: "padma", Sensors: sensors[:n], From: batch[0].At, To: batch[0].At.Add(30 * time.Minute)}
			for b.Loop() {
				if got, err := storetest.Collect(b.Context(), s, q); err != nil || len(got) != 1800*n {
					b.Fatal(len(got), err)
				}
			}
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
