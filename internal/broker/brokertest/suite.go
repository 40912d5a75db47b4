// Package brokertest holds the one suite that every broker of Nirapod must
// pass: who gets in, what each may do, and that retained messages, last wills
// and QoS 1 work under those permissions. The embedded broker and Mosquitto
// with the files that we write for it both run it.
package brokertest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

// Spy is a user of the suite that hears everything and publishes nothing.
const Spy = "spy"

const patience = 15 * time.Second

// Users lists the suite's users with what they may do.
func Users() map[string][]wire.Permission {
	return map[string][]wire.Permission{
		wire.ServerUser:                    wire.ServerACL(),
		wire.GatewayUser("padma", "gw-1"):  wire.GatewayACL("padma", "gw-1"),
		wire.GatewayUser("padma", "gw-2"):  wire.GatewayACL("padma", "gw-2"),
		wire.GatewayUser("lotus", "gw-1"):  wire.GatewayACL("lotus", "gw-1"),
		wire.GatewayUser("padma", "gw-10"): wire.GatewayACL("padma", "gw-10"),
		Spy:                                {{Filter: "#", Subscribe: true}},
	}
}

// Password is the password of a user of the suite.
func Password(user string) string { return "secret of " + user }

// Auth lets the suite's users in.
func Auth(user, password string) ([]wire.Permission, bool) {
	perms, ok := Users()[user]
	return perms, ok && password == Password(user)
}

// Client is a running connection that keeps what it hears.
type Client struct {
	*mqttconn.Conn
	mu    sync.Mutex
	heard []mqttconn.Message
	stop  context.CancelFunc
	done  chan struct{}
}

// Connect starts a client; edit may change its configuration. It ends with the
// test.
func Connect(t *testing.T, url, user string, filters []string, edit func(*mqttconn.Config)) *Client {
	cfg := mqttconn.Config{URL: url, ClientID: user, Username: user, Password: Password(user)}
	if edit != nil {
		edit(&cfg)
	}
	c := &Client{Conn: mqttconn.New(cfg, slog.New(slog.DiscardHandler)), done: make(chan struct{})}
	for _, f := range filters {
		c.Subscribe(f, 1, func(m mqttconn.Message) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.heard = append(c.heard, m)
		})
	}
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	go func() {
		defer close(c.done)
		_ = c.Run(ctx) // ends by stop only
	}()
	t.Cleanup(c.Stop)
	return c
}

// Stop ends the client in order: no last will.
func (c *Client) Stop() {
	c.stop()
	<-c.done
}

// Heard returns the messages so far, as `topic payload` with a leading
// "retained " for retained ones.
func (c *Client) Heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, m := range c.heard {
		s := m.Topic + " " + string(m.Payload)
		if m.Retain {
			s = "retained " + s
		}
		list = append(list, s)
	}
	return list
}

// Await waits until ok, and fails the test when it takes too long.
func Await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !within(patience, ok) {
		t.Fatalf("not within %s: %s", patience, what)
	}
}

func within(d time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(d); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// AwaitOnline waits for the connection.
func (c *Client) AwaitOnline(t *testing.T) *Client {
	t.Helper()
	Await(t, "online", c.Online)
	return c
}

// AwaitHeard waits for a message, as Heard gives it.
func (c *Client) AwaitHeard(t *testing.T, want string) {
	t.Helper()
	Await(t, fmt.Sprintf("to hear %q", want), func() bool { return slices.Contains(c.Heard(), want) })
}

// Send publishes with QoS 1, again and again until it is acknowledged.
func (c *Client) Send(t *testing.T, topic, payload string, retain bool) {
	t.Helper()
	Await(t, "PUBACK for "+topic, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return c.Publish(ctx, mqttconn.Message{Topic: topic, Payload: []byte(payload), QoS: 1, Retain: retain}) == nil
	})
}

// URLs says where the broker's doors are, which may be one, and with what to
// knock.
type URLs struct {
	Gateways string // for gateways
	Server   string // for the server
	Spy      string // for Spy; "" = the server's

	// Passwords of users; who is not among them has Password.
	Passwords map[string]string
}

func (u URLs) of(user string) string {
	switch {
	case user == Spy && u.Spy != "":
		return u.Spy
	case user == Spy || user == wire.ServerUser:
		return u.Server
	}
	return u.Gateways
}

func (u URLs) password(user string) string {
	if word, ok := u.Passwords[user]; ok {
		return word
	}
	return Password(user)
}

func (u URLs) connect(t *testing.T, user string, filters []string, edit func(*mqttconn.Config)) *Client {
	return Connect(t, u.of(user), user, filters, func(c *mqttconn.Config) {
		c.Password = u.password(user)
		if edit != nil {
			edit(c)
		}
	})
}

// Run runs the suite against the broker at url, which must know Users.
func Run(t *testing.T, url URLs) {
	t.Run("own branch", func(t *testing.T) { ownBranch(t, url) })
	t.Run("retained", func(t *testing.T) { retained(t, url) })
	t.Run("last will", func(t *testing.T) { lastWill(t, url) })
	t.Run("who gets in", func(t *testing.T) { whoGetsIn(t, url) })
	t.Run("forged publishes", func(t *testing.T) { forgedPublishes(t, url) })
	t.Run("forged subscriptions", func(t *testing.T) { forgedSubscriptions(t, url) })
	t.Run("order", func(t *testing.T) { order(t, url) })
}

func ownBranch(t *testing.T, url URLs) {
	server := url.connect(t, wire.ServerUser, append(wire.ServerFilters(), wire.LiveFilter(), wire.WakeFilter()),
		func(c *mqttconn.Config) { c.ClientID += ":own" }).AwaitOnline(t)
	gw := url.connect(t, "padma/gw-1", wire.GatewayFilters("padma", "gw-1"), nil).AwaitOnline(t)
	for _, p := range wire.GatewayACL("padma", "gw-1") {
		if p.Publish {
			gw.Send(t, p.Filter, "up", false)
			server.AwaitHeard(t, p.Filter+" up")
		} else {
			server.Send(t, p.Filter, "down", false)
			gw.AwaitHeard(t, p.Filter+" down")
		}
	}
	for _, topic := range []wire.Topic{wire.LiveTopic("padma"), wire.WakeTopic("lotus")} {
		server.Send(t, topic.String(), "own", false)
		server.AwaitHeard(t, topic.String()+" own")
	}
}

// AwaitRetained subscribes anew until the retained message comes. The embedded
// broker acknowledges a retained message shortly before it hands it to new
// subscribers; until then they get the one before, or none.
func AwaitRetained(t *testing.T, url URLs, user, topic, payload string) {
	t.Helper()
	Await(t, "retained "+topic+" "+payload, func() bool {
		c := url.connect(t, user, []string{topic}, func(c *mqttconn.Config) { c.ClientID += ":again" }).AwaitOnline(t)
		defer c.Stop()
		return within(time.Second, func() bool { return slices.Contains(c.Heard(), "retained "+topic+" "+payload) })
	})
}

func retained(t *testing.T, url URLs) {
	gw := url.connect(t, "padma/gw-2", nil, nil).AwaitOnline(t)
	birth := wire.BirthTopic("padma", "gw-2").String()
	gw.Send(t, birth, "first", true)
	gw.Send(t, birth, "second", true)
	AwaitRetained(t, url, Spy, birth, "second")
	late := url.connect(t, wire.ServerUser, wire.ServerFilters(), func(c *mqttconn.Config) { c.ClientID += ":late" })
	late.AwaitHeard(t, "retained "+birth+" second")
	server := url.connect(t, wire.ServerUser, nil, nil).AwaitOnline(t)
	commit := wire.CommitTopic("padma", "gw-2", wire.Alarms).String()
	server.Send(t, commit, "upto", true)
	AwaitRetained(t, url, "padma/gw-2", commit, "upto")
	gw.Stop()
	again := url.connect(t, "padma/gw-2", wire.GatewayFilters("padma", "gw-2"), nil)
	again.AwaitHeard(t, "retained "+commit+" upto")
}

func lastWill(t *testing.T, url URLs) {
	presence := wire.PresenceTopic("padma", "gw-1").String()
	server := url.connect(t, wire.ServerUser, wire.ServerFilters(), func(c *mqttconn.Config) { c.ClientID += ":will" }).AwaitOnline(t)
	plug := NewProxy(t, strings.TrimPrefix(url.Gateways, "tcp://"))
	gw := url.connect(t, "padma/gw-1", nil, func(c *mqttconn.Config) {
		c.URL = "tcp://" + plug.Addr()
		c.Will = &mqttconn.Message{Topic: presence, Payload: []byte("dead"), QoS: 1, Retain: true}
	}).AwaitOnline(t)
	gw.Send(t, presence, "alive", true)
	server.AwaitHeard(t, presence+" alive")
	plug.Cut()
	server.AwaitHeard(t, presence+" dead")
	AwaitRetained(t, url, Spy, presence, "dead")
}

func order(t *testing.T, url URLs) {
	const n = 500
	topic := wire.PackTopic("padma", "gw-1", wire.Readings, false).String()
	server := url.connect(t, wire.ServerUser, wire.ServerFilters(), func(c *mqttconn.Config) { c.ClientID += ":order" }).AwaitOnline(t)
	gw := url.connect(t, "padma/gw-1", nil, nil).AwaitOnline(t)
	for i := range n {
		gw.Send(t, topic, fmt.Sprint(i), false)
	}
	server.AwaitHeard(t, fmt.Sprint(topic, " ", n-1))
	i := 0
	for _, s := range server.Heard() {
		if !strings.HasPrefix(s, topic+" ") {
			continue
		}
		if want := fmt.Sprint(topic, " ", i); s != want {
			t.Fatalf("heard %q, want %q", s, want)
		}
		i++
	}
}
