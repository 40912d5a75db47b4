package wire_test

import (
	"fmt"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// tenReadings is the pack of a gateway with ten sensors.
func tenReadings() wire.Pack {
	p := goodPack()
	p.Gone, p.Records = nil, nil
	for i := range 10 {
		p.Records = append(p.Records, wire.Record{At: sent.Add(-time.Duration(i) * time.Millisecond), Unit: "Cel",
			Reading: safety.Reading{Sensor: fmt.Sprintf("store-heat-%d", i), Value: 31.25 + float64(i)/7, Quality: safety.Good}})
	}
	return p
}

func BenchmarkDecode(b *testing.B) {
	for _, cbor := range []bool{false, true} {
		b.Run(fmt.Sprintf("cbor=%v", cbor), func(b *testing.B) {
			encode := wire.Encode
			if cbor {
				encode = wire.EncodeCBOR
			}
			payload, err := encode(tenReadings())
			if err != nil {
				b.Fatal(err)
			}
			topic := wire.PackTopic("padma", "gw-1", wire.Readings, cbor)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.Decode(topic, payload); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(payload)), "B/pack")
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	p := tenReadings()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Encode(p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLive writes and reads the newest readings of 1,000 sensors.
func BenchmarkLive(b *testing.B) {
	l := wire.Live{At: sent}
	for i := range wire.MaxLive {
		l.Readings = append(l.Readings, wire.LiveReading{Gateway: "gw-1", Reading: safety.Reading{
			Sensor: fmt.Sprintf("store-heat-%d", i), Value: 31.25 + float64(i)/7, Quality: safety.Good, At: sent}})
	}
	b.ReportAllocs()
	for b.Loop() {
		payload, err := wire.EncodeLive(l)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := wire.DecodeLive(payload); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/wire.MaxLive, "µs/reading")
}
