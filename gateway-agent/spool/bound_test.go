package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"nirapod/safety"
	"nirapod/wire"
)

// small is a spool whose bound is quickly reached.
func small(run int) Config {
	return Config{Run: runID(run), segment: 8 << 10, MaxBytes: 128 << 10}
}

func TestTelemetryIsThinnedBeforeItIsDroppedAndAlarmsNever(t *testing.T) {
	s := open(t, t.TempDir(), small(1))
	defer closeSpool(t, s)
	const seconds = 25_000
	alarms, thinned, dropped := 0, 0, 0
	for n := 1; n <= seconds; n++ {
		r := reading("store-heat", n, 20+float64(n%7)/10)
		if n%1000 == 0 {
			r = bad(r, safety.NACK)
		}
		door := reading("main-door", n, float64(n/400%2))
		appendAll(t, s, wire.Readings, r, door)
		if n%500 == 0 {
			appendAll(t, s, wire.Alarms, transition(n))
			alarms++
		}
		if n%997 == 0 {
			if got := s.Bytes(); got > s.cfg.MaxBytes {
				t.Fatalf("after %d s the spool takes %d bytes, its bound is %d", n, got, s.cfg.MaxBytes)
			}
		}
	}
	recs, gone := held(t, s, runID(1), wire.Readings)
	for i, g := range gone {
		n := int(g.Span.To - g.Span.From + 1)
		switch {
		case g.Reason == wire.GoneThinned:
			thinned += n
		case g.Reason == wire.GoneFull && i == 0:
			dropped += n
		default:
			t.Fatalf("gone %v: only the oldest may be dropped, the rest thinned", g)
		}
	}
	if thinned == 0 || dropped == 0 {
		t.Fatalf("%d thinned and %d dropped: the test did not reach the bound", thinned, dropped)
	}
	if total := len(recs) + thinned + dropped; total != 2*seconds {
		t.Errorf("%d held + %d thinned + %d dropped, want %d together", len(recs), thinned, dropped, 2*seconds)
	}
	checkThinned(t, recs, uint64(dropped), 2*seconds)
	if recs, gone := held(t, s, runID(1), wire.Alarms); len(recs) != alarms || len(gone) > 0 {
		t.Errorf("%d alarms are held and %v gone, want all %d", len(recs), gone, alarms)
	}
}

// checkThinned fails unless behind what was dropped each sensor has a reading
// in every minute, and every change of quality and of the door is there.
func checkThinned(t *testing.T, recs map[uint64]Record, dropped, last uint64) {
	t.Helper()
	have := map[string]bool{}
	for _, r := range recs {
		have[fmt.Sprint(r.Reading.Sensor, r.Mono/thinTo)] = true
	}
	for n := dropped + 241; n <= last; n += 2 {
		second := int64(n+1) / 2
		for _, sensor := range []string{"store-heat", "main-door"} {
			if !have[fmt.Sprint(sensor, second*1000/thinTo)] {
				t.Fatalf("%s has no reading in the minute of second %d", sensor, second)
			}
		}
		if _, ok := recs[n]; second%1000 <= 1 && !ok {
			t.Errorf("the change of quality in second %d is gone", second)
		}
		if _, ok := recs[n+1]; second%400 == 0 && !ok {
			t.Errorf("the change of the door in second %d is gone", second)
		}
	}
}

func TestTheBoundHoldsAcrossRuns(t *testing.T) {
	dir := t.TempDir()
	want := map[string]uint64{}
	cfg := func(run int) Config { return Config{Run: runID(run), segment: 8 << 10, MaxBytes: 1 << 20} }
	for run := 1; run <= 40; run++ {
		s := open(t, dir, cfg(run))
		for n := 1; n <= 400; n++ {
			appendAll(t, s, wire.Readings, reading("a", n, 0.5), reading("b", n, 0.5))
		}
		want[runID(run)] = 800
		if got := s.Bytes(); got > s.cfg.MaxBytes {
			t.Fatalf("run %d: %d bytes", run, got)
		}
		closeSpool(t, s)
	}
	s := open(t, dir, cfg(99))
	defer closeSpool(t, s)
	for run, last := range want {
		recs, gone := held(t, s, run, wire.Readings)
		n := uint64(len(recs))
		for _, g := range gone {
			n += g.Span.To - g.Span.From + 1
		}
		if n != last {
			t.Errorf("run %s: %d numbers held or gone, want %d", run, n, last)
		}
	}
}

func TestOldDeclarationsAreForgottenAtLast(t *testing.T) {
	dir := t.TempDir()
	cfg := small(0)
	cfg.MaxBytes = 2 << 20
	most := int(cfg.MaxBytes / stubShare / diskBlock)
	for run := 1; run <= most+20; run++ {
		cfg.Run = runID(run)
		s := open(t, dir, cfg)
		appendAll(t, s, wire.Readings, reading("a", 1, 0.5), reading("a", 2, 0.5))
		closeSpool(t, s)
	}
	cfg.Run = runID(5000)
	s := open(t, dir, cfg)
	defer closeSpool(t, s)
	s.makeRoom(0)
	if n := len(s.Extents(wire.Readings)); n > most+2 {
		t.Errorf("%d runs are held", n)
	}
}

// What is thinned and then killed before the old file went is read once.
func TestAnInterruptedThinningIsReadOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, small(1))
	for n := 1; n <= 2000; n++ {
		appendAll(t, s, wire.Readings, reading("a", n, 0.5))
	}
	closeSpool(t, s)
	before := segments(t, dir, wire.Readings)
	old := t.TempDir()
	copySpool(t, dir, old)

	s = open(t, dir, small(2))
	s.makeRoom(s.Bytes() - s.spareBytes() - 3*s.cfg.segment)
	closeSpool(t, s)
	copied := 0
	for _, name := range before[1:] {
		copied += putBack(t, name, old)
	}
	if copied == 0 {
		t.Fatal("thinning joined no segments")
	}
	s = open(t, dir, small(3))
	defer closeSpool(t, s)
	recs, gone := held(t, s, runID(1), wire.Readings)
	n := len(recs)
	for _, g := range gone {
		n += int(g.Span.To - g.Span.From + 1)
	}
	if n != 2000 {
		t.Errorf("%d numbers, want 2000", n)
	}
}

// putBack restores a file that is missing.
func putBack(t *testing.T, path, from string) int {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return 0
	}
	data, err := os.ReadFile(filepath.Join(from, filepath.Base(path)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return 1
}
