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

func forgedPublishes(t *testing.T, url string) {
	ears := []string{"#", "$SYS/broker/uptime", "$MQTT/msgs/#", "$JS/API/STREAM/NAMES"}
	spy := Connect(t, url, Spy, ears[:1], nil).AwaitOnline(t)
	server := Connect(t, url, wire.ServerUser, append(wire.ServerFilters(), wire.LiveFilter(), wire.WakeFilter()),
		func(c *mqttconn.Config) { c.ClientID += ":forged" }).AwaitOnline(t)
	gw := Connect(t, url, "padma/gw-1", nil, nil)
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
	late := Connect(t, url, Spy, ears[:1], func(c *mqttconn.Config) { c.ClientID += ":late" }).AwaitOnline(t)
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

func forgedSubscriptions(t *testing.T, url string) {
	server := Connect(t, url, wire.ServerUser, nil, func(c *mqttconn.Config) { c.ClientID += ":secret" }).AwaitOnline(t)
	victim := Connect(t, url, "padma/gw-2", nil, nil).AwaitOnline(t)
	stranger := Connect(t, url, "lotus/gw-1", nil, nil).AwaitOnline(t)
	for _, f := range ForgedSubscriptions {
		t.Run(f.Name, func(t *testing.T) {
			spy := Connect(t, url, Spy, []string{"nirapod/#"}, nil).AwaitOnline(t)
			tried := make(chan struct{}, 1)
			thief := Connect(t, url, "padma/gw-1", []string{f.Filter}, func(c *mqttconn.Config) {
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

func whoGetsIn(t *testing.T, url string) {
	owner := Connect(t, url, "padma/gw-2", nil, nil).AwaitOnline(t)
	for _, tt := range []struct {
		name string
		edit func(*mqttconn.Config)
		in   bool
	}{
		{"the right password", func(*mqttconn.Config) {}, true},
		{"a client id of its own with a suffix", func(c *mqttconn.Config) { c.ClientID += ":probe" }, true},
		{"a wrong password", func(c *mqttconn.Config) { c.Password = "wrong" }, false},
		{"no password", func(c *mqttconn.Config) { c.Password = "" }, false},
		{"nobody", func(c *mqttconn.Config) { c.Username, c.Password = "", "" }, false},
		{"an unknown user", func(c *mqttconn.Config) { c.Username, c.ClientID = "padma/gw-3", "padma/gw-3" }, false},
		{"another's password", func(c *mqttconn.Config) { c.Password = Password("padma/gw-2") }, false},
		{"another's client id", func(c *mqttconn.Config) { c.ClientID = "padma/gw-2" }, false},
		{"the server's client id", func(c *mqttconn.Config) { c.ClientID = wire.ServerUser }, false},
		{"a client id that begins alike", func(c *mqttconn.Config) { c.ClientID = "padma/gw-10" }, false},
		{"the server's name", func(c *mqttconn.Config) { c.Username = wire.ServerUser }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := make(chan struct{}, 16)
			c := Connect(t, url, "padma/gw-1", nil, func(c *mqttconn.Config) {
				tt.edit(c)
				c.OnConnect = func() { in <- struct{}{} }
			})
			if tt.in {
				c.AwaitOnline(t)
				return
			}
			select {
			case <-in:
				t.Error("got in")
			case <-time.After(700 * time.Millisecond): // two attempts
			}
		})
	}
	if !owner.Online() {
		t.Error("another could disconnect padma/gw-2")
	}
}
