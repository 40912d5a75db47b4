package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"nirapod/safety"
	"nirapod/store"
)

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
