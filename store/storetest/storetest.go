// Package storetest is the contract of store.Store as tests. Every
// implementation runs it.
package storetest

import (
	"context"
	"fmt"
	"math"
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
