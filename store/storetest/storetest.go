// Package storetest is the contract of store.Store as tests. Every
// implementation runs it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/store"
)

// Open opens the store that belongs to dir, a directory that the test owns.
// Opening the same dir again, after Close, opens the same store.
type Open func(t *testing.T, dir string) store.Store

// start is the time of the oldest sample: whole, and recent enough for stores
// that look at the calendar.
var start = time.Now().UTC().Truncate(24 * time.Hour).Add(-3 * 24 * time.Hour)

// Run runs the contract against stores that open opens.
func Run(t *testing.T, open Open) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{t: t, open: open, dir: t.TempDir(), want: map[string]store.Sample{}}
			b.Store = open(t, b.dir)
			defer func() { b.close() }()
			c.run(b)
		})
	}
}

var cases = []struct {
	name string
	run  func(b *bench)
}{
	{"every value comes back bit by bit", roundTrip},
	{"bad readings come back as their reason, without a number", badReadings},
	{"uncertain readings come back with value and reason", uncertainReadings},
	{"quality changes from one millisecond to the next", qualityChanges},
	{"repeats are kept once", repeats},
	{"late samples take their place", late},
	{"shuffled batches come back in order", unordered},
	{"many sensors and factories stay apart", manySensors},
	{"simulated and real samples of one instant stay apart", taint},
	{"all is there after reopening", reopen},
	{"a query takes its bounds seriously", bounds},
	{"what can never be stored is named, the rest is kept", refused},
	{"another value for the same instant leaves one of them", conflict},
	{"a cancelled append may be given again", cancelled},
	{"an error of yield ends the query", yieldError},
}

// bench is one store under test and what it must hold.
type bench struct {
	t    *testing.T
	open Open
	dir  string
	want map[string]store.Sample
	store.Store
}

// Reading returns a good sample of sensor, at after the start, for suites that
// add cases of their own.
func Reading(sensor string, at time.Duration, value float64) store.Sample {
	return store.Sample{
		Factory: "padma", Gateway: "gw-1", Quantity: safety.Temperature,
		Reading: safety.Reading{Sensor: sensor, Value: value, Quality: safety.Good, At: start.Add(at)},
	}
}

func marked(s store.Sample, q safety.Quality, r safety.Reason) store.Sample {
	s.Quality, s.Reason = q, r
	if q == safety.Bad {
		s.Value = 0
	}
	return s
}

func identity(s store.Sample) string {
	return fmt.Sprint(s.Factory, "/", s.Gateway, "/", s.Sensor, "/", s.Flags, "/", s.At.UnixMilli())
}

func (b *bench) append(samples ...store.Sample) {
	b.t.Helper()
	if err := b.Append(b.t.Context(), samples); err != nil {
		b.t.Fatalf("Append: %v", err)
	}
	for _, s := range samples {
		b.want[identity(s)] = s
	}
}

func (b *bench) close() {
	if b.Store == nil {
		return
	}
	if err := b.Close(); err != nil {
		b.t.Errorf("Close: %v", err)
	}
	b.Store = nil
}

func (b *bench) reopen() {
	b.t.Helper()
	b.close()
	b.Store = b.open(b.t, b.dir)
}

// Collect returns all that a query yields.
func Collect(ctx context.Context, s store.Store, q store.Query) ([]store.Sample, error) {
	var got []store.Sample
	err := s.Query(ctx, q, func(s store.Sample) error {
		got = append(got, s)
		return nil
	})
	return got, err
}

// check compares all that is stored of factory padma with what was appended.
func (b *bench) check() {
	b.t.Helper()
	got, err := Collect(b.t.Context(), b.Store, store.Query{
		Factory: "padma", From: start.Add(-24 * time.Hour), To: start.Add(7 * 24 * time.Hour),
	})
	if err != nil {
		b.t.Fatalf("Query: %v", err)
	}
	seen := map[string]bool{}
	for i, s := range got {
		id := identity(s)
		if seen[id] {
			b.t.Fatalf("%s came back twice", id)
		}
		seen[id] = true
		if i > 0 && got[i-1].Sensor == s.Sensor && s.At.Before(got[i-1].At) {
			b.t.Fatalf("%s came back after %s", id, identity(got[i-1]))
		}
		want, known := b.want[id]
		if !known {
			b.t.Fatalf("%s came back and was never stored", id)
		}
		if !same(s, want) {
			b.t.Fatalf("%s came back as %+v (bits %x), want %+v (bits %x)",
				id, s, math.Float64bits(s.Value), want, math.Float64bits(want.Value))
		}
	}
	for id, s := range b.want {
		if s.Factory == "padma" && !seen[id] {
			b.t.Fatalf("%s is missing: %d of %d came back", id, len(seen), len(b.want))
		}
	}
}

func same(a, b store.Sample) bool {
	bits := math.Float64bits(a.Value) == math.Float64bits(b.Value)
	equal := a.At.Equal(b.At) && a.At.Location() == time.UTC
	a.Value, b.Value, a.At, b.At = 0, 0, time.Time{}, time.Time{}
	return bits && equal && a == b
}

func roundTrip(b *bench) {
	values := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1.0 / 3, 21.37, 1e-300, -1e300,
		math.MaxFloat64, math.SmallestNonzeroFloat64, 4503599627370497.5, math.Nextafter(54, 55),
	}
	for i, v := range values {
		b.append(Reading("store-heat", time.Duration(i)*time.Millisecond, v))
	}
	r := rand.New(rand.NewPCG(1, 2))
	batch := make([]store.Sample, 0, 1000)
	for i := range 1000 {
		v := math.Float64frombits(r.Uint64())
		if math.IsNaN(v) || math.IsInf(v, 0) {
			v = float64(i)
		}
		batch = append(batch, Reading("store-heat", time.Second+time.Duration(i)*time.Millisecond, v))
	}
	b.append(batch...)
	b.check()
}

func badReadings(b *bench) {
	for i, reason := range safety.Reasons {
		b.append(marked(Reading("store-heat", time.Duration(i)*time.Second, 0), safety.Bad, reason))
	}
	b.check()
}

func uncertainReadings(b *bench) {
	for i, reason := range safety.Reasons {
		b.append(marked(Reading("store-heat", time.Duration(i)*time.Second, float64(i)+0.5), safety.Uncertain, reason))
	}
	b.check()
}

func qualityChanges(b *bench) {
	for i := range 60 {
		s := Reading("store-heat", time.Duration(i)*time.Millisecond, float64(i))
		switch i % 4 {
		case 1:
			s = marked(s, safety.Bad, safety.NACK)
		case 2:
			s = marked(s, safety.Uncertain, safety.Warming)
		}
		b.append(s)
	}
	b.check()
}

func repeats(b *bench) {
	old := Reading("store-heat", 0, 20)
	bad := marked(Reading("store-heat", time.Second, 0), safety.Bad, safety.CRC)
	newest := marked(Reading("store-heat", time.Minute, 22), safety.Uncertain, safety.Warming)
	for range 3 {
		b.append(old, old, bad, newest, newest)
		b.append(newest, old)
		b.append(bad)
	}
	b.check()
	b.reopen()
	b.append(old, bad, newest)
	b.check()
}

func late(b *bench) {
	b.append(Reading("store-heat", 48*time.Hour, 20))
	for h := 47; h >= 0; h-- {
		at := time.Duration(h) * time.Hour
		b.append(Reading("store-heat", at, float64(h)), marked(Reading("store-rh", at, 0), safety.Bad, safety.Timeout))
	}
	b.check()
	b.append(Reading("store-heat", 48*time.Hour+time.Second, 21))
	b.reopen()
	b.check()
}

func unordered(b *bench) {
	r := rand.New(rand.NewPCG(3, 4))
	var all []store.Sample
	for i := range 2000 {
		s := Reading([]string{"a", "b", "c"}[i%3], time.Duration(i)*7*time.Second, float64(i))
		if i%5 == 0 {
			s = marked(s, safety.Uncertain, safety.Implausible)
		}
		all = append(all, s)
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for len(all) > 0 {
		n := min(len(all), 1+r.IntN(200))
		b.append(all[:n]...)
		all = all[n:]
	}
	b.check()
	b.reopen()
	b.check()
}

func manySensors(b *bench) {
	for round := range 3 {
		var batch []store.Sample
		for i := range 500 {
			s := Reading(fmt.Sprintf("s-%03d", i), time.Duration(round)*time.Second, float64(i*round))
			other := s
			other.Factory, other.Value = "meghna", -1
			moved := s
			moved.Gateway, moved.Value = "gw-2", s.Value+0.5
			batch = append(batch, s, other, moved)
		}
		b.append(batch...)
	}
	b.check()
	got, err := Collect(b.t.Context(), b.Store, store.Query{
		Factory: "meghna", Sensors: []string{"s-007", "s-003", "none"}, From: start, To: start.Add(time.Hour),
	})
	if err != nil || len(got) != 6 || got[0].Sensor != "s-003" || got[5].Sensor != "s-007" || got[0].Value != -1 {
		b.t.Fatalf("two sensors of meghna: %v, %v", got, err)
	}
}

func taint(b *bench) {
	for flags := range safety.Flags(4) {
		s := Reading("store-smoke", time.Second, float64(flags))
		s.Flags = flags
		b.append(s)
		s = marked(Reading("store-smoke", 2*time.Second, 0), safety.Bad, safety.WireOpen)
		s.Flags = flags
		b.append(s)
	}
	b.check()
}

func reopen(b *bench) {
	for i := range 10 {
		b.append(
			Reading("store-heat", time.Duration(i)*time.Second, float64(i)),
			marked(Reading("store-rh", time.Duration(i)*time.Second, 1), safety.Uncertain, safety.Stuck))
		b.reopen()
		b.check()
	}
}

func bounds(b *bench) {
	for i := range 10 {
		b.append(Reading("store-heat", time.Duration(i)*time.Millisecond, float64(i)))
	}
	q := store.Query{Factory: "padma", Sensors: []string{"store-heat"}}
	for _, c := range []struct{ from, to, want int }{{0, 10, 10}, {3, 5, 2}, {5, 5, 0}, {5, 3, 0}, {9, 100, 1}} {
		q.From, q.To = start.Add(time.Duration(c.from)*time.Millisecond), start.Add(time.Duration(c.to)*time.Millisecond)
		got, err := Collect(b.t.Context(), b.Store, q)
		if err != nil || len(got) != c.want || c.want > 0 && got[0].Value != float64(c.from) {
			b.t.Errorf("[%d, %d) gave %v, %v; want %d samples", c.from, c.to, got, err, c.want)
		}
	}
}

func refused(b *bench) {
	good := Reading("store-heat", time.Second, 20)
	good2 := Reading("store-heat", 2*time.Second, 21)
	never := func(change func(*store.Sample)) store.Sample {
		s := Reading("store-heat", time.Minute, 20)
		change(&s)
		return s
	}
	batch := []store.Sample{
		good,
		never(func(s *store.Sample) { s.Value = math.NaN() }),
		never(func(s *store.Sample) { s.Value = math.Inf(1) }),
		never(func(s *store.Sample) { *s = marked(*s, safety.Uncertain, safety.Warming); s.Value = math.Inf(-1) }),
		never(func(s *store.Sample) { s.Quality = safety.Bad }),
		never(func(s *store.Sample) { s.Reason = safety.CRC }),
		never(func(s *store.Sample) { s.Quantity = "mood" }),
		never(func(s *store.Sample) { s.Sensor = "" }),
		never(func(s *store.Sample) { s.At = s.At.Add(time.Microsecond) }),
		never(func(s *store.Sample) { s.At = time.Time{} }),
		never(func(s *store.Sample) { s.Flags = 64 }),
		good2,
	}
	rejected, ok := errors.AsType[*store.RejectedError](b.Append(b.t.Context(), batch))
	if !ok || !errors.Is(rejected, safety.ErrInvalid) || len(rejected.Samples) != len(batch)-2 {
		b.t.Fatalf("Append answered %v", rejected)
	}
	for i, r := range rejected.Samples {
		if r.Index != i+1 || r.Reason != store.RejectInvalid {
			b.t.Errorf("refused %+v, want sample %d as invalid", r, i+1)
		}
	}
	b.want[identity(good)], b.want[identity(good2)] = good, good2
	b.check()
}

func conflict(b *bench) {
	for i, batch := range [][2]float64{{1, 2}, {3, 4}} {
		at := time.Duration(10-i) * time.Second
		for _, v := range batch {
			err := b.Append(b.t.Context(), []store.Sample{Reading("store-heat", at, v)})
			if _, rejected := errors.AsType[*store.RejectedError](err); err != nil && !rejected {
				b.t.Fatal(err)
			}
		}
		got, err := Collect(b.t.Context(), b.Store, store.Query{
			Factory: "padma", From: start.Add(at), To: start.Add(at + time.Millisecond),
		})
		if err != nil || len(got) != 1 || got[0].Value != batch[0] && got[0].Value != batch[1] {
			b.t.Fatalf("two values at one instant gave %v, %v", got, err)
		}
	}
}

func cancelled(b *bench) {
	ctx, cancel := context.WithCancel(b.t.Context())
	cancel()
	s := Reading("store-heat", 0, 20)
	if err := b.Append(ctx, []store.Sample{s}); !errors.Is(err, context.Canceled) {
		b.t.Fatalf("Append with a cancelled context: %v", err)
	}
	b.append(s)
	b.check()
	err := b.Query(ctx, store.Query{Factory: "padma", From: start, To: start.Add(time.Hour)}, func(store.Sample) error { return nil })
	if !errors.Is(err, context.Canceled) {
		b.t.Fatalf("Query with a cancelled context: %v", err)
	}
}

func yieldError(b *bench) {
	b.append(Reading("store-heat", 0, 1), Reading("store-heat", time.Second, 2))
	stop, calls := errors.New("enough"), 0
	err := b.Query(b.t.Context(), store.Query{Factory: "padma", From: start, To: start.Add(time.Hour)},
		func(store.Sample) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		b.t.Fatalf("Query returned %v after %d calls", err, calls)
	}
}
