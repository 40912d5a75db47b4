package wire_test

import (
	"reflect"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

var sent = time.Date(2026, 11, 22, 7, 0, 0, 123e6, time.UTC)

// goodPack is a pack of every kind of reading.
func goodPack() wire.Pack {
	return wire.Pack{
		Factory: "padma", Gateway: "gw-1", Run: "0123456789abcdef", Stream: wire.Readings, First: 41,
		Boot: "6f1c1e0e-7f1b-4a57-9a5e-0d4f0f3b9f11", Mono: 754321, Clock: wire.Synced, Anchor: "a1", Sent: sent,
		Gone: []wire.Gone{{Span: safety.Span{From: 30, To: 40}, Reason: wire.GoneFull}},
		Records: []wire.Record{
			{At: sent.Add(-time.Second), Unit: "Cel", Reading: safety.Reading{Sensor: "store-heat", Value: 31.25, Quality: safety.Good}},
			{At: sent.Add(-time.Second), Unit: "ppm", Reading: safety.Reading{Sensor: "boiler-co", Value: 4, Quality: safety.Uncertain, Reason: safety.Warming}},
			{At: sent, Reading: safety.Reading{Sensor: "store-heat", Quality: safety.Bad, Reason: safety.CRC, Flags: safety.Simulated | safety.Drill}},
		},
	}
}

func TestEncodeDecode(t *testing.T) {
	want := goodPack()
	for _, cbor := range []bool{false, true} {
		topic := wire.PackTopic("padma", "gw-1", wire.Readings, cbor)
		encode := wire.Encode
		if cbor {
			encode = wire.EncodeCBOR
		}
		payload, err := encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.Decode(topic, payload)
		if err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("cbor %v:\n got %+v\nwant %+v", cbor, got, want)
		}
		t.Logf("%d bytes: %s", len(payload), payload)
	}
}
