package agent

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"nirapod/safety"
)

func recentReading(second int) safety.Reading {
	r := safety.Reading{Sensor: "t-1", Value: float64(second) / 8, Quality: safety.Good, At: time.Unix(int64(1_790_000_000+second), 0).UTC()}
	if second%7 == 0 {
		r = safety.Reading{Sensor: "t-1", Reason: safety.NACK, Flags: safety.Drill, At: r.At}
	}
	return r
}

func TestRecentHoldsAWindowAndNotMuchMore(t *testing.T) {
	dir := t.TempDir()
	r := newRecent(dir, time.Minute)
	var all []safety.Reading
	for i := range 1000 {
		all = append(all, recentReading(i))
		if err := r.add(all[i:]); err != nil {
			t.Fatal(err)
		}
		if i%300 == 299 || i%50 < 7 { // a process that ends and one that begins
			if err := r.close(); err != nil {
				t.Fatal(err)
			}
			r = newRecent(dir, time.Minute)
		}
		got, err := newRecent(dir, time.Minute).load()
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < min(i+1, 60) || !reflect.DeepEqual(got, all[len(all)-len(got):]) {
			t.Fatalf("after %d readings %d are held", i+1, len(got))
		}
		if len(got) > 6*16 {
			t.Fatalf("%d readings are held for a minute of one a second", len(got))
		}
	}
}

func TestRecentBelievesNothingThatIsTorn(t *testing.T) {
	dir := t.TempDir()
	r := newRecent(dir, time.Hour)
	for i := range 3 {
		if err := r.add([]safety.Reading{recentReading(2 * i), recentReading(2*i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	names, err := r.names()
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	path := filepath.Join(dir, names[0])
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := range whole {
		for _, damaged := range [][]byte{whole[:size], append(append([]byte{}, whole[:size]...), append([]byte{whole[size] ^ 0x20}, whole[size+1:]...)...)} {
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := newRecent(dir, time.Hour).load()
			if err != nil {
				t.Fatal(err)
			}
			if len(got)%2 != 0 || len(got) > 4 {
				t.Fatalf("%d readings of a file damaged at byte %d", len(got), size)
			}
			for i, x := range got {
				if !reflect.DeepEqual(x, recentReading(i)) {
					t.Fatalf("reading %d of a file damaged at byte %d is %+v", i, size, x)
				}
			}
		}
	}
}
