package ingest

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	packs        *prometheus.CounterVec // by stream
	readings     prometheus.Counter
	repeated     prometheus.Counter
	refused      *prometheus.CounterVec // by reason
	gone         prometheus.Counter
	transitions  *prometheus.CounterVec // by class
	commit       prometheus.Histogram
	storeErrors  prometheus.Counter
	stateErrors  prometheus.Counter
	clockInDoubt prometheus.Gauge
}

func newMetrics(r prometheus.Registerer, queued func() float64) *metrics {
	f := promauto.With(r)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: "nirapod_ingest_" + name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "nirapod_ingest_" + name, Help: help}, []string{label})
	}
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nirapod_ingest_queue_messages", Help: "Messages that wait to be dealt with.",
	}, queued)
	return &metrics{
		packs:       vec("packs_total", "Packs decoded, by stream.", "stream"),
		readings:    counter("readings_total", "Records of stream r dealt with."),
		repeated:    counter("repeated_packs_total", "Packs that brought nothing new."),
		refused:     vec("refused_total", "Records, or whole packs that cannot be read, refused, by reason.", "reason"),
		gone:        counter("gone_total", "Records that gateways declared as dropped."),
		transitions: vec("transitions_total", "Transitions of gateways and of the server's own rules, by class.", "class"),
		commit: f.NewHistogram(prometheus.HistogramOpts{
			Name: "nirapod_ingest_commit_seconds", Help: "From the start of a flush until all of it is durable.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		storeErrors: counter("store_errors_total", "Appends to the series store that failed."),
		stateErrors: counter("state_errors_total", "Writes to the state that failed."),
		clockInDoubt: f.NewGauge(prometheus.GaugeOpts{
			Name: "nirapod_ingest_clock_in_doubt", Help: "1 while the server's clock is not believed.",
		}),
	}
}
