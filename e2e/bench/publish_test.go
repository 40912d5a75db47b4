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
	// 50 gateways of 100 sensors that are read each second: 5,000 readings/s once
	// they have caught up.
	size := newRun(50, 100, time.Second, 12*time.Minute, 16*time.Minute, 60*time.Second)
	t.Run("mosquitto", func(t *testing.T) {
		o := ingest(t, size, options{})
		t.Log(o)
		published("ingest_20rules_b10_rate", o.rate, "readings/s")
		published("ingest_20rules_b10_cpu", o.cpu, "s/M")
		published("ingest_20rules_b10_5k_rate", o.liveRate, "readings/s")
		published("ingest_20rules_b10_5k_cpu", o.liveCPU, "s/M")
		published("ingest_20rules_b10_5k_commit_p50", ms(o.p50), "ms")
		published("ingest_20rules_b10_5k_commit_p99", ms(o.p99), "ms")
	})
	t.Run("rule", func(t *testing.T) {
		published("rule_per_reading", float64(perReading(t, 30).Nanoseconds())/1000, "µs")
	})
	t.Run("siren", func(t *testing.T) {
		took := siren(t, 50)
		published("siren_p50", ms(quantile(took, 0.5)), "ms")
		published("siren_p99", ms(quantile(took, 0.99)), "ms")
	})
	t.Run("alert", func(t *testing.T) {
		took := told(t, load{gateways: 10, sensors: 100, period: time.Second}, 300)
		published("alert_p50_1k", ms(quantile(took, 0.5)), "ms")
		published("alert_p99_1k", ms(quantile(took, 0.99)), "ms")
	})
	t.Run("embedded", func(t *testing.T) {
		o := ingest(t, size, options{embedded: true})
		t.Log(o)
		published("ingest_20rules_b10_embedded_rate", o.rate, "readings/s")
		published("ingest_20rules_b10_embedded_cpu", o.cpu, "s/M")
	})
	// 25,000 sensors that are read every 5 s, with full windows.
	t.Run("memory", func(t *testing.T) {
		o := ingest(t, newRun(250, 100, 5*time.Second, 12*time.Minute, 16*time.Minute, 40*time.Second), options{})
		t.Log(o)
		published("ingest_rss_25k", o.rss, "MB")
		published("ingest_rss_25k_peak", o.peak, "MB")
	})
}

// TestPublishInflux is apart: InfluxDB is a third program on the same cores.
func TestPublishInflux(t *testing.T) {
	if !*full {
		t.Skip("runs with -full")
	}
	o := ingest(t, newRun(50, 100, time.Second, time.Minute, 4*time.Minute, 30*time.Second), options{influx: true})
	t.Log(o)
	published("ingest_20rules_b10_influx_rate", o.rate, "readings/s")
	published("ingest_20rules_b10_influx_cpu", o.cpu, "s/M")
}
