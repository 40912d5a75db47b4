package forward

import (
	"testing"
	"time"

	"nirapod/gateway-agent/spool"
	"nirapod/safety"
	"nirapod/wire"
)

func TestThePackSaysWhenItsRecordsWereWhateverTheClocksDo(t *testing.T) {
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	ms := time.Millisecond
	heat := safety.Reading{Sensor: "store-heat", Value: 21.5, Quality: safety.Good}
	synced := spool.Batch{From: 5, To: 6, First: 5, Records: []spool.Record{
		{Stamp: spool.Stamp{Mono: 1000, Wall: at}, Reading: heat},
		{Stamp: spool.Stamp{Mono: 2500, Wall: at.Add(1500 * ms)}, Reading: heat}}}
	unsynced := spool.Batch{From: 5, To: 6, First: 5, Records: []spool.Record{
		{Stamp: spool.Stamp{Mono: 1000}, Reading: heat}, {Stamp: spool.Stamp{Mono: 2500}, Reading: heat}}}
	gone := spool.Batch{From: 5, To: 6, First: 7, Gone: []spool.Gone{{Span: safety.Span{From: 5, To: 6}, Reason: wire.GoneFull}}}

	now := spool.Extent{Run: runName(1), Boot: testBoot, Current: true}
	before := spool.Extent{Run: runName(2), Boot: testBoot, Mono: 2500}
	old := spool.Extent{Run: runName(3), Boot: oldBoot, Mono: 9000}

	for _, c := range []struct {
		name   string
		extent spool.Extent
		batch  spool.Batch
		set    bool // the clock is set now
		clock  wire.ClockState
		mono   int64
		sent   time.Time
		anchor string
	}{
		{"synced, now", now, synced, true, wire.Synced, 60_000, at.Add(59 * time.Second), "a1"},
		{"synced, an earlier process of this boot", before, synced, true, wire.Synced, 60_000, at.Add(59 * time.Second), ""},
		{"synced then, not now: the newest record is the moment", before, synced, false, wire.Synced, 2500, at.Add(1500 * ms), ""},
		{"synced, earlier boot: the newest record is the moment", old, synced, true, wire.Synced, 2500, at.Add(1500 * ms), ""},
		{"unsynced, now", now, unsynced, false, wire.Unsynced, 60_000, time.Time{}, ""},
		{"unsynced then, set now: the anchor is told", now, unsynced, true, wire.Unsynced, 60_000, time.Time{}, "a1"},
		{"unsynced, earlier boot: the newest known of it is the moment", old, unsynced, true, wire.Unsynced, 9000, time.Time{}, ""},
		{"only gaps", now, gone, true, wire.Synced, 60_000, at.Add(59 * time.Second), "a1"},
		{"only gaps, clock not set", now, gone, false, wire.Unsynced, 60_000, time.Time{}, ""},
		{"only gaps, earlier boot", old, gone, true, wire.Unsynced, 9000, time.Time{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig(1, at, true)
			cfg.Mono = func() int64 { return 60_000 }
			cfg.Wall = func(mono int64) (time.Time, string) {
				if !c.set {
					return time.Time{}, ""
				}
				return at.Add(time.Duration(mono-1000) * ms), "a1"
			}
			f := &Forwarder{cfg: cfg}
			p := f.pack(c.extent, c.batch, wire.Readings)
			if p.Clock != c.clock || p.Mono != c.mono || !p.Sent.Equal(c.sent) || p.Anchor != c.anchor {
				t.Errorf("clock %s mono %d sent %v anchor %q, want %s %d %v %q",
					p.Clock, p.Mono, p.Sent, p.Anchor, c.clock, c.mono, c.sent, c.anchor)
			}
			checkOnWire(t, p, c.batch)
		})
	}
}

// checkOnWire fails unless the records come out of the wire with the times
// that were accepted.
func checkOnWire(t *testing.T, p wire.Pack, b spool.Batch) {
	t.Helper()
	payload, err := wire.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	out, err := wire.Decode(wire.PackTopic("padma", "gw-1", wire.Readings, false), payload)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Records) != len(b.Records) || len(out.Gone) != len(b.Gone) || out.First != b.First {
		t.Fatalf("got %d records from %d and %d gone", len(out.Records), out.First, len(out.Gone))
	}
	for i, r := range b.Records {
		got := out.Records[i]
		if r.Wall.IsZero() {
			if mono := out.Mono + got.Offset.Milliseconds(); mono != r.Mono {
				t.Errorf("record %d is at mono %d, accepted at %d", i, mono, r.Mono)
			}
		} else if !got.At.Equal(r.Wall) {
			t.Errorf("record %d is at %v, accepted at %v", i, got.At, r.Wall)
		}
	}
}
