package ingest

import (
	"errors"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

func TestPlace(t *testing.T) {
	wall := time.Date(2026, 11, 1, 8, 0, 0, 123e6, time.UTC)
	anchor := state.Anchor{Factory: "padma", Gateway: "gw-1", Boot: "b1", Mono: 60_000, Wall: wall}
	unsynced := func(mono int64, offsets ...time.Duration) wire.Pack {
		p := wire.Pack{Factory: "padma", Gateway: "gw-1", Boot: "b1", Mono: mono, Clock: wire.Unsynced}
		for _, o := range offsets {
			p.Records = append(p.Records, wire.Record{Offset: o})
		}
		return p
	}
	synced := wire.Pack{
		Factory: "padma", Gateway: "gw-1", Boot: "other", Clock: wire.Synced, Sent: wall,
		Records: []wire.Record{{At: wall.Add(-time.Hour)}, {At: wall}},
	}
	for _, c := range []struct {
		name   string
		pack   wire.Pack
		anchor state.Anchor
		want   []time.Time
	}{
		{"a synced pack is believed", synced, state.Anchor{}, []time.Time{wall.Add(-time.Hour), wall}},
		{"sent at the anchor", unsynced(60_000, -time.Second, 0), anchor, []time.Time{wall.Add(-time.Second), wall}},
		{"sent after the anchor", unsynced(61_500, -time.Millisecond), anchor, []time.Time{wall.Add(1499 * time.Millisecond)}},
		{"sent before the anchor", unsynced(1_000, -time.Second), anchor, []time.Time{wall.Add(-60 * time.Second)}},
		{"far beyond what a Duration holds", unsynced(1<<53, 0), anchor, []time.Time{time.UnixMilli(wall.UnixMilli() + 1<<53 - 60_000).UTC()}},
		{"nothing to place", unsynced(1), anchor, []time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Place(c.pack, c.anchor)
			if err != nil || len(got) != len(c.want) {
				t.Fatalf("got %v, %v", got, err)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("record %d: got %v, want %v", i, got[i], c.want[i])
				}
			}
		})
	}
	for name, other := range map[string]state.Anchor{
		"none":             {},
		"of another boot":  {Factory: "padma", Gateway: "gw-1", Boot: "b2", Wall: wall},
		"of another house": {Factory: "meghna", Gateway: "gw-1", Boot: "b1", Wall: wall},
	} {
		if _, err := Place(unsynced(1, 0), other); !errors.Is(err, safety.ErrNoData) {
			t.Errorf("anchor %s: %v, want ErrNoData", name, err)
		}
	}
	// A provisional anchor places the sending at the arrival.
	p := unsynced(5_000, -2*time.Second)
	got, err := Place(p, provisional(p, wall.Add(400*time.Microsecond)))
	if err != nil || got[0] != wall.Add(-2*time.Second) {
		t.Errorf("provisional: %v, %v", got, err)
	}
}
