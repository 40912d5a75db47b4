package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

const (
	boot       = "8071aab6-5a8b-445b-865e-7a2c9134fe05"
	everything = math.MaxUint64 // as a bound for Next
)

var (
	quiet = slog.New(slog.DiscardHandler)
	epoch = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
)

func runID(n int) string { return fmt.Sprintf("%016x", n) }

func open(t testing.TB, dir string, cfg Config) *Spool {
	t.Helper()
	if cfg.Boot == "" {
		cfg.Boot = boot
	}
	s, err := Open(dir, cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeSpool(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func appendAll(t testing.TB, s *Spool, stream wire.Stream, recs ...Record) {
	t.Helper()
	if err := s.Append(stream, recs...); err != nil {
		t.Fatal(err)
	}
}

// reading is the n-th second of a sensor with a synced clock.
func reading(sensor string, n int, value float64) Record {
	at := time.Duration(n) * time.Second
	return Record{Stamp: Stamp{Mono: at.Milliseconds(), Wall: epoch.Add(at)},
		Reading: safety.Reading{Sensor: sensor, Value: value, Quality: safety.Good}}
}

func bad(r Record, reason safety.Reason) Record {
	r.Reading.Value, r.Reading.Quality, r.Reading.Reason = 0, safety.Bad, reason
	return r
}

func transition(n int) Record {
	at := time.Duration(n) * time.Second
	return Record{Stamp: Stamp{Mono: at.Milliseconds(), Wall: epoch.Add(at)},
		Transition: &safety.Transition{Point: "00112233aabbccdd", Rule: "store-smoke", Severity: safety.Alarm,
			From: safety.Inactive, To: safety.Firing, Values: map[string]float64{"smoke": float64(n)}}}
}

// held reads everything of one stream of one run.
func held(t testing.TB, s *Spool, run string, stream wire.Stream) (recs map[uint64]Record, gone []Gone) {
	t.Helper()
	recs = map[uint64]Record{}
	for _, x := range s.Extents(stream) {
		if x.Run != run {
			continue
		}
		r := s.Reader(stream)
		for from := x.From; from <= x.To; {
			b, err := r.Next(run, from, everything, 500)
			if err != nil {
				t.Fatal(err)
			}
			checkBatch(t, b, from)
			for i, rec := range b.Records {
				recs[b.First+uint64(i)] = rec
			}
			gone = append(gone, b.Gone...)
			from = b.To + 1
		}
	}
	return recs, gone
}

// checkBatch fails unless each number of b is a record or gone, once.
func checkBatch(t testing.TB, b Batch, from uint64) {
	t.Helper()
	if b.From != from || b.To < b.From {
		t.Fatalf("asked from %d, got %d to %d", from, b.From, b.To)
	}
	spans := make([]safety.Span, 0, len(b.Gone)+1)
	for _, g := range b.Gone {
		spans = append(spans, g.Span)
	}
	if len(b.Records) > 0 {
		spans = append(spans, safety.Span{From: b.First, To: b.First + uint64(len(b.Records)) - 1})
	}
	slices.SortFunc(spans, func(x, y safety.Span) int { return int(x.From) - int(y.From) })
	pos := b.From
	for _, sp := range spans {
		if sp.From != pos {
			t.Fatalf("batch %d to %d: expected %d next, got %v (gone %v)", b.From, b.To, pos, sp, b.Gone)
		}
		pos = sp.To + 1
	}
	if pos != b.To+1 {
		t.Fatalf("batch ends at %d, not at %d", pos-1, b.To)
	}
}

func TestWhatIsAcceptedIsReadBackAsItWas(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{Run: runID(1)})
	uncertain := reading("store-heat", 2, math.Nextafter(21.5, 22))
	uncertain.Reading.Quality, uncertain.Reading.Reason, uncertain.Reading.Flags = safety.Uncertain, safety.Warming, safety.Simulated|safety.Drill
	unsynced := reading("store-rh", 1, math.Copysign(0, -1))
	unsynced.Wall = time.Time{}
	want := []Record{reading("store-heat", 1, 0.1+0.2), unsynced, uncertain, bad(reading("store-heat", 3, 0), safety.NACK)}
	appendAll(t, s, wire.Readings, want...)
	appendAll(t, s, wire.Alarms, transition(7))

	check := func(s *Spool) {
		t.Helper()
		recs, gone := held(t, s, runID(1), wire.Readings)
		if len(recs) != len(want) || len(gone) > 0 {
			t.Fatalf("got %d records and %v gone, want %d and none", len(recs), gone, len(want))
		}
		for i, w := range want {
			if got := recs[uint64(i+1)]; !reflect.DeepEqual(got, w) {
				t.Errorf("record %d is %+v, want %+v", i+1, got, w)
			}
		}
		recs, _ = held(t, s, runID(1), wire.Alarms)
		if got := recs[1]; !reflect.DeepEqual(got, transition(7)) {
			t.Errorf("alarm is %+v", got.Transition)
		}
	}
	check(s)
	closeSpool(t, s)
	s = open(t, dir, Config{Run: runID(2)})
	check(s)
	x := s.Extents(wire.Readings)
	if len(x) != 2 || x[0] != (Extent{Run: runID(1), Boot: boot, From: 1, To: 4, Mono: 7000}) ||
		x[1] != (Extent{Run: runID(2), Boot: boot, From: 1, To: 0, Mono: 7000, Current: true}) {
		t.Errorf("extents are %+v", x)
	}
	closeSpool(t, s)
}

func TestABatchHoldsOneClockStateAndAtMostTheLimit(t *testing.T) {
	s := open(t, t.TempDir(), Config{Run: runID(1)})
	defer closeSpool(t, s)
	for n := 1; n <= 10; n++ {
		r := reading("a", n, 1)
		if n > 6 {
			r.Wall = time.Time{}
		}
		appendAll(t, s, wire.Readings, r)
	}
	var got []string
	r := s.Reader(wire.Readings)
	for from := uint64(1); from <= 10; {
		b, err := r.Next(runID(1), from, everything, 4)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(b.From, "-", b.To))
		from = b.To + 1
	}
	if want := []string{"1-4", "5-6", "7-10"}; !slices.Equal(got, want) {
		t.Errorf("batches are %v, want %v", got, want)
	}
	if b, err := r.Next(runID(1), 3, 5, 500); err != nil || b.From != 3 || b.To != 5 {
		t.Errorf("3 to 5 again gives %d to %d, %v", b.From, b.To, err)
	}
	if _, err := r.Next(runID(1), 11, everything, 1); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestAppendRefusesWhatCanNeverBeSent(t *testing.T) {
	s := open(t, t.TempDir(), Config{Run: runID(1)})
	defer closeSpool(t, s)
	appendAll(t, s, wire.Readings, reading("a", 5, 1))
	late := reading("a", 6, 1)
	late.Mono = 5000
	nan := reading("b", 1, math.NaN())
	reasonless := reading("b", 1, 0)
	reasonless.Reading.Quality = safety.Bad
	for name, rec := range map[string]Record{
		"same millisecond again": late, "not a number": nan, "no sensor": reading("", 1, 1),
		"bad without reason": reasonless, "transition in r": transition(1), "before boot": {Stamp: Stamp{Mono: -1}},
	} {
		if err := s.Append(wire.Readings, reading("other", 1, 1), rec); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Append(wire.Alarms, reading("a", 9, 1)); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("reading in a: %v", err)
	}
	if recs, _ := held(t, s, runID(1), wire.Readings); len(recs) != 1 || s.Fault() != nil {
		t.Errorf("%d records, fault %v: a refused call left something", len(recs), s.Fault())
	}
}

func TestAWallClockSetBackMakesReadingsUnsynced(t *testing.T) {
	s := open(t, t.TempDir(), Config{Run: runID(1)})
	defer closeSpool(t, s)
	back := reading("a", 11, 1)
	back.Wall = epoch.Add(9 * time.Second)
	appendAll(t, s, wire.Readings, reading("a", 10, 1), back, reading("b", 3, 1), reading("a", 12, 1))
	recs, _ := held(t, s, runID(1), wire.Readings)
	var walls []time.Time
	for n := uint64(1); n <= 4; n++ {
		walls = append(walls, recs[n].Wall)
	}
	want := []time.Time{epoch.Add(10 * time.Second), {}, epoch.Add(3 * time.Second), epoch.Add(12 * time.Second)}
	if !slices.Equal(walls, want) {
		t.Errorf("wall times are %v, want %v", walls, want)
	}
}

func TestReleaseDeletesWholeSegmentsOldestFirst(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{Run: runID(1), segment: 4096, MaxBytes: 1 << 20})
	for n := 1; n <= 1000; n++ {
		appendAll(t, s, wire.Readings, reading("a", n, float64(n)))
	}
	extent := func() Extent { return s.Extents(wire.Readings)[0] }
	release := func(spans ...safety.Span) {
		t.Helper()
		if err := s.Release(runID(1), wire.Readings, spans); err != nil {
			t.Fatal(err)
		}
	}
	release(safety.Span{From: 500, To: 1000})
	if x := extent(); x.From != 1 || x.To != 1000 {
		t.Fatalf("a range in the middle left %+v", x)
	}
	release(safety.Span{From: 1, To: 250})
	x := extent()
	if x.From <= 1 || x.From > 251 {
		t.Fatalf("upto 250 left %+v", x)
	}
	recs, gone := held(t, s, runID(1), wire.Readings)
	if uint64(len(recs)) != 1000-x.From+1 || len(gone) > 0 {
		t.Fatalf("%d records and %v gone are left from %d", len(recs), gone, x.From)
	}
	closeSpool(t, s)
	s = open(t, dir, Config{Run: runID(2)})
	defer closeSpool(t, s)
	release(safety.Span{From: 1, To: 1000})
	if x := s.Extents(wire.Readings); len(x) != 1 || x[0].Run != runID(2) {
		t.Errorf("all committed, still held: %+v", x)
	}
	if err := s.Release("ffffffffffffffff", wire.Readings, []safety.Span{{From: 1, To: 9}}); err != nil {
		t.Errorf("unknown run: %v", err)
	}
}

func TestOnlyOneProcessHasTheSpool(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{Run: runID(1)})
	if _, err := Open(dir, Config{Run: runID(2), Boot: boot}, quiet); err == nil {
		t.Fatal("opened twice")
	}
	appendAll(t, s, wire.Alarms, transition(1))
	closeSpool(t, s)
	if err := s.Append(wire.Alarms, transition(2)); !errors.Is(err, ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	if _, err := Open(dir, Config{Run: runID(1), Boot: boot}, quiet); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("a run that is already there: %v", err)
	}
	if _, err := Open(dir, Config{Run: "x", Boot: "a/b", MaxBytes: 5}, quiet); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("wrong config: %v", err)
	}
}
