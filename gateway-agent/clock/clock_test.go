package clock

import (
	"log/slog"
	"testing"
	"time"

	"nirapod/wire"
)

// fake is a box whose clocks are set by hand.
type fake struct {
	mono   int64
	wall   time.Time
	synced bool
}

func (f *fake) clock() *Clock {
	return newClock("0123abcd-boot", source{
		mono:   func() int64 { return f.mono },
		wall:   func() time.Time { return f.wall },
		synced: func() (bool, int64) { return f.synced, 12 },
	}, slog.New(slog.DiscardHandler))
}

func (f *fake) pass(d time.Duration) {
	f.mono += d.Milliseconds()
	f.wall = f.wall.Add(d)
}

func TestAnchors(t *testing.T) {
	f := &fake{mono: 5000, wall: time.Date(1970, 1, 1, 0, 0, 5, 0, time.UTC)}
	c := f.clock()
	if wall, id := c.Wall(f.mono); !wall.IsZero() || id != "" || c.State() != wire.Unsynced {
		t.Fatalf("before synchronisation: wall %v, anchor %q, %s", wall, id, c.State())
	}
	truth := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	f.wall, f.synced = truth, true
	c.check()
	if wall, id := c.Wall(f.mono - 4000); !wall.Equal(truth.Add(-4*time.Second)) || id == "" {
		t.Fatalf("a moment before synchronisation is at %v by %q, want it placed", wall, id)
	}
	f.pass(time.Minute)
	f.wall = f.wall.Add(400 * time.Millisecond)
	c.check()
	if n := len(c.Anchors()); n != 1 {
		t.Fatalf("%d anchors after a drift below a step, want 1", n)
	}
	f.wall = f.wall.Add(2 * time.Second)
	c.check()
	if n := len(c.Anchors()); n != 2 {
		t.Fatalf("%d anchors after a step, want 2", n)
	}
	f.synced = false
	f.wall = truth.Add(-time.Hour)
	c.check()
	if wall, _ := c.Wall(f.mono); wall.Before(truth) || c.State() != wire.Synced {
		t.Fatalf("a clock set by hand moved the time to %v", wall)
	}
	f.wall, f.synced = truth.Add(time.Minute+2400*time.Millisecond), true
	for range 20 {
		f.pass(time.Hour)
		c.check()
	}
	as := c.Anchors()
	if len(as) != kept {
		t.Fatalf("%d anchors kept, want %d", len(as), kept)
	}
	for i, a := range as {
		if err := a.Validate(); err != nil {
			t.Error(err)
		}
		if i > 0 && a.ID == as[i-1].ID {
			t.Errorf("anchor id %s twice", a.ID)
		}
	}
}

func TestTheHostsOwnClocks(t *testing.T) {
	c, err := New(Trusted, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	before, wall := c.Mono(), time.Now()
	got, _ := c.Wall(before)
	if d := got.Sub(wall).Abs(); d > 100*time.Millisecond {
		t.Errorf("wall differs by %v", d)
	}
	if c.Boot() == "" || c.Mono() < before {
		t.Errorf("boot %q, monotonic clock from %d to %d", c.Boot(), before, c.Mono())
	}
}
