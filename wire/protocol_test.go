package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"nirapod/safety"
	"nirapod/wire"
)

var update = flag.Bool("update", false, "write the CBOR example of docs/protocol.md anew")

const protocol = "../docs/protocol.md"

// example is one fenced block of docs/protocol.md.
type example struct {
	line    int
	form    string // json, hex
	refused string // why, for examples of what is refused
	topic   wire.Topic
	payload []byte
}

var fence = regexp.MustCompile("(?ms)^```(json|hex) (refused )?(nirapod/\\S+)(?: : ([^\n]+))?\n(.*?)^```$")

func examples(t testing.TB) []example {
	doc, err := os.ReadFile(protocol)
	if err != nil {
		t.Fatal(err)
	}
	var list []example
	for _, m := range fence.FindAllSubmatchIndex(doc, -1) {
		x := example{line: 1 + bytes.Count(doc[:m[0]], []byte("\n")), form: string(doc[m[2]:m[3]]), payload: doc[m[10]:m[11]]}
		if m[4] >= 0 {
			x.refused = string(doc[m[8]:m[9]])
		}
		if x.topic, err = wire.ParseTopic(string(doc[m[6]:m[7]])); err != nil {
			t.Fatalf("line %d: %v", x.line, err)
		}
		if x.form == "hex" {
			x.payload = unhex(t, string(x.payload))
		}
		list = append(list, x)
	}
	if marks := bytes.Count(doc, []byte("```")); marks != 2*len(list) {
		t.Fatalf("%d fence marks, %d examples understood", marks, len(list))
	}
	return list
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodeAny(topic wire.Topic, payload []byte) (any, error) {
	switch topic.Kind {
	case wire.KindPack:
		return wire.Decode(topic, payload)
	case wire.KindBirth:
		return wire.DecodeBirth(topic, payload)
	case wire.KindPresence:
		return wire.DecodePresence(payload)
	case wire.KindCommit:
		return wire.DecodeCommit(topic, payload)
	case wire.KindCommand:
		return wire.DecodeCommand(payload)
	case wire.KindLive:
		return wire.DecodeLive(payload)
	default:
		return wire.DecodeWake(payload)
	}
}

func encodeAny(cbor bool, v any) ([]byte, error) {
	switch v := v.(type) {
	case wire.Pack:
		if cbor {
			return wire.EncodeCBOR(v)
		}
		return wire.Encode(v)
	case wire.Birth:
		return wire.EncodeBirth(v)
	case wire.Presence:
		return wire.EncodePresence(v)
	case wire.Commit:
		return wire.EncodeCommit(v)
	case wire.Command:
		return wire.EncodeCommand(v)
	case wire.Live:
		return wire.EncodeLive(v)
	case wire.Wake:
		return wire.EncodeWake(v)
	}
	return nil, errors.New("no encoder")
}

// Each example decodes, and encodes to itself again: the documentation is
// what the encoders write, but for white space and order.
func TestProtocolExamples(t *testing.T) {
	shown := map[string]bool{}
	for _, x := range examples(t) {
		got, err := decodeAny(x.topic, x.payload)
		if x.refused != "" {
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), x.refused) {
				t.Errorf("line %d: %v; want a refusal with %q", x.line, err, x.refused)
			}
			shown["refused"] = true
			continue
		}
		if err != nil {
			t.Errorf("line %d: %v", x.line, err)
			continue
		}
		again, err := encodeAny(x.topic.CBOR, got)
		if err != nil {
			t.Errorf("line %d: %v", x.line, err)
			continue
		}
		if x.form == "json" && !reflect.DeepEqual(anyJSON(t, again), anyJSON(t, x.payload)) {
			t.Errorf("line %d: encodes to\n%s", x.line, again)
		}
		if x.form == "hex" && !bytes.Equal(again, x.payload) {
			t.Errorf("line %d: encodes to\n%x", x.line, again)
		}
		note(shown, x.topic, got)
	}
	for _, kind := range []string{"good", "bad", "uncertain", "simulated", "drill", "unsynced", "gone", "only gone",
		"alarm", "cbor", "birth", "online", "last will", "commit", "cmd", "live", "wake", "refused"} {
		if !shown[kind] {
			t.Errorf("%s shows no example of: %s", protocol, kind)
		}
	}
}

func anyJSON(t *testing.T, b []byte) (v any) {
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func note(shown map[string]bool, topic wire.Topic, v any) {
	shown[string(topic.Kind)] = true
	switch v := v.(type) {
	case wire.Pack:
		shown["cbor"] = shown["cbor"] || topic.CBOR
		shown["unsynced"] = shown["unsynced"] || v.Clock == wire.Unsynced
		shown["gone"] = shown["gone"] || len(v.Gone) > 0
		shown["only gone"] = shown["only gone"] || len(v.Records) == 0
		for _, r := range v.Records {
			shown["alarm"] = shown["alarm"] || r.Transition != nil
			shown["simulated"] = shown["simulated"] || r.Reading.Flags&safety.Simulated != 0
			shown["drill"] = shown["drill"] || r.Reading.Flags&safety.Drill != 0
			if r.Transition == nil {
				shown[[]string{"bad", "uncertain", "good"}[r.Reading.Quality]] = true
			}
		}
	case wire.Presence:
		shown["online"] = shown["online"] || v.Online
		shown["last will"] = shown["last will"] || !v.Online
	}
}

// The document's CBOR example is its first JSON example's first record.
func TestProtocolCBORExample(t *testing.T) {
	list := examples(t)
	p, err := wire.Decode(list[0].topic, list[0].payload)
	if err != nil {
		t.Fatal(err)
	}
	p.Records = p.Records[:1]
	want, err := wire.EncodeCBOR(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.form != "hex" || bytes.Equal(x.payload, want) {
			continue
		}
		if !*update {
			t.Errorf("line %d: want %x; run the tests with -update", x.line, want)
			continue
		}
		doc, err := os.ReadFile(protocol)
		if err != nil {
			t.Fatal(err)
		}
		block := regexp.MustCompile("(?ms)^```hex (\\S+)\n.*?^```$")
		doc = block.ReplaceAll(doc, []byte("```hex $1\n"+lines(hex.EncodeToString(want))+"```"))
		if err := os.WriteFile(protocol, doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func lines(s string) string {
	var b strings.Builder
	for len(s) > 96 {
		b.WriteString(s[:96] + "\n")
		s = s[96:]
	}
	return b.String() + s + "\n"
}

func TestProtocolNamesEveryTopicOfTheTable(t *testing.T) {
	doc, err := os.ReadFile(protocol)
	if err != nil {
		t.Fatal(err)
	}
	acl := append(wire.GatewayACL("<factory>", "<gateway>"), wire.Permission{Filter: wire.LiveTopic("<factory>").String()},
		wire.Permission{Filter: wire.WakeTopic("<factory>").String()})
	for _, p := range acl {
		if !bytes.Contains(doc, []byte("| `"+p.Filter+"` |")) {
			t.Errorf("%s is not in the table of topics", p.Filter)
		}
	}
}

func TestPointOfTheProtocolsAlarmExample(t *testing.T) {
	for _, x := range examples(t) {
		if x.topic.Kind != wire.KindPack || x.topic.Stream != wire.Alarms {
			continue
		}
		p, err := wire.Decode(x.topic, x.payload)
		if err != nil {
			t.Fatal(err)
		}
		tr := p.Records[0].Transition
		if want := safety.PointID(x.topic.Factory, tr.Rule, tr.Sensor); tr.Point != want {
			t.Errorf("line %d: point %s, want %s", x.line, tr.Point, want)
		}
	}
}
