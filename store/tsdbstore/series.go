package tsdbstore

import (
	"math"

	"github.com/prometheus/prometheus/model/labels"

	"nirapod/safety"
	"nirapod/store"
)

// Names on disk: metrics and labels. Never change them.
const (
	metricName    = "__name__"
	metricReading = "reading"
	metricQuality = "quality"
	labelFactory  = "factory"
	labelGateway  = "gateway"
	labelSensor   = "sensor"
	labelQuantity = "quantity"
	labelTaint    = "taint" // absent on real readings
)

// taints are the label values by safety.Flags.
var taints = [...]string{
	0:                               "",
	safety.Simulated:                "simulated",
	safety.Drill:                    "drill",
	safety.Simulated | safety.Drill: "simulated+drill",
}

func flagsOf(taint string) safety.Flags {
	for flags, name := range taints {
		if name == taint {
			return safety.Flags(flags)
		}
	}
	return safety.Simulated | safety.Drill
}

// A code in the metric "quality" is the number of the reason, counted from 1
// in the order of safety.Reasons; uncertainCode is added when there is a value
// of the metric "reading" beside it. Never change the numbers.
const uncertainCode = 64

func codeOf(r safety.Reading) float64 {
	code := 0
	for i, known := range safety.Reasons {
		if r.Reason == known {
			code = i + 1
		}
	}
	if r.Quality == safety.Uncertain {
		code += uncertainCode
	}
	return float64(code)
}

// decode is the inverse of codeOf. A number that nobody wrote is a bad
// reading, never a good one.
func decode(code float64) (safety.Quality, safety.Reason) {
	n, quality := int(code), safety.Bad
	if n > uncertainCode {
		n, quality = n-uncertainCode, safety.Uncertain
	}
	if n < 1 || n > len(safety.Reasons) {
		return safety.Bad, safety.Implausible
	}
	return quality, safety.Reasons[n-1]
}

// bitsOf tells values apart as the TSDB does: 0 and -0 differ.
func bitsOf(v float64) uint64 { return math.Float64bits(v) }

type seriesKey struct {
	factory, gateway, sensor string
	quantity                 safety.Quantity
	flags                    safety.Flags
}

func keyOf(s *store.Sample) seriesKey {
	return seriesKey{s.Factory, s.Gateway, s.Sensor, s.Quantity, s.Flags}
}

// series is what one sensor writes under one set of flags.
type series struct{ value, quality row }

func newSeries(k seriesKey) *series {
	return &series{
		value:   row{labels: k.labels(metricReading)},
		quality: row{labels: k.labels(metricQuality)},
	}
}

func (k seriesKey) labels(metric string) labels.Labels {
	pairs := []string{
		metricName, metric, labelFactory, k.factory, labelGateway, k.gateway,
		labelQuantity, string(k.quantity), labelSensor, k.sensor,
	}
	if k.flags != 0 {
		pairs = append(pairs, labelTaint, taints[k.flags])
	}
	return labels.FromStrings(pairs...)
}
