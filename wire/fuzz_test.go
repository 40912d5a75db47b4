package wire_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"nirapod/safety"
	"nirapod/wire"
)

// FuzzDecode: no payload panics a decoder, every refusal is ErrInvalid, and
// what was taken can be sent on in both forms and is then the same. The seeds
// are packs of all kinds and the examples of docs/protocol.md.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), []byte(`[{"bn":"padma/gw-1/","run":"0123456789abcdef","stream":"r","seq":1,"boot":"b","mono":1,"clock":"unsynced","n":"s","v":-0.0,"t":-0.001}]`))
	p := goodPack()
	for form, encode := range []func(wire.Pack) ([]byte, error){wire.Encode, wire.EncodeCBOR} {
		payload, err := encode(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(2*form), payload)
	}
	for _, x := range examples(f) {
		if x.topic.Kind == wire.KindPack {
			f.Add(uint8(strings.Index("ra", string(x.topic.Stream))+2*strings.Count(x.topic.String(), "cbor")), x.payload)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, payload []byte) {
		topic := wire.PackTopic("padma", "gw-1", []wire.Stream{wire.Readings, wire.Alarms}[kind&1], kind&2 != 0)
		p, err := wire.Decode(topic, payload)
		if err != nil {
			if !errors.Is(err, safety.ErrInvalid) {
				t.Fatalf("not ErrInvalid: %v", err)
			}
			return
		}
		for form, encode := range []func(wire.Pack) ([]byte, error){wire.Encode, wire.EncodeCBOR} {
			again, err := encode(p)
			if err != nil {
				t.Fatalf("taken, but cannot be sent: %v", err)
			}
			topic.CBOR = form == 1
			if q, err := wire.Decode(topic, again); err != nil || !reflect.DeepEqual(q, p) {
				t.Fatalf("%v\n got %+v\nwant %+v", err, q, p)
			}
		}
	})
}

// FuzzMessages: the same for the JSON messages.
func FuzzMessages(f *testing.F) {
	topics := []wire.Topic{wire.BirthTopic("padma", "gw-1"), wire.PresenceTopic("padma", "gw-1"),
		wire.CommitTopic("padma", "gw-1", wire.Readings), wire.CmdTopic("padma", "gw-1"), wire.LiveTopic("padma"), wire.WakeTopic("padma")}
	f.Add(uint8(2), []byte(`{"run":"0123456789abcdef","stream":"r","upto":1,"ranges":[[3,4]],"epoch":"e"}`))
	f.Add(uint8(4), []byte(`{"at":"2026-11-22T07:00:01Z","readings":[{"gateway":"g","sensor":"s","value":1,"quality":"good","at":"2026-11-22T07:00:01Z"}]}`))
	for _, x := range examples(f) {
		for i, topic := range topics {
			if topic.Kind == x.topic.Kind {
				f.Add(uint8(i), x.payload)
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, payload []byte) {
		topic := topics[int(kind)%len(topics)]
		v, err := decodeAny(topic, payload)
		if err != nil {
			if !errors.Is(err, safety.ErrInvalid) {
				t.Fatalf("not ErrInvalid: %v", err)
			}
			return
		}
		again, err := encodeAny(false, v)
		if err != nil {
			if len(payload) < wire.MaxMessage/8 {
				t.Fatalf("taken, but cannot be sent: %v", err)
			}
			return // grew beyond the limit by escaping
		}
		if w, err := decodeAny(topic, again); err != nil || !reflect.DeepEqual(w, v) {
			t.Fatalf("%v\n got %+v\nwant %+v", err, w, v)
		}
	})
}
