package wire

import "strings"

// root begins every topic; its second level is the version of the protocol.
const root = "nirapod/v1/"

// serverBranch stands in the place of the gateway for messages between roles
// of the server. It is no valid id, so no gateway's credential reaches it.
const serverBranch = "_server"

// Stream is one of a gateway's two sequences of records.
type Stream string

// The streams.
const (
	Readings Stream = "r"
	Alarms   Stream = "a" // transitions of the gateway's own rules
)

// Known reports whether s is one of the streams.
func (s Stream) Known() bool { return s == Readings || s == Alarms }

// Kind says what a topic carries.
type Kind string

// The kinds.
const (
	KindPack     Kind = "pack"     // gateway to server: Pack
	KindBirth    Kind = "birth"    // gateway to server, retained: Birth
	KindPresence Kind = "presence" // gateway to server, retained, last will: Presence
	KindCommit   Kind = "commit"   // server to gateway: Commit
	KindCommand  Kind = "cmd"      // server to gateway: Command
	KindLive     Kind = "live"     // server to server: Live
	KindWake     Kind = "wake"     // server to server: Wake
)

// Topic is an MQTT topic taken apart. Gateway is empty for KindLive and
// KindWake; Stream is set for KindPack and KindCommit only, CBOR for KindPack
// only.
type Topic struct {
	Factory, Gateway string
	Kind             Kind
	CBOR             bool
	Stream           Stream
}

// PackTopic is where a gateway publishes its packs, QoS 1, not retained.
func PackTopic(factory, gateway string, s Stream, cbor bool) Topic {
	return Topic{Factory: factory, Gateway: gateway, Kind: KindPack, CBOR: cbor, Stream: s}
}

// BirthTopic is where a gateway publishes its Birth, QoS 1, retained.
func BirthTopic(factory, gateway string) Topic {
	return Topic{Factory: factory, Gateway: gateway, Kind: KindBirth}
}

// PresenceTopic is where a gateway publishes its Presence, QoS 1, retained;
// its last will goes there too.
func PresenceTopic(factory, gateway string) Topic {
	return Topic{Factory: factory, Gateway: gateway, Kind: KindPresence}
}

// CommitTopic is where the server publishes a Commit, QoS 1, retained for the
// gateway's newest run only.
func CommitTopic(factory, gateway string, s Stream) Topic {
	return Topic{Factory: factory, Gateway: gateway, Kind: KindCommit, Stream: s}
}

// CmdTopic is where the server publishes a Command, QoS 1, not retained.
func CmdTopic(factory, gateway string) Topic {
	return Topic{Factory: factory, Gateway: gateway, Kind: KindCommand}
}

// LiveTopic is where ingest publishes Live for dashboards, QoS 0.
func LiveTopic(factory string) Topic { return Topic{Factory: factory, Kind: KindLive} }

// WakeTopic is where roles publish Wake, QoS 0: polling makes it dispensable.
func WakeTopic(factory string) Topic { return Topic{Factory: factory, Kind: KindWake} }

// String returns the topic as MQTT has it.
func (t Topic) String() string {
	s := root + t.Factory + "/"
	switch t.Kind {
	case KindPack:
		s += t.Gateway + "/" + string(t.Stream)
		if t.CBOR {
			s += "/cbor"
		}
		return s
	case KindCommit:
		return s + t.Gateway + "/commit/" + string(t.Stream)
	case KindLive, KindWake:
		return s + serverBranch + "/" + string(t.Kind)
	default:
		return s + t.Gateway + "/" + string(t.Kind)
	}
}

// ParseTopic takes a topic apart. It returns an error wrapping
// safety.ErrInvalid for every topic that the constructors cannot have made.
func ParseTopic(topic string) (Topic, error) {
	rest, ok := strings.CutPrefix(topic, root)
	if !ok {
		return Topic{}, invalid("topic %.100q: want %s...", topic, root)
	}
	factory, rest, _ := strings.Cut(rest, "/")
	gateway, rest, _ := strings.Cut(rest, "/")
	t, ok := leaf(rest)
	t.Factory, t.Gateway = factory, gateway
	if server := t.Kind == KindLive || t.Kind == KindWake; server && gateway == serverBranch {
		t.Gateway = ""
	} else if server || !ValidID(gateway) {
		ok = false
	}
	if !ok || !ValidID(factory) {
		return Topic{}, invalid("topic %.100q is none of this protocol", topic)
	}
	return t, nil
}

func leaf(s string) (Topic, bool) {
	switch s {
	case "r", "a":
		return Topic{Kind: KindPack, Stream: Stream(s)}, true
	case "r/cbor", "a/cbor":
		return Topic{Kind: KindPack, Stream: Stream(s[:1]), CBOR: true}, true
	case "commit/r", "commit/a":
		return Topic{Kind: KindCommit, Stream: Stream(s[7:])}, true
	case "birth", "presence", "cmd", "live", "wake":
		return Topic{Kind: Kind(s)}, true
	}
	return Topic{}, false
}
