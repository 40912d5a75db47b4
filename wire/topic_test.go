package wire_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nirapod/safety"
	"nirapod/wire"
)

func TestTopicsGoThereAndBack(t *testing.T) {
	for topic, want := range map[wire.Topic]string{
		wire.PackTopic("padma", "gw-1", wire.Readings, false): "nirapod/v1/padma/gw-1/r",
		wire.PackTopic("padma", "gw-1", wire.Alarms, false):   "nirapod/v1/padma/gw-1/a",
		wire.PackTopic("padma", "gw-1", wire.Readings, true):  "nirapod/v1/padma/gw-1/r/cbor",
		wire.PackTopic("padma", "gw-1", wire.Alarms, true):    "nirapod/v1/padma/gw-1/a/cbor",
		wire.BirthTopic("padma", "gw-1"):                      "nirapod/v1/padma/gw-1/birth",
		wire.PresenceTopic("padma", "gw-1"):                   "nirapod/v1/padma/gw-1/presence",
		wire.CommitTopic("padma", "gw-1", wire.Readings):      "nirapod/v1/padma/gw-1/commit/r",
		wire.CommitTopic("padma", "gw-1", wire.Alarms):        "nirapod/v1/padma/gw-1/commit/a",
		wire.CmdTopic("padma", "gw-1"):                        "nirapod/v1/padma/gw-1/cmd",
		wire.LiveTopic("padma"):                               "nirapod/v1/padma/_server/live",
		wire.WakeTopic("padma"):                               "nirapod/v1/padma/_server/wake",
	} {
		if got := topic.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, err := wire.ParseTopic(want); err != nil || got != topic {
			t.Errorf("%s: got %+v, %v", want, got, err)
		}
	}
}

func TestForeignTopicsAreRefused(t *testing.T) {
	for _, topic := range []string{
		"", "nirapod", "nirapod/v1", "nirapod/v1/padma", "nirapod/v1/padma/gw-1", "nirapod/v1/padma/gw-1/",
		"nirapod/v2/padma/gw-1/r", "/nirapod/v1/padma/gw-1/r", "nirapod/v1/padma/gw-1/r/", "nirapod/v1/padma/gw-1/r/x",
		"nirapod/v1/padma/gw-1/commit", "nirapod/v1/padma/gw-1/commit/x", "nirapod/v1/padma/gw-1/live",
		"nirapod/v1/padma/_server/r", "nirapod/v1/padma/_server/cmd", "nirapod/v1/_server/_server/live",
		"nirapod/v1/Padma/gw-1/r", "nirapod/v1/padma/-gw/r", "nirapod/v1/padma/gw_1/r", "nirapod/v1//gw-1/r",
		"nirapod/v1/padma/" + strings.Repeat("g", 64) + "/r", "nirapod/v1/পদ্মা/gw-1/r", "nirapod/v1/+/+/r", "nirapod/v1/#",
	} {
		if got, err := wire.ParseTopic(topic); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%q: got %+v, %v", topic, got, err)
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	f.Add("nirapod/v1/padma/gw-1/r/cbor")
	f.Add("nirapod/v1/padma/_server/live")
	f.Fuzz(func(t *testing.T, s string) {
		if topic, err := wire.ParseTopic(s); err == nil && topic.String() != s {
			t.Errorf("%q became %q", s, topic)
		}
	})
}

// allows reports whether the table lets a client publish on, or hear from, an
// exact topic.
func allows(acl []wire.Permission, topic string, publish bool) bool {
	return slices.ContainsFunc(acl, func(p wire.Permission) bool {
		if publish && !p.Publish || !publish && !p.Subscribe {
			return false
		}
		want, got := strings.Split(p.Filter, "/"), strings.Split(topic, "/")
		return slices.EqualFunc(want, got, func(w, g string) bool { return w == g || w == "+" })
	})
}

// A gateway reaches its own branch, the server's side of it, and nothing else.
func TestACLProperty(t *testing.T) {
	kinds := func(factory, gateway string) (up, down []wire.Topic) {
		for _, s := range []wire.Stream{wire.Readings, wire.Alarms} {
			up = append(up, wire.PackTopic(factory, gateway, s, false), wire.PackTopic(factory, gateway, s, true))
			down = append(down, wire.CommitTopic(factory, gateway, s))
		}
		up = append(up, wire.BirthTopic(factory, gateway), wire.PresenceTopic(factory, gateway))
		return up, append(down, wire.CmdTopic(factory, gateway))
	}
	rapid.Check(t, func(t *rapid.T) {
		factory, gateway := genID.Draw(t, "factory"), genID.Draw(t, "gateway")
		other := wire.Topic{Factory: genID.Draw(t, "other factory"), Gateway: genID.Draw(t, "other gateway")}
		own := other.Factory == factory && other.Gateway == gateway
		gw, server := wire.GatewayACL(factory, gateway), wire.ServerACL()
		up, down := kinds(other.Factory, other.Gateway)
		for _, topic := range up {
			s := topic.String()
			if allows(gw, s, true) != own || allows(gw, s, false) || allows(server, s, true) || !allows(server, s, false) {
				t.Fatalf("up %s", s)
			}
		}
		for _, topic := range down {
			s := topic.String()
			if allows(gw, s, false) != own || allows(gw, s, true) || allows(server, s, false) || !allows(server, s, true) {
				t.Fatalf("down %s", s)
			}
		}
		for _, topic := range []wire.Topic{wire.LiveTopic(factory), wire.WakeTopic(factory)} {
			s := topic.String()
			if allows(gw, s, true) || allows(gw, s, false) || !allows(server, s, true) || !allows(server, s, false) {
				t.Fatalf("server %s", s)
			}
		}
	})
}

func TestClientAllowed(t *testing.T) {
	for _, tt := range []struct {
		user, client string
		want         bool
	}{
		{"padma/gw-1", "padma/gw-1", true},
		{"padma/gw-1", "padma/gw-1:probe", true},
		{"padma/gw-1", "padma/gw-10", false},
		{"padma/gw-1", "padma/gw-2", false},
		{"padma/gw-1", "padma/gw-1/x", false},
		{"padma/gw-1", "", false},
		{wire.ServerUser, "_server:ingest", true},
		{"", "", false},
		{"", ":x", false},
	} {
		if got := wire.ClientAllowed(tt.user, tt.client); got != tt.want {
			t.Errorf("%q as %q: %v", tt.user, tt.client, got)
		}
	}
}
