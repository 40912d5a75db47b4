package tsdbstore

import (
	"context"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Counters of the TSDB that say what its functions do not return.
const (
	corruptions     = "prometheus_tsdb_wal_corruptions_total"
	lateLogFailures = "prometheus_tsdb_out_of_order_wbl_writes_failed_total"
)

// counters is the Registerer given to the TSDB: it keeps hold of the counters
// above and passes everything on.
type counters struct {
	prometheus.Registerer // where the metrics go
	watched               map[string]prometheus.Collector
	repairs               prometheus.Counter
}

func newCounters(next prometheus.Registerer) *counters {
	if next == nil {
		next = prometheus.NewRegistry()
	}
	repairs := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "nirapod_store_repairs_total",
		Help: "Times that damage was found in a write log of the series store when it was opened.",
	})
	next.MustRegister(repairs)
	return &counters{Registerer: next, watched: map[string]prometheus.Collector{}, repairs: repairs}
}

// Register implements prometheus.Registerer.
func (c *counters) Register(m prometheus.Collector) error {
	c.watch(m)
	return c.Registerer.Register(m)
}

// MustRegister implements prometheus.Registerer.
func (c *counters) MustRegister(all ...prometheus.Collector) {
	for _, m := range all {
		c.watch(m)
	}
	c.Registerer.MustRegister(all...)
}

func (c *counters) watch(m prometheus.Collector) {
	described := make(chan *prometheus.Desc, 64)
	m.Describe(described)
	close(described)
	for d := range described {
		for _, name := range []string{corruptions, lateLogFailures} {
			if strings.Contains(d.String(), `"`+name+`"`) {
				c.watched[name] = m
			}
		}
	}
}

// value returns the counter's value; it panics if the TSDB has no such
// counter, for then a promise would rest on nothing.
func (c *counters) value(name string) float64 {
	out := make(chan prometheus.Metric, 1)
	c.watched[name].Collect(out)
	var m dto.Metric
	if err := (<-out).Write(&m); err != nil {
		panic("tsdbstore: " + name + ": " + err.Error())
	}
	return m.GetCounter().GetValue()
}

// quiet passes warnings and errors only: the TSDB tells at level Info what is
// of no concern to an operator.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
