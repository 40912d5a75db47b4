package wire_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/safety"
	"nirapod/wire"
)

var (
	genID    = rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,62}`)
	genHex   = rapid.StringMatching(`[0-9a-f]{16}`)
	genToken = rapid.StringMatching(`[A-Za-z0-9._:-]{1,64}`)
	genText  = rapid.StringOfN(rapid.RuneFrom([]rune("abcধোঁয়া \"\\/<>&'€😀")), 1, 40, 512)
	genFlags = rapid.SampledFrom([]safety.Flags{0, safety.Simulated, safety.Drill, safety.Simulated | safety.Drill})
	genTime  = rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range((1<<28+1)*1000, 253402300799999).Draw(t, "ms")).UTC()
	})
	genValue = rapid.Custom(func(t *rapid.T) float64 {
		for {
			v := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				return v
			}
		}
	})
	genReason = rapid.SampledFrom(safety.Reasons[:])
)

var genPack = rapid.Custom(func(t *rapid.T) wire.Pack {
	p := wire.Pack{
		Factory: genID.Draw(t, "factory"), Gateway: genID.Draw(t, "gateway"), Run: genHex.Draw(t, "run"),
		Stream: rapid.SampledFrom([]wire.Stream{wire.Readings, wire.Alarms}).Draw(t, "stream"),
		First:  rapid.Uint64Range(2000, 1<<53-2000).Draw(t, "first"), Boot: genToken.Draw(t, "boot"),
		Mono:  rapid.Int64Range(0, 1<<53-1).Draw(t, "mono"),
		Clock: rapid.SampledFrom([]wire.ClockState{wire.Synced, wire.Unsynced}).Draw(t, "clock"),
	}
	if rapid.Bool().Draw(t, "anchored") {
		p.Anchor = genToken.Draw(t, "anchor")
	}
	if p.Clock == wire.Synced {
		p.Sent = genTime.Draw(t, "sent")
	}
	var end uint64
	for range rapid.IntRange(0, 3).Draw(t, "gone") {
		from := end + rapid.Uint64Range(1, 200).Draw(t, "from")
		end = from + rapid.Uint64Range(0, 200).Draw(t, "length")
		p.Gone = append(p.Gone, wire.Gone{Span: safety.Span{From: from, To: end}, Reason: wire.GoneFull})
	}
	p.Records = []wire.Record{}
	least := 0
	if len(p.Gone) == 0 {
		least = 1
	}
	used := map[string]bool{}
	for range rapid.IntRange(least, 12).Draw(t, "records") {
		r := drawRecord(t, p)
		key := r.Reading.Sensor
		if p.Stream == wire.Readings && used[key] {
			continue // order within a sensor has its own property
		}
		used[key] = true
		p.Records = append(p.Records, r)
	}
	return p
})

func drawRecord(t *rapid.T, p wire.Pack) wire.Record {
	var r wire.Record
	if p.Clock == wire.Synced {
		r.At = genTime.Draw(t, "at")
	} else {
		r.Offset = -time.Duration(rapid.Int64Range(0, 1<<28*1000).Draw(t, "ago")) * time.Millisecond
	}
	if p.Stream == wire.Alarms {
		r.Transition = drawTransition(t)
		return r
	}
	r.Reading = safety.Reading{Sensor: genID.Draw(t, "sensor"), Flags: genFlags.Draw(t, "flags"),
		Quality: rapid.SampledFrom([]safety.Quality{safety.Bad, safety.Uncertain, safety.Good}).Draw(t, "quality")}
	if r.Reading.Quality != safety.Good {
		r.Reading.Reason = genReason.Draw(t, "reason")
	}
	if r.Reading.Quality != safety.Bad {
		r.Reading.Value = genValue.Draw(t, "value")
		r.Unit = rapid.SampledFrom([]safety.Unit{"", "Cel", "ppm", "1/m"}).Draw(t, "unit")
	}
	return r
}

func drawTransition(t *rapid.T) *safety.Transition {
	genState := rapid.SampledFrom([]safety.State{safety.Unknown, safety.Inactive, safety.Pending, safety.Firing})
	tr := &safety.Transition{
		Point: genHex.Draw(t, "point"), Rule: genText.Draw(t, "rule"), Pack: genText.Draw(t, "pack"),
		RuleVersion: genText.Draw(t, "version"), Hazard: safety.HazardGas, Class: safety.ClassFault,
		Severity: rapid.SampledFrom([]safety.Severity{safety.Info, safety.Evacuate}).Draw(t, "severity"),
		From:     genState.Draw(t, "from"), To: genState.Draw(t, "to"), Flags: genFlags.Draw(t, "flags"),
	}
	if rapid.Bool().Draw(t, "scoped") {
		tr.Zone, tr.Sensor, tr.Grade, tr.Clause = genID.Draw(t, "zone"), genID.Draw(t, "sensor"), safety.Certified, genText.Draw(t, "clause")
	}
	if values := rapid.MapOfN(genText, genValue, 0, 5).Draw(t, "values"); len(values) > 0 {
		tr.Values = values
	}
	return tr
}

// Whatever can be said comes back the same, to the bit and the millisecond,
// from both forms.
func TestRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genPack.Draw(t, "pack")
		for _, cbor := range []bool{false, true} {
			encode := wire.Encode
			if cbor {
				encode = wire.EncodeCBOR
			}
			payload, err := encode(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := wire.Decode(wire.PackTopic(want.Factory, want.Gateway, want.Stream, cbor), payload)
			if err != nil {
				t.Fatalf("%v\n%q", err, payload)
			}
			if !reflect.DeepEqual(bits(got), bits(want)) {
				t.Fatalf("cbor %v\n got %+v\nwant %+v", cbor, got, want)
			}
		}
	})
}

// bits replaces values by their bits, so that the two zeros differ.
func bits(p wire.Pack) any {
	var values []uint64
	for _, r := range p.Records {
		values = append(values, math.Float64bits(r.Reading.Value))
	}
	return []any{p, values}
}

// One sensor's samples are taken exactly if their times increase.
func TestOrderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := goodPack()
		p.Records = nil
		ordered := true
		var last int64
		for i, ms := range rapid.SliceOfN(rapid.Int64Range(-3, 3), 1, 4).Draw(t, "ms") {
			p.Records = append(p.Records, wire.Record{At: sent.Add(time.Duration(ms) * time.Millisecond),
				Reading: safety.Reading{Sensor: "s", Quality: safety.Good}})
			ordered = ordered && (i == 0 || ms > last)
			last = ms
		}
		if err := p.Validate(); (err == nil) != ordered {
			t.Fatalf("ordered %v: %v", ordered, err)
		}
	})
}

// A gap that touches the pack's own records is refused, every other is taken.
func TestGoneProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := goodPack() // seqs 41 to 43
		from := rapid.Uint64Range(0, 50).Draw(t, "from")
		to := rapid.Uint64Range(0, 50).Draw(t, "to")
		p.Gone = []wire.Gone{{Span: safety.Span{From: from, To: to}, Reason: wire.GoneThinned}}
		want := from >= 1 && from <= to && (to < 41 || from > 43)
		if err := p.Validate(); (err == nil) != want {
			t.Fatalf("gone %d to %d: %v", from, to, err)
		}
	})
}
