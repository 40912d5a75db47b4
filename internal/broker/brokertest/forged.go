package brokertest

import (
	"context"
	"strings"
	"testing"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

// ForgedPublishes are topics on which gateway padma/gw-1 must not be heard.
var ForgedPublishes = []struct{ Name, Topic string }{
	{"another gateway's readings", "nirapod/v1/padma/gw-2/r"},
	{"another gateway's alarms", "nirapod/v1/padma/gw-2/a/cbor"},
	{"another gateway's birth", "nirapod/v1/padma/gw-2/birth"},
	{"another gateway's presence", "nirapod/v1/padma/gw-2/presence"},
	{"a gateway whose id begins alike", "nirapod/v1/padma/gw-10/r"},
	{"the same id in another factory", "nirapod/v1/lotus/gw-1/r"},
	{"a commit to itself", "nirapod/v1/padma/gw-1/commit/r"},
	{"a commit to another", "nirapod/v1/padma/gw-2/commit/r"},
	{"a command to another", "nirapod/v1/padma/gw-2/cmd"},
	{"the server's live branch", "nirapod/v1/padma/_server/live"},
	{"the server's wake branch", "nirapod/v1/padma/_server/wake"},
	{"below its own topic", "nirapod/v1/padma/gw-1/r/x"},
	{"above its own topic", "nirapod/v1/padma/gw-1"},
	{"its own topic with a slash after", "nirapod/v1/padma/gw-1/r/"},
	{"its own topic with a slash before", "/nirapod/v1/padma/gw-1/r"},
	{"another version", "nirapod/v2/padma/gw-1/r"},
	{"dots for slashes", "nirapod.v1.padma.gw-2.r"},
	{"anything", "hello"},
	{"system topics", "$SYS/broker/uptime"},
	{"the broker's own subjects", "$MQTT/msgs/nirapod/v1/padma/gw-2/r"},
	{"the broker's stored messages", "$JS/API/STREAM/NAMES"},
	{"a wildcard", "nirapod/v1/padma/+/r"},
}

// ForgedSubscriptions are filters with which gateway padma/gw-1 must not hear
// anything of others.
var ForgedSubscriptions = []struct{ Name, Filter string }{
	{"everything", "#"},
	{"everything below the root", "nirapod/#"},
	{"all gateways' readings", "nirapod/v1/+/+/r"},
	{"another gateway's commits", "nirapod/v1/padma/gw-2/commit/r"},
	{"all commits", "nirapod/v1/padma/+/commit/r"},
	{"another gateway's birth", "nirapod/v1/padma/gw-2/birth"},
	{"another factory", "nirapod/v1/lotus/#"},
	{"the live branch", "nirapod/v1/padma/_server/live"},
	{"system topics", "$SYS/#"},
	{"the broker's own subjects", "$MQTT/#"},
	{"the broker's stored messages", "$JS/#"},
	{"a shared subscription", "$share/g/nirapod/v1/+/+/r"},
}

func forgedPublishes(t *testing.T, url URLs) {
	ears := []string{"#", "$SYS/broker/uptime", "$MQTT/msgs/#", "$JS/API/STREAM/NAMES"}
	spy := url.connect(t, Spy, ears[:1], nil).AwaitOnline(t)
	server := url.connect(t, wire.ServerUser, append(wire.ServerFilters(), wire.LiveFilter(), wire.WakeFilter()),
		func(c *mqttconn.Config) { c.ClientID += ":forged" }).AwaitOnline(t)
	gw := url.connect(t, "padma/gw-1", nil, nil)
	for _, f := range ForgedPublishes {
		for _, retain := range []bool{false, true} {
			gw.AwaitOnline(t)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			// A broker acknowledges what it drops, or hangs up; both will do.
			_ = gw.Publish(ctx, mqttconn.Message{Topic: f.Topic, Payload: []byte("forged: " + f.Name), QoS: 1, Retain: retain})
			cancel()
		}
	}
	own := wire.PackTopic("padma", "gw-1", wire.Alarms, false).String()
	gw.AwaitOnline(t).Send(t, own, "end of forgeries", false)
	spy.AwaitHeard(t, own+" end of forgeries")
	server.AwaitHeard(t, own+" end of forgeries")
	late := url.connect(t, Spy, ears[:1], func(c *mqttconn.Config) { c.ClientID += ":late" }).AwaitOnline(t)
	gw.Send(t, own, "end of retained forgeries", false)
	late.AwaitHeard(t, own+" end of retained forgeries")
	for _, c := range []*Client{spy, server, late} {
		for _, s := range c.Heard() {
			if strings.Contains(s, "forged") {
				t.Errorf("heard %q", s)
			}
		}
	}
}

func forgedSubscriptions(t *testing.T, url URLs) {
	server := url.connect(t, wire.ServerUser, nil, func(c *mqttconn.Config) { c.ClientID += ":secret" }).AwaitOnline(t)
	victim := url.connect(t, "padma/gw-2", nil, nil).AwaitOnline(t)
	stranger := url.connect(t, "lotus/gw-1", nil, nil).AwaitOnline(t)
	for _, f := range ForgedSubscriptions {
		t.Run(f.Name, func(t *testing.T) {
			spy := url.connect(t, Spy, []string{"nirapod/#"}, nil).AwaitOnline(t)
			tried := make(chan struct{}, 1)
			thief := url.connect(t, "padma/gw-1", []string{f.Filter}, func(c *mqttconn.Config) {
				c.OnConnect = func() { tried <- struct{}{} }
			})
			select {
			case <-tried: // the broker says yes and then delivers nothing
			case <-time.After(300 * time.Millisecond): // it refuses
			}
			secrets := map[*Client]string{
				server:   wire.CommitTopic("padma", "gw-2", wire.Readings).String(),
				victim:   wire.BirthTopic("padma", "gw-2").String(),
				stranger: wire.PackTopic("lotus", "gw-1", wire.Readings, false).String(),
			}
			for from, topic := range secrets {
				from.Send(t, topic, "secret "+f.Name, false)
			}
			server.Send(t, wire.LiveTopic("padma").String(), "secret "+f.Name, false)
			for _, topic := range secrets {
				spy.AwaitHeard(t, topic+" secret "+f.Name)
			}
			spy.AwaitHeard(t, wire.LiveTopic("padma").String()+" secret "+f.Name)
			if heard := thief.Heard(); len(heard) > 0 {
				t.Errorf("%s: heard %q", f.Filter, heard)
			}
		})
	}
}

// What must become of one who knocks.
const (
	in       = "gets in"
	out      = "stays out"
	harmless = "disconnects nobody" // whether let in or not
)

func whoGetsIn(t *testing.T, url URLs) {
	lost := make(chan string, 16)
	for _, user := range []string{"padma/gw-2", "padma/gw-10", wire.ServerUser} {
		url.connect(t, user, nil, func(c *mqttconn.Config) {
			c.OnDown = func(error) { lost <- user }
		}).AwaitOnline(t)
	}
	t.Run("all", func(t *testing.T) {
		for _, tt := range []struct {
			name string
			edit func(*mqttconn.Config)
			want string
		}{
			{"the right password", func(*mqttconn.Config) {}, in},
			{"a client id of its own with a suffix", func(c *mqttconn.Config) { c.ClientID += ":probe" }, in},
			{"a wrong password", func(c *mqttconn.Config) { c.Password = "wrong" }, out},
			{"no password", func(c *mqttconn.Config) { c.Password = "" }, out},
			{"nobody", func(c *mqttconn.Config) { c.Username, c.Password = "", "" }, out},
			{"an unknown user", func(c *mqttconn.Config) { c.Username, c.ClientID = "padma/gw-3", "padma/gw-3" }, out},
			{"another's password", func(c *mqttconn.Config) { c.Password = url.password("padma/gw-2") }, out},
			{"the server's name", func(c *mqttconn.Config) { c.Username = wire.ServerUser }, out},
			{"another's client id", func(c *mqttconn.Config) { c.ClientID = "padma/gw-2" }, harmless},
			{"the server's client id", func(c *mqttconn.Config) { c.ClientID = wire.ServerUser }, harmless},
			{"a client id that begins alike", func(c *mqttconn.Config) { c.ClientID = "padma/gw-10" }, harmless},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if tt.want != harmless { // which may all get the same client id
					t.Parallel()
				}
				knock(t, url, tt.want, tt.edit)
			})
		}
	})
	select {
	case user := <-lost:
		t.Errorf("%s was disconnected by another", user)
	default:
	}
}

func knock(t *testing.T, url URLs, want string, edit func(*mqttconn.Config)) {
	inside := make(chan struct{}, 64)
	c := url.connect(t, "padma/gw-1", nil, func(c *mqttconn.Config) {
		edit(c)
		c.OnConnect = func() { inside <- struct{}{} }
	})
	if want == in {
		c.AwaitOnline(t)
		return
	}
	select {
	case <-inside:
		if want == out {
			t.Error("got in")
		}
	case <-time.After(700 * time.Millisecond): // two attempts
	}
}
