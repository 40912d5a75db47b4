package spool

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"nirapod/safety"
	"nirapod/wire"
)

// smallDisk mounts a file system of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a full disk needs the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// occupy fills what is left of the disk with a foreign file.
func occupy(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "foreign"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); errors.Is(err, unix.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnAFullDiskAlarmsGoOn(t *testing.T) {
	dir := smallDisk(t, "8m")
	s := open(t, dir, Config{Run: runID(1), segment: 128 << 10, MaxBytes: 4 << 20})
	defer closeSpool(t, s)
	n := 0
	telemetry := func() error { n++; return s.Append(wire.Readings, reading("a", n, 0.5)) }
	for range 1000 {
		if err := telemetry(); err != nil {
			t.Fatal(err)
		}
	}
	appendAll(t, s, wire.Alarms, transition(1))
	occupy(t, dir)
	accepted := 1000
	for range 200 {
		if err := telemetry(); err == nil {
			accepted++
		} else if !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
	}
	if s.Fault() == nil {
		t.Fatal("a full disk is no fault")
	}
	for i := 2; i <= 100; i++ {
		appendAll(t, s, wire.Alarms, transition(i))
	}
	if err := telemetry(); !errors.Is(err, ErrFull) {
		t.Errorf("telemetry takes the room of alarms: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "foreign")); err != nil {
		t.Fatal(err)
	}
	if !s.restoreSpare() {
		t.Fatal("there is room again, and no spare")
	}
	if err := telemetry(); err != nil || s.Fault() != nil {
		t.Errorf("after the disk was freed: %v, fault %v", err, s.Fault())
	}
	accepted++
	recs, gone := held(t, s, runID(1), wire.Readings)
	if len(recs) != accepted || len(gone) > 0 {
		t.Errorf("%d readings are held, %d were accepted, %v are gone", len(recs), accepted, gone)
	}
	if recs, gone := held(t, s, runID(1), wire.Alarms); len(recs) != 100 || len(gone) > 0 {
		t.Errorf("%d alarms are held, %v are gone, 100 were accepted", len(recs), gone)
	}
}

// With the reserve used up and the disk still full, old telemetry makes room.
func TestTelemetryGivesWayToAlarmsAtLast(t *testing.T) {
	dir := smallDisk(t, "4m")
	s := open(t, dir, Config{Run: runID(1), segment: 64 << 10, MaxBytes: 3 << 20})
	defer closeSpool(t, s)
	for n := 1; n <= 20_000; n++ {
		appendAll(t, s, wire.Readings, reading("a", n, 0.5))
	}
	occupy(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	deadline := time.Now().Add(60 * time.Second)
	for n := 1; n <= 1000; {
		err := s.Append(wire.Alarms, transition(n))
		switch {
		case err == nil:
			n++
		case !errors.Is(err, ErrFull) || time.Now().After(deadline):
			t.Fatalf("alarm %d: %v", n, err)
		default:
			<-time.After(10 * time.Millisecond)
		}
	}
	stop()
	wg.Wait()
	if recs, gone := held(t, s, runID(1), wire.Alarms); len(recs) != 1000 || len(gone) > 0 {
		t.Errorf("%d alarms are held, %v are gone", len(recs), gone)
	}
}

func TestTelemetryIsSyncedWithinTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Config{Run: runID(1)})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		dirty := func() bool {
			w := s.writers[wire.Readings]
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.dirty
		}
		for n := 1; n <= 30; n++ {
			appendAll(t, s, wire.Readings, reading("a", n, 1))
			if !dirty() {
				t.Fatal("telemetry is synced at once")
			}
			time.Sleep(10*time.Second + time.Millisecond)
			synctest.Wait()
			if dirty() {
				t.Fatal("telemetry is not synced after 10 s")
			}
			appendAll(t, s, wire.Alarms, transition(n))
			if s.writers[wire.Alarms].dirty {
				t.Fatal("an alarm is accepted and not synced")
			}
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		closeSpool(t, s)
	})
}

// All at once, for the race detector and for what it leaves.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{Run: runID(1), segment: 8 << 10, MaxBytes: 128 << 10})
	ctx, stop := context.WithCancel(t.Context())
	var wg, writers sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx) })
	for sensor := range 4 {
		writers.Go(func() {
			for n := 1; n <= 2000; n++ {
				appendAll(t, s, wire.Readings, reading(string(rune('a'+sensor)), n, 0.5))
				if n%100 == 0 {
					appendAll(t, s, wire.Alarms, transition(n))
				}
			}
		})
	}
	wg.Go(func() { readAndRelease(ctx, t, s) })
	writers.Wait()
	stop()
	wg.Wait()
	if x := s.Extents(wire.Readings)[0]; x.To != 8000 {
		t.Errorf("%+v, want 8000 numbers", x)
	}
	closeSpool(t, s)
	s = open(t, dir, Config{Run: runID(2)})
	defer closeSpool(t, s)
	if recs, gone := held(t, s, runID(1), wire.Alarms); len(recs) != 80 || len(gone) > 0 {
		t.Errorf("%d alarms, %v gone", len(recs), gone)
	}
	_, gone := held(t, s, runID(1), wire.Readings)
	for _, g := range gone {
		if g.Reason == wire.GoneCorrupt {
			t.Errorf("on the disk %v is lost", g)
		}
	}
}

// readAndRelease reads on and releases half of what it has read.
func readAndRelease(ctx context.Context, t *testing.T, s *Spool) {
	r := s.Reader(wire.Readings)
	for next := uint64(1); ctx.Err() == nil; {
		b, err := r.Next(runID(1), next, everything, 50)
		if errors.Is(err, safety.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Error(err)
			return
		}
		checkBatch(t, b, next)
		next = b.To + 1
		if next%2 == 0 {
			if err := s.Release(runID(1), wire.Readings, []safety.Span{{From: 1, To: next / 2}}); err != nil {
				t.Error(err)
			}
		}
	}
}
