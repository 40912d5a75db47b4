package tsdbstore

import (
	"os"
	"path/filepath"
	"testing"
)

// A rebuild of the log of late samples may be cut off anywhere; the next one
// must end with all of it.
func TestRebuildMayBeCutOff(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave func(t *testing.T, dir string)
	}{
		{"not at all", func(*testing.T, string) {}},
		{"while copying", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "wbl-without-markers", "00000000"), "half a record")
		}},
		{"between the renames", func(t *testing.T, dir string) {
			if _, err := replaceByCopy(filepath.Join(dir, "wbl"), filepath.Join(dir, "wbl-without-markers"),
				filepath.Join(dir, "wbl-with-markers"), 0); err != nil {
				t.Fatal(err)
			}
		}},
		{"before the old log was removed", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "wbl-with-markers", "00000003"), "old")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := openIn(t, dir, Options{segmentSize: 32 << 10})
			s.db.DisableCompactions()
			n := 0
			for n < 2000 {
				if err := s.Append(t.Context(), crashBatch(n)); err != nil {
					t.Fatal(err)
				}
				n = batchEnd(n)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			c.leave(t, dir)
			s = openIn(t, dir, Options{segmentSize: 32 << 10})
			defer s.Close()
			checkAcked(t, s, n)
			for _, left := range []string{"wbl-without-markers", "wbl-with-markers"} {
				if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
					t.Errorf("%s is still there", left)
				}
			}
		})
	}
}

func TestDamagedLateLogKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, Options{segmentSize: 32 << 10})
	s.db.DisableCompactions()
	n := 0
	for n < 40_000 {
		if err := s.Append(t.Context(), crashBatch(n)); err != nil {
			t.Fatal(err)
		}
		n = batchEnd(n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "wbl", "0*"))
	if err != nil || len(segments) < 3 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	data, err := os.ReadFile(segments[1])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 0xff
	write(t, segments[1], string(data))
	s = openIn(t, dir, Options{segmentSize: 32 << 10})
	defer s.Close()
	if !s.Repaired() {
		t.Error("damage was not noticed")
	}
	last := 0
	for _, g := range all(t, s) {
		if g.At.Nanosecond() != 0 {
			last = max(last, int(g.Value*4))
		}
	}
	if last < n-crashSensors*20 {
		t.Errorf("the newest late sample kept is %d of %d", last, n)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
