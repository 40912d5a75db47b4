package tsdbstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"nirapod/safety"
	"nirapod/store"
)

// Query implements store.Store.
func (s *Store) Query(ctx context.Context, q store.Query, yield func(store.Sample) error) (err error) {
	from, to := q.From.UnixMilli(), q.To.UnixMilli()-1
	if to < from {
		return nil
	}
	querier, err := s.db.Querier(from, to)
	if err != nil {
		return fmt.Errorf("series store: %w", err)
	}
	defer func() { err = errors.Join(err, querier.Close()) }()

	sensors, err := selectSensors(ctx, querier, q)
	if err != nil {
		return fmt.Errorf("series store: %w", err)
	}
	for _, name := range sortedKeys(sensors) {
		if err := merge(ctx, sensors[name], yield); err != nil {
			return err
		}
	}
	return nil
}

// cursor walks one pair of series: the values of a sensor under one gateway and
// one set of flags, and beside them the reasons.
type cursor struct {
	sample         store.Sample // the parts that stay the same
	value, quality lane
}

// lane is one series of the TSDB. at is math.MaxInt64 once it is exhausted.
type lane struct {
	it chunkenc.Iterator
	at int64
	v  float64
}

func (l *lane) next() error {
	l.at = math.MaxInt64
	if l.it == nil {
		return nil
	}
	if l.it.Next() == chunkenc.ValNone {
		return l.it.Err()
	}
	l.at, l.v = l.it.At()
	return nil
}

func (c *cursor) at() int64 { return min(c.value.at, c.quality.at) }

// take returns the sample at the cursor and moves on.
func (c *cursor) take() (store.Sample, error) {
	at, s := c.at(), c.sample
	s.At = time.UnixMilli(at).UTC()
	s.Quality = safety.Good
	hasValue := c.value.at == at
	if hasValue {
		s.Value = c.value.v
		if err := c.value.next(); err != nil {
			return s, err
		}
	}
	if c.quality.at == at {
		s.Quality, s.Reason = decode(c.quality.v)
		if err := c.quality.next(); err != nil {
			return s, err
		}
	}
	if s.Quality == safety.Bad || !hasValue {
		s.Quality, s.Value = safety.Bad, 0
	}
	return s, nil
}

// selectSensors finds the series that q asks for and groups them by sensor.
func selectSensors(ctx context.Context, querier storage.Querier, q store.Query) (map[string][]*cursor, error) {
	matchers := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, labelFactory, q.Factory)}
	if len(q.Sensors) == 1 {
		matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, labelSensor, q.Sensors[0]))
	}
	cursors := map[seriesKey]*cursor{}
	for set := querier.Select(ctx, false, nil, matchers...); ; {
		if !set.Next() {
			if err := set.Err(); err != nil {
				return nil, err
			}
			break
		}
		found := set.At()
		name := found.Labels().Get(labelSensor)
		if len(q.Sensors) > 0 && !slices.Contains(q.Sensors, name) {
			continue
		}
		if err := attach(cursors, found); err != nil {
			return nil, err
		}
	}
	sensors := map[string][]*cursor{}
	for key, c := range cursors {
		sensors[key.sensor] = append(sensors[key.sensor], c)
	}
	return sensors, nil
}

// attach makes found a lane of its cursor and moves it to its first sample.
func attach(cursors map[seriesKey]*cursor, found storage.Series) error {
	l := found.Labels()
	key := seriesKey{
		l.Get(labelFactory), l.Get(labelGateway), l.Get(labelSensor),
		safety.Quantity(l.Get(labelQuantity)), flagsOf(l.Get(labelTaint)),
	}
	c := cursors[key]
	if c == nil {
		c = &cursor{
			sample: store.Sample{
				Factory: key.factory, Gateway: key.gateway, Quantity: key.quantity,
				Reading: safety.Reading{Sensor: key.sensor, Flags: key.flags},
			},
			value:   lane{at: math.MaxInt64},
			quality: lane{at: math.MaxInt64},
		}
		cursors[key] = c
	}
	into := &c.value
	if l.Get(metricName) == metricQuality {
		into = &c.quality
	}
	into.it = found.Iterator(nil)
	return into.next()
}

// merge yields the samples of one sensor in time order. A sensor has few
// cursors: one per gateway it hung on and per set of flags.
func merge(ctx context.Context, cursors []*cursor, yield func(store.Sample) error) error {
	sort.Slice(cursors, func(i, j int) bool {
		a, b := cursors[i].sample, cursors[j].sample
		if a.Gateway != b.Gateway {
			return a.Gateway < b.Gateway
		}
		return a.Flags < b.Flags
	})
	for n := 0; ; n++ {
		first := cursors[0]
		for _, c := range cursors[1:] {
			if c.at() < first.at() {
				first = c
			}
		}
		if first.at() == math.MaxInt64 {
			return nil
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		sample, err := first.take()
		if err != nil {
			return fmt.Errorf("series store: %w", err)
		}
		if err := yield(sample); err != nil {
			return err
		}
	}
}

func sortedKeys(m map[string][]*cursor) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
