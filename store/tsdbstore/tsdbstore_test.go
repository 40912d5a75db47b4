package tsdbstore

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"nirapod/safety"
	"nirapod/store"
	"nirapod/store/storetest"
)

var discard = slog.New(slog.DiscardHandler)

func openIn(t *testing.T, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o, discard)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.Store { return openIn(t, dir, Options{}) })
}

func TestContractWithTinySegments(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.Store {
		return openIn(t, dir, Options{segmentSize: 32 << 10})
	})
}

func all(t *testing.T, s *Store) []store.Sample {
	t.Helper()
	got, err := storetest.Collect(t.Context(), s, store.Query{
		Factory: "padma", From: time.Unix(0, 0), To: time.Now().Add(365 * 24 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Samples of every kind, in order and late, through head compaction, compaction
// of the late samples, block compaction and reopening.
func TestExactAfterCompaction(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{segmentSize: 32 << 10})
	want := map[int64]store.Sample{}
	for i := range 3000 {
		// 10 s apart over 8 h; every third sample comes two hours late.
		at := time.Duration(i) * 10 * time.Second
		if i%3 == 0 {
			at += -2*time.Hour + time.Millisecond
		}
		sample := storetest.Reading("store-heat", at, float64(i)*0.1)
		switch i % 7 {
		case 1:
			sample.Quality, sample.Reason, sample.Value = safety.Bad, safety.NACK, 0
		case 2:
			sample.Quality, sample.Reason = safety.Uncertain, safety.Warming
		}
		if err := s.Append(t.Context(), []store.Sample{sample}); err != nil {
			t.Fatal(err)
		}
		want[sample.At.UnixMilli()] = sample
	}
	check := func(stage string) {
		got := all(t, s)
		if len(got) != len(want) {
			t.Fatalf("%s: %d samples came back, want %d", stage, len(got), len(want))
		}
		for _, g := range got {
			if g != want[g.At.UnixMilli()] {
				t.Fatalf("%s: got %+v, want %+v", stage, g, want[g.At.UnixMilli()])
			}
		}
	}
	check("before compaction")
	if err := s.db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.db.Blocks()) < 3 {
		t.Fatalf("compaction wrote %d blocks: nothing was tested", len(s.db.Blocks()))
	}
	check("after compaction")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir, Options{segmentSize: 32 << 10})
	defer s.Close()
	check("after reopening")
	for _, again := range want {
		if err := s.Append(t.Context(), []store.Sample{again}); err != nil {
			t.Fatalf("a repeat after compaction: %v", err)
		}
	}
	check("after repeats")
	if err := s.db.CompactOOOHead(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("after repeats and compaction")
}

func TestTooOldIsNamed(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{Late: time.Hour})
	defer s.Close()
	newest := storetest.Reading("store-heat", 10*time.Hour, 1)
	if err := s.Append(t.Context(), []store.Sample{newest}); err != nil {
		t.Fatal(err)
	}
	young := storetest.Reading("store-heat", 9*time.Hour, 2)
	old := storetest.Reading("store-heat", 0, 3)
	rejected, ok := errors.AsType[*store.RejectedError](s.Append(t.Context(), []store.Sample{old, young}))
	if !ok || len(rejected.Samples) != 1 || rejected.Samples[0] != (store.Rejection{Index: 0, Reason: store.RejectTooOld}) {
		t.Fatalf("Append answered %v", rejected)
	}
	if got := all(t, s); len(got) != 2 {
		t.Fatalf("stored %v", got)
	}
}

func TestConflictIsNamed(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{})
	defer s.Close()
	first, second := storetest.Reading("store-heat", 0, 1), storetest.Reading("store-heat", 0, 2)
	for _, batch := range [][]store.Sample{{first, second}, {second}} {
		rejected, ok := errors.AsType[*store.RejectedError](s.Append(t.Context(), batch))
		if !ok || len(rejected.Samples) != 1 || rejected.Samples[0].Reason != store.RejectConflict {
			t.Fatalf("Append answered %v", rejected)
		}
	}
	if got := all(t, s); len(got) != 1 || got[0] != first {
		t.Fatalf("stored %v", got)
	}
}

func TestRetentionDropsOldBlocks(t *testing.T) {
	s := openIn(t, t.TempDir(), Options{Retention: 24 * time.Hour})
	defer s.Close()
	for h := range 72 {
		if err := s.Append(t.Context(), []store.Sample{storetest.Reading("store-heat", time.Duration(h)*time.Hour, 1)}); err != nil {
			t.Fatal(err)
		}
		if h%6 == 0 {
			if err := s.db.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := all(t, s)
	kept := got[len(got)-1].At.Sub(got[0].At)
	if kept < 23*time.Hour || kept > 36*time.Hour {
		t.Fatalf("kept %v, want about a day", kept)
	}
}

// A sync that fails must stop every promise until the store is opened anew, and
// then nothing that was promised before may be missing.
func TestFailedSyncBreaksTheStore(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{})
	kept := storetest.Reading("store-heat", 0, 1)
	if err := s.Append(t.Context(), []store.Sample{kept}); err != nil {
		t.Fatal(err)
	}
	works := s.logs[0].fdatasync
	s.logs[0].fdatasync = func(*os.File) error { return errors.New("input/output error") }
	next := storetest.Reading("store-heat", time.Second, 2)
	if err := s.Append(t.Context(), []store.Sample{next}); !errors.Is(err, store.ErrBroken) {
		t.Fatalf("Append with a failing disk: %v", err)
	}
	s.logs[0].fdatasync = works
	if err := s.Append(t.Context(), []store.Sample{next}); !errors.Is(err, store.ErrBroken) {
		t.Fatalf("Append after a failed sync: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, failedSync)); err != nil {
		t.Fatalf("no mark of the failed sync: %v", err)
	}

	before := inode(t, filepath.Join(dir, "wal", "00000000"))
	s = openIn(t, dir, Options{})
	defer s.Close()
	if inode(t, filepath.Join(dir, "wal", "00000000")) == before {
		t.Error("the log was not written anew")
	}
	if _, err := os.Stat(filepath.Join(dir, failedSync)); err == nil {
		t.Error("the mark is still there")
	}
	if err := s.Append(t.Context(), []store.Sample{next}); err != nil {
		t.Fatal(err)
	}
	if got := all(t, s); len(got) != 2 || got[0] != kept || got[1] != next {
		t.Fatalf("stored %v", got)
	}
}

func TestDamageIsRepairedAndTold(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{})
	for i := range 100 {
		if err := s.Append(t.Context(), []store.Sample{storetest.Reading("store-heat", time.Duration(i)*time.Second, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	segment := filepath.Join(dir, "wal", "00000000")
	data, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	data[1000] ^= 0xff
	if err := os.WriteFile(segment, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	registry := prometheus.NewRegistry()
	s, err = Open(dir, Options{Registerer: registry}, slog.New(slog.NewTextHandler(&text, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Repaired() || !strings.Contains(text.String(), "level=ERROR") {
		t.Errorf("repaired %v, log %q", s.Repaired(), text.String())
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := false
	for _, f := range families {
		counted = counted || f.GetName() == "nirapod_store_repairs_total" && f.GetMetric()[0].GetCounter().GetValue() == 1
	}
	if !counted {
		t.Error("the repair was not counted")
	}
	if got := all(t, s); len(got) == 0 || len(got) >= 100 {
		t.Errorf("%d samples survived damage in the middle", len(got))
	}
}

func TestCodesAreForever(t *testing.T) {
	want := []safety.Reason{"warming", "stale", "out_of_range", "stuck", "crc", "nack", "timeout", "wire_open", "wire_short", "inhibit", "implausible"}
	for i, reason := range want {
		if code := codeOf(safety.Reading{Quality: safety.Bad, Reason: reason}); code != float64(i+1) {
			t.Errorf("%s is stored as %v, want %d", reason, code, i+1)
		}
		if q, r := decode(float64(i + 1 + 64)); q != safety.Uncertain || r != reason {
			t.Errorf("%d reads as %v %s", i+1+64, q, r)
		}
	}
	for _, code := range []float64{0, -1, 12, 64, 76, 1e9} {
		if q, _ := decode(code); q != safety.Bad {
			t.Errorf("code %v, which nobody wrote, reads as %v", code, q)
		}
	}
}
