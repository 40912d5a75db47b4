package spool

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"nirapod/wire"
)

// segments returns the files of one stream, oldest first.
func segments(t testing.TB, dir string, stream wire.Stream) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*_"+string(stream)+"_*.seg"))
	if err != nil || len(names) == 0 {
		t.Fatalf("segments of %s: %v, %v", stream, names, err)
	}
	return names
}

func fillSpool(t testing.TB, dir string, n int) map[uint64]Record {
	t.Helper()
	s := open(t, dir, Config{Run: runID(1), segment: 4096})
	want := map[uint64]Record{}
	for i := 1; i <= n; i++ {
		rec := reading("store-heat", i, float64(i)/3)
		appendAll(t, s, wire.Readings, rec)
		want[uint64(i)] = rec
	}
	closeSpool(t, s)
	return want
}

func rewrite(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestATornTailIsCutOffAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	want := fillSpool(t, dir, 10)
	rewrite(t, segments(t, dir, wire.Readings)[0], func(b []byte) []byte { return append(b[:len(b)-5], 0, 0, 0, 0, 0, 0, 0) })
	s := open(t, dir, Config{Run: runID(2)})
	defer closeSpool(t, s)
	delete(want, 10)
	recs, gone := held(t, s, runID(1), wire.Readings)
	if !reflect.DeepEqual(recs, want) || len(gone) > 0 {
		t.Errorf("%d records, %v gone", len(recs), gone)
	}
}

func TestDamageInTheMiddleIsDeclaredGoneAndSetAside(t *testing.T) {
	dir := t.TempDir()
	want := fillSpool(t, dir, 300)
	rewrite(t, segments(t, dir, wire.Readings)[1], func(b []byte) []byte {
		clear(b[1000:1100])
		return b
	})
	for run := 2; run <= 3; run++ { // the second time it is mended
		s := open(t, dir, Config{Run: runID(run)})
		recs, gone := held(t, s, runID(1), wire.Readings)
		if len(gone) != 1 || gone[0].Reason != wire.GoneCorrupt || gone[0].Span.To-gone[0].Span.From > 4 {
			t.Fatalf("run %d: gone is %v, want one small span", run, gone)
		}
		for n := gone[0].Span.From; n <= gone[0].Span.To; n++ {
			delete(want, n)
		}
		if !reflect.DeepEqual(recs, want) {
			t.Errorf("run %d: %d records, want %d", run, len(recs), len(want))
		}
		closeSpool(t, s)
	}
	if aside, err := filepath.Glob(filepath.Join(dir, "*"+damagedSuffix)); len(aside) != 1 || err != nil {
		t.Errorf("set aside: %v, %v", aside, err)
	}
}

func TestDamageUnderTheOpenSegmentDoesNotStopAppend(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Config{Run: runID(1)})
	defer closeSpool(t, s)
	for n := 1; n <= 20; n++ {
		appendAll(t, s, wire.Alarms, transition(n))
	}
	f, err := os.OpenFile(segments(t, dir, wire.Alarms)[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("rust"), 1000); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	recs, gone := held(t, s, runID(1), wire.Alarms)
	if len(recs) != 19 || len(gone) != 1 {
		t.Fatalf("%d records, %v gone, want 19 and one", len(recs), gone)
	}
	appendAll(t, s, wire.Alarms, transition(21))
	recs, _ = held(t, s, runID(1), wire.Alarms)
	if _, ok := recs[21]; !ok || len(recs) != 20 {
		t.Errorf("after the damage %d records are held: %v", len(recs), slices.Sorted(maps.Keys(recs)))
	}
}

func TestALostFileIsDeclaredGone(t *testing.T) {
	dir := t.TempDir()
	want := fillSpool(t, dir, 300)
	if err := os.Remove(segments(t, dir, wire.Readings)[1]); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Config{Run: runID(2)})
	defer closeSpool(t, s)
	checkSubset(t, s, want, 300)
}

// checkSubset fails unless what is held is part of want, unchanged, and every
// number up to last is held or gone.
func checkSubset(t rapid.TB, s *Spool, want map[uint64]Record, last uint64) {
	t.Helper()
	pos := uint64(1)
	r := s.Reader(wire.Readings)
	for _, x := range s.Extents(wire.Readings) {
		if x.Run != runID(1) {
			continue
		}
		for pos = x.From; pos <= x.To; {
			b, err := r.Next(runID(1), pos, everything, 500)
			if err != nil {
				t.Fatal(err)
			}
			for i, rec := range b.Records {
				if w := want[b.First+uint64(i)]; !reflect.DeepEqual(rec, w) {
					t.Fatalf("record %d is %+v, was accepted as %+v", b.First+uint64(i), rec, w)
				}
			}
			pos = b.To + 1
		}
	}
	if pos != last+1 {
		t.Fatalf("numbers end at %d, want %d", pos-1, last)
	}
}

// Whatever happens to the bytes: no panic, nothing invented, nothing changed,
// and what is lost before the end is declared.
func TestAnyDamage(t *testing.T) {
	original := t.TempDir()
	want := fillSpool(t, original, 300)
	names := segments(t, original, wire.Readings)
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		copySpool(t, original, dir)
		for range rapid.IntRange(1, 4).Draw(rt, "hits") {
			hurt(rt, filepath.Join(dir, filepath.Base(rapid.SampledFrom(names).Draw(rt, "file"))))
		}
		s := open(t, dir, Config{Run: runID(2)})
		defer closeSpool(t, s)
		last := uint64(0)
		for _, x := range s.Extents(wire.Readings) {
			if x.Run == runID(1) {
				last = x.To
			}
		}
		checkSubset(rt, s, want, last)
		checkSubset(rt, s, want, last)
		if err := s.Append(wire.Readings, reading("a", 1, 1)); err != nil {
			rt.Fatal(err)
		}
	})
}

func hurt(rt *rapid.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		rt.Fatal(err)
	}
	if len(data) == 0 {
		return
	}
	at := rapid.IntRange(0, len(data)-1).Draw(rt, "at")
	switch rapid.SampledFrom([]string{"flip", "zero", "cut", "insert", "repeat"}).Draw(rt, "how") {
	case "flip":
		data[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
	case "zero":
		clear(data[at:min(len(data), at+rapid.IntRange(1, 5000).Draw(rt, "length"))])
	case "cut":
		data = data[:at]
	case "insert":
		data = slices.Insert(data, at, rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(rt, "bytes")...)
	case "repeat":
		data = append(data, data[at:]...)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		rt.Fatal(err)
	}
}

func copySpool(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// FuzzSegment holds salvage to its word on arbitrary bytes.
func FuzzSegment(f *testing.F) {
	dir := f.TempDir()
	fillSpool(f, dir, 20)
	sr := series{run: runID(1), stream: wire.Readings}
	for _, name := range segments(f, dir, wire.Readings) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		items, sound, behind := salvage(data, sr.seed())
		if sound > len(data) || behind > len(items) {
			t.Fatalf("sound %d of %d bytes, %d of %d items behind", sound, len(data), behind, len(items))
		}
		filled, _ := fill(items, 5, 15)
		pos := uint64(5)
		for _, it := range filled {
			if it.from != pos || it.to < it.from {
				t.Fatalf("item %d to %d where %d is next", it.from, it.to, pos)
			}
			pos = it.to + 1
		}
		if pos != 16 {
			t.Fatalf("filled up to %d", pos-1)
		}
	})
}

func TestAForeignFrameIsNoFrameHere(t *testing.T) {
	mine, other := series{run: runID(1), stream: wire.Readings}, series{run: runID(2), stream: wire.Readings}
	data, err := appendFrame([]byte(magic), other.seed(), item{from: 1, to: 1, record: reading("a", 1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if items, _, _ := salvage(data, mine.seed()); len(items) > 0 {
		t.Errorf("took %+v", items)
	}
	if items, _, _ := salvage(data, other.seed()); !slices.EqualFunc(items, []uint64{1}, func(it item, n uint64) bool { return it.from == n }) {
		t.Errorf("got %+v", items)
	}
}
