package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"nirapod/gateway-agent/annunciate"
)

func TestLinesAreWrittenSounderFirstAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wrote []string
		begun := time.Now()
		repaired := func() bool { return time.Since(begun) > 250*time.Millisecond }
		bank := fakePins(func(pin string, level bool) error {
			if !repaired() && pin == "E" {
				return errors.New("gone")
			}
			if level && repaired() {
				wrote = append(wrote, pin)
			}
			return nil
		})
		drives := inOrder([]drive{
			{Output{ID: "buzzer", Kind: OutputStaff, Pin: "S"}, bank},
			{Output{ID: "lamp", Kind: OutputBeacon, Pin: "B", ActiveLow: true}, bank},
			{Output{ID: "sounder", Kind: OutputEvacuate, Pin: "E"}, bank},
		})
		var told, others []bool
		o := newOutputs(drives, func(b bool) { told = append(told, b) }, func(b bool) { others = append(others, b) }, quiet)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		o.set(annunciate.Outputs{Staff: true, Evacuate: true})
		if err := o.run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if len(wrote) != 6 || wrote[0] != "E" || wrote[1] != "S" || wrote[2] != "B" {
			t.Errorf("wrote %v, want sounder, buzzer and the inverted lamp, twice", wrote)
		}
		if len(told) != 2 || !told[0] || told[1] {
			t.Errorf("told %v, want broken, then sound", told)
		}
		if len(others) != 1 || others[0] {
			t.Errorf("told %v of buzzer and lamp, want once that they are sound", others)
		}
	})
}

type fakePins func(pin string, level bool) error

func (f fakePins) Read(string) (bool, error)          { return false, nil }
func (f fakePins) Write(pin string, level bool) error { return f(pin, level) }
func (f fakePins) Close() error                       { return nil }

func TestTimeOfTheRulesNeverJumps(t *testing.T) {
	begin := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	first := newEpoch(5000, begin, time.Time{})
	if got := first.at(5000); !got.Equal(begin) || first.mono(got) != 5000 {
		t.Errorf("begins at %v", got)
	}
	newest := first.at(65_000)
	rebooted := newEpoch(3000, time.Unix(0, 0), newest)
	if got := rebooted.at(3000).Sub(newest); got != pause {
		t.Errorf("%v between the runs, whatever the wall clock says; want %v", got, pause)
	}
}

func TestAttended(t *testing.T) {
	at := func(clock string) time.Time { // Dhaka
		c, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-22 "+clock, dhaka)
		if err != nil {
			t.Fatal(err)
		}
		return c.UTC()
	}
	day, night := []Hours{{"08:00", "20:00"}}, []Hours{{"22:00", "06:00"}}
	for _, c := range []struct {
		hours []Hours
		clock string
		want  bool
	}{
		{day, "08:00", true}, {day, "07:59", false}, {day, "19:59", true}, {day, "20:00", false},
		{night, "23:00", true}, {night, "05:59", true}, {night, "06:00", false},
		{[]Hours{{"00:00", "24:00"}}, "23:59", true}, {nil, "12:00", false},
	} {
		if got := attended(c.hours, at(c.clock)); got != c.want {
			t.Errorf("%v at %s: %v", c.hours, c.clock, got)
		}
	}
	if attended([]Hours{{"00:00", "24:00"}}, time.Time{}) {
		t.Error("somebody is there although nobody knows the time")
	}
}

func TestKeptFiles(t *testing.T) {
	dir := t.TempDir()
	k := newKeeper(dir, func(bool) {}, quiet)
	k.keep("a", []byte(`{"x":1}`), false)
	k.keep("a", []byte(`{"x":2}`), true)
	if err := k.flush(); err != nil {
		t.Fatal(err)
	}
	var v struct{ X int }
	if found, err := recall(dir, "a", &v); !found || err != nil || v.X != 2 {
		t.Errorf("found %v, %v, %+v", found, err, v)
	}
	if found, err := recall(dir, "b", &v); found || err != nil {
		t.Errorf("a file that was never kept: found %v, %v", found, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "torn"), []byte(`{"x":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := recall(dir, "torn", &v); found || err == nil {
		t.Errorf("a torn file: found %v, %v", found, err)
	}
	if found, err := recall(dir, "torn", &v); found || err != nil {
		t.Errorf("the torn file the second time: found %v, %v; want it set aside", found, err)
	}
}
