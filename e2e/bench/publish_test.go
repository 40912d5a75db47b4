package bench

import (
	"testing"
	"time"
)

// TestPublish measures at full size and prints the figures.
func TestPublish(t *testing.T) {
	if !*full {
		t.Skip("runs with -full")
	}
	t.Run("mosquitto", func(t *testing.T) {
		o := ingest(t, fullRun(), options{})
		t.Log(o)
		published("ingest_20rules_b10_rate", o.rate, "readings/s")
		published("ingest_20rules_b10_cpu", o.cpu, "s/M")
		published("ingest_20rules_b10_5k_rate", o.liveRate, "readings/s")
		published("ingest_20rules_b10_5k_cpu", o.liveCPU, "s/M")
		published("ingest_20rules_b10_5k_commit_p50", ms(o.p50), "ms")
		published("ingest_20rules_b10_5k_commit_p99", ms(o.p99), "ms")
	})
	t.Run("embedded", func(t *testing.T) {
		o := ingest(t, fullRun(), options{embedded: true})
		t.Log(o)
		published("ingest_20rules_b10_embedded_rate", o.rate, "readings/s")
		published("ingest_20rules_b10_embedded_cpu", o.cpu, "s/M")
	})
}

// fullRun is 50 gateways of 100 sensors that are read each second: 5,000
// readings/s once they have caught up.
func fullRun() run {
	return newRun(50, 100, time.Second, 12*time.Minute, 24*time.Minute, 60*time.Second)
}
