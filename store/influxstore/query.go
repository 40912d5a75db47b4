package influxstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"nirapod/safety"
	"nirapod/store"
)

// The tables of an answer come in any order, so an answer is held whole before
// it is handed on. These bound it. A query costs the server a fixed 15 ms, more
// than reading a thousand samples.
const (
	maxSensors = 32                         // in one answer
	rowsOfMany = 2_000                      // of one series in an answer about several sensors: half an hour at 1/s
	rowsOfOne  = 20_000                     // of one series in an answer about one sensor
	widest     = 100 * 365 * 24 * time.Hour // of a window; twice it is still a Duration
)

// Query implements store.Store. It holds at most a page in memory: 2,000
// samples of each series of 32 sensors, or 20,000 of each series of one.
func (s *Store) Query(ctx context.Context, q store.Query, yield func(store.Sample) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.From, q.To = within(q.From), within(q.To)
	if !q.From.Before(q.To) || !nameable(q.Factory) {
		return nil
	}
	names, err := s.names(ctx, q)
	if err != nil {
		return err
	}
	for group := range slices.Chunk(names, maxSensors) {
		if err := s.group(ctx, q, group, yield); err != nil {
			return err
		}
	}
	return nil
}

// within brings t to what InfluxDB can count, up to a whole millisecond.
func within(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// names returns the sensors that q asks for, in order.
func (s *Store) names(ctx context.Context, q store.Query) ([]string, error) {
	if len(q.Sensors) == 0 {
		return s.sensors(ctx, q)
	}
	names := slices.DeleteFunc(slices.Clone(q.Sensors), func(name string) bool { return !nameable(name) })
	slices.Sort(names)
	return slices.Compact(names), nil
}

// sensors returns the ids of all sensors of the factory with samples at about
// that time, in order. InfluxDB answers it from its index.
func (s *Store) sensors(ctx context.Context, q store.Query) ([]string, error) {
	var names []string
	flux := s.from(q.Factory, nil, q.From, q.To) +
		fmt.Sprintf(` |> keep(columns: [%q]) |> group() |> distinct(column: %q)`, tagSensor, tagSensor)
	err := s.rows(ctx, flux, func(_ bool, r *query.FluxRecord) {
		if name, ok := r.Value().(string); ok {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return slices.Compact(names), err
}

// group yields all samples of some sensors. What does not fit on the first page
// is read sensor by sensor.
func (s *Store) group(ctx context.Context, q store.Query, sensors []string, yield func(store.Sample) error) error {
	p, err := s.fetch(ctx, q.Factory, sensors, q.From, q.To)
	if err != nil {
		return err
	}
	for _, sensor := range sensors {
		next, err := p.yield(sensor, yield)
		if err != nil {
			return err
		}
		if err := s.rest(ctx, q, sensor, next, min(next.Sub(q.From), widest), yield); err != nil {
			return err
		}
	}
	return nil
}

// rest yields the samples of one sensor from a time on, page by page. The
// window of a page follows how dense the samples are, for the server reads a
// whole window however little of it is wanted.
func (s *Store) rest(ctx context.Context, q store.Query, sensor string, from time.Time, window time.Duration, yield func(store.Sample) error) error {
	for from.Before(q.To) {
		p, err := s.fetch(ctx, q.Factory, []string{sensor}, from, earlier(q.To, from.Add(window)))
		if err != nil {
			return err
		}
		next, err := p.yield(sensor, yield)
		if err != nil {
			return err
		}
		if window = min(2*window, widest); next.Before(p.until) {
			window = next.Sub(from)
		}
		from = next
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// page is one answer.
type page struct {
	until   time.Time
	samples map[string][]store.Sample
	cut     map[string]time.Time // a sensor whose series did not fit is complete up to here only
}

// fetch reads the samples of some sensors with from <= At < until, as many of
// each series as a page holds.
func (s *Store) fetch(ctx context.Context, factory string, sensors []string, from, until time.Time) (*page, error) {
	p := &page{until: until, samples: map[string][]store.Sample{}, cut: map[string]time.Time{}}
	limit := rowsOfOne
	if len(sensors) > 1 {
		limit = rowsOfMany
	}
	flux := s.from(factory, sensors, from, until) + fmt.Sprintf(` |> limit(n: %d) |> keep(columns: ["_time", "_value", "_field", %q, %q, %q, %q])`,
		limit, tagGateway, tagQuantity, tagSensor, tagTaint)
	rows := 0
	err := s.rows(ctx, flux, func(another bool, r *query.FluxRecord) {
		if another {
			rows = 0
		}
		rows++
		sample, ok := sampleOf(factory, r)
		if !ok {
			return
		}
		p.samples[sample.Sensor] = append(p.samples[sample.Sensor], sample)
		if rows < limit {
			return
		}
		end := sample.At.Add(time.Millisecond)
		if before, cut := p.cut[sample.Sensor]; !cut || end.Before(before) {
			p.cut[sample.Sensor] = end
		}
	})
	return p, err
}

func sampleOf(factory string, r *query.FluxRecord) (store.Sample, bool) {
	text := func(column string) string {
		word, _ := r.ValueByKey(column).(string)
		return word
	}
	s := store.Sample{
		Factory: factory, Gateway: text(tagGateway), Quantity: safety.Quantity(text(tagQuantity)),
		Reading: safety.Reading{Sensor: text(tagSensor), Flags: flagsOf(text(tagTaint)), At: r.Time().UTC()},
	}
	return s, decode(&s.Reading, r.Field(), r.Value())
}

// yield hands on the samples of one sensor in time order and returns the time
// up to which they are complete.
func (p *page) yield(sensor string, yield func(store.Sample) error) (time.Time, error) {
	end, cut := p.cut[sensor]
	if !cut {
		end = p.until
	}
	samples := p.samples[sensor]
	slices.SortFunc(samples, inOrder)
	for i := range samples {
		if !samples[i].At.Before(end) {
			break
		}
		if i > 0 && sameInstant(&samples[i-1], &samples[i]) {
			continue // another quality: the worst came first
		}
		if err := yield(samples[i]); err != nil {
			return end, err
		}
	}
	delete(p.samples, sensor)
	return end, nil
}

func inOrder(a, b store.Sample) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Gateway, b.Gateway), cmp.Compare(a.Flags, b.Flags),
		cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Quality, b.Quality), cmp.Compare(a.Reason, b.Reason))
}

func sameInstant(a, b *store.Sample) bool {
	return a.At.Equal(b.At) && a.Gateway == b.Gateway && a.Flags == b.Flags && a.Quantity == b.Quantity
}

// from is the beginning of every query. Names were checked by nameable, so that
// they cannot end their string.
func (s *Store) from(factory string, sensors []string, from, until time.Time) string {
	const layout = "2006-01-02T15:04:05.000Z"
	var b strings.Builder
	fmt.Fprintf(&b, `from(bucket: %q) |> range(start: %s, stop: %s) |> filter(fn: (r) => r._measurement == %q and r.%s == "%s"`,
		s.o.Bucket, from.Format(layout), until.Format(layout), measurement, tagFactory, factory)
	for i, sensor := range sensors {
		word := " or"
		if i == 0 {
			word = " and ("
		}
		fmt.Fprintf(&b, `%s r.%s == "%s"`, word, tagSensor, sensor)
	}
	if len(sensors) > 0 {
		b.WriteByte(')')
	}
	b.WriteByte(')')
	return b.String()
}
