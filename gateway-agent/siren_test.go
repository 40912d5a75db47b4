package agent_test

import (
	"os"
	"slices"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
)

// BenchmarkSiren measures from a register that crosses to the evacuation
// sounder's pin going high, both seen at the simulator: smoke on a supervised
// loop with nobody there to acknowledge, and a manual call point.
func BenchmarkSiren(b *testing.B) {
	b.Run("smoke", func(b *testing.B) { siren(b, func(x *box) { x.smoke("store") }) })
	b.Run("call-point", func(b *testing.B) {
		siren(b, func(x *box) { x.set(sim.Setting{Pin: "SIM_CALL_1", Level: true}) })
	})
}

func siren(b *testing.B, cross func(*box)) {
	x := newBox(b)
	x.cfg.Attended = nil
	var took []time.Duration
	for b.Loop() {
		x.stop()
		x.boot()
		if err := os.RemoveAll(x.cfg.DataDir); err != nil {
			b.Fatal(err)
		}
		stop := x.start()
		time.Sleep(350*time.Millisecond + time.Duration(len(took)*37%100)*time.Millisecond) // any moment of the scan
		crossed := time.Now()
		cross(x)
		x.sounds("SIM_SOUNDER", 5*time.Second)
		took = append(took, x.output("SIM_SOUNDER").ChangedAt.Sub(crossed))
		stop()
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
}
