package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"nirapod/internal/broker"
	"nirapod/internal/mqttconn"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/store/storetest"
	"nirapod/wire"
)

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func startBroker(t *testing.T) string {
	t.Helper()
	b, err := broker.New(broker.Config{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Auth: func(user, _ string) ([]wire.Permission, bool) {
		switch user {
		case wire.ServerUser:
			return wire.ServerACL(), true
		case wire.GatewayUser("padma", "gw-1"):
			return wire.GatewayACL("padma", "gw-1"), true
		}
		return nil, false
	}}, discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return "tcp://" + b.Addr()
}

var dialled atomic.Int64

// client is a connection that keeps what it hears.
type client struct {
	*mqttconn.Conn
	mu    sync.Mutex
	heard []mqttconn.Message
}

func dial(t *testing.T, url, user string, filters ...string) *client {
	t.Helper()
	c := &client{Conn: mqttconn.New(mqttconn.Config{URL: url, ClientID: fmt.Sprintf("%s:%d", user, dialled.Add(1)), Username: user, Password: "secret"}, discard)}
	for _, filter := range filters {
		c.Subscribe(filter, 1, func(m mqttconn.Message) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.heard = append(c.heard, m)
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	eventually(t, "a connection of "+user, c.Online)
	return c
}

func (c *client) pack(t *testing.T, p wire.Pack) {
	t.Helper()
	topic, payload := encode(t, p)
	if err := c.Publish(t.Context(), mqttconn.Message{Topic: topic, Payload: payload, QoS: 1}); err != nil {
		t.Fatal(err)
	}
}

// commits returns the newest commit heard of each stream.
func (c *client) commits(t *testing.T) map[wire.Stream]wire.Commit {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[wire.Stream]wire.Commit{}
	for _, m := range c.heard {
		topic, err := wire.ParseTopic(m.Topic)
		if err != nil {
			t.Fatal(err)
		}
		if topic.Kind != wire.KindCommit {
			continue
		}
		commit, err := wire.DecodeCommit(topic, m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		out[topic.Stream] = commit
	}
	return out
}

func (c *client) kinds(t *testing.T) map[wire.Kind]int {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[wire.Kind]int{}
	for _, m := range c.heard {
		topic, err := wire.ParseTopic(m.Topic)
		if err != nil {
			t.Fatal(err)
		}
		out[topic.Kind]++
	}
	return out
}

func runIngest(t *testing.T, url string, db *state.DB, series store.Store) (stop func()) {
	t.Helper()
	i := New(Config{Broker: mqttconn.Config{URL: url, Username: wire.ServerUser, Password: "secret"}}, db, series, prometheus.NewRegistry(), discard)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	eventually(t, "ingest is connected", i.conn.Online)
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func nowPack(first uint64, n int) wire.Pack {
	p := readings(first, n)
	sent := time.Now().UTC().Truncate(time.Millisecond)
	p.Sent = sent
	for i := range p.Records {
		p.Records[i].At = sent.Add(time.Duration(i-n) * time.Millisecond)
	}
	return p
}

// The whole way through the real broker, state and series store.
func TestThroughTheBroker(t *testing.T) {
	url := startBroker(t)
	db, series := openBoth(t, t.TempDir())
	defer db.Close()
	defer series.Close()
	if _, err := db.ImportSite(t.Context(), testSite("padma", 1, "gw-1"), time.Now()); err != nil {
		t.Fatal(err)
	}
	stop := runIngest(t, url, db, series)
	server := dial(t, url, wire.ServerUser, wire.LiveFilter(), wire.WakeFilter())
	gateway := dial(t, url, wire.GatewayUser("padma", "gw-1"), wire.GatewayFilters("padma", "gw-1")...)

	birth, err := wire.EncodeBirth(wire.Birth{Gateway: "gw-1", Run: testRun, Boot: "b1", Version: "1.2", Clock: wire.Synced,
		At: time.Now().UTC().Truncate(time.Millisecond), Flags: safety.Simulated})
	if err != nil {
		t.Fatal(err)
	}
	err = gateway.Publish(t.Context(), mqttconn.Message{
		Topic: wire.BirthTopic("padma", "gw-1").String(), Payload: birth, QoS: 1, Retain: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	first := nowPack(1, 10)
	gateway.pack(t, first)
	alarm := alarms(1, 1)
	alarm.Sent = first.Sent
	alarm.Records[0].At = first.Records[9].At
	gateway.pack(t, alarm)
	eventually(t, "both streams are committed", func() bool {
		c := gateway.commits(t)
		return c[wire.Readings].Upto == 10 && c[wire.Alarms].Upto == 1
	})
	epoch, err := db.Epoch(t.Context())
	if got := gateway.commits(t)[wire.Readings]; err != nil || got.Run != testRun || got.Epoch != epoch {
		t.Errorf("commit %+v, epoch %s, %v", got, epoch, err)
	}
	stored, err := storetest.Collect(t.Context(), series, store.Query{Factory: "padma", From: day.Add(-365 * 24 * time.Hour), To: time.Now().Add(time.Hour)})
	if err != nil || len(stored) != 10 || !stored[9].At.Equal(first.Records[9].At) {
		t.Fatalf("stored %v, %v", stored, err)
	}
	transitions, err := db.TransitionsAfter(t.Context(), 0, 10)
	if err != nil || len(transitions) != 1 || transitions[0].Source != "gw-1" {
		t.Fatalf("transitions %+v, %v", transitions, err)
	}
	eventually(t, "live readings and wakes", func() bool {
		k := server.kinds(t)
		return k[wire.KindLive] > 0 && k[wire.KindWake] > 1
	})
	eventually(t, "the status of the gateway", func() bool {
		all, err := db.Gateways(t.Context())
		return err == nil && len(all) == 1 && all[0].Online && all[0].Version == "1.2" && all[0].Simulated && all[0].Run == testRun
	})

	// A new ingest knows what is committed, and says so again.
	stop()
	runIngest(t, url, db, series)
	gateway.mu.Lock()
	gateway.heard = nil
	gateway.mu.Unlock()
	gateway.pack(t, first)
	eventually(t, "a repeat is committed again", func() bool { return gateway.commits(t)[wire.Readings].Upto == 10 })

	// What a gateway hears that connects later is of the newest run.
	late := dial(t, url, wire.GatewayUser("padma", "gw-1"), wire.CommitTopic("padma", "gw-1", wire.Readings).String())
	eventually(t, "the retained commit", func() bool { return late.commits(t)[wire.Readings].Upto == 10 })
	older := nowPack(1, 2)
	older.Run = "00000000000000bb"
	gateway.pack(t, older)
	eventually(t, "the older run's commit", func() bool { return gateway.commits(t)[wire.Readings].Run == older.Run })
	later := dial(t, url, wire.GatewayUser("padma", "gw-1"), wire.CommitTopic("padma", "gw-1", wire.Readings).String(),
		wire.CommitTopic("padma", "gw-1", wire.Alarms).String())
	eventually(t, "the retained commit of the newest run", func() bool {
		c := later.commits(t)[wire.Readings]
		return c.Run == testRun && c.Upto == 10
	})
}

// A broken series store ends Run, so that the process starts anew; nothing that
// still comes in may hold that up.
func TestABrokenStoreEndsRun(t *testing.T) {
	url := startBroker(t)
	db, series := openBoth(t, t.TempDir())
	defer db.Close()
	defer series.Close()
	if _, err := db.ImportSite(t.Context(), testSite("padma", 1, "gw-1"), time.Now()); err != nil {
		t.Fatal(err)
	}
	b := &broken{Store: series}
	fatal := fmt.Errorf("%w: input/output error", store.ErrBroken)
	b.err.Store(&fatal)
	i := New(Config{Broker: mqttconn.Config{URL: url, Username: wire.ServerUser, Password: "secret"}}, db, b, prometheus.NewRegistry(), discard)
	done := make(chan error, 1)
	go func() { done <- i.Run(t.Context()) }()
	eventually(t, "ingest is connected", i.conn.Online)
	gateway := dial(t, url, wire.GatewayUser("padma", "gw-1"), wire.GatewayFilters("padma", "gw-1")...)
	gateway.pack(t, nowPack(1, 2))
	select {
	case err := <-done:
		if !errors.Is(err, store.ErrBroken) {
			t.Errorf("Run returned %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run goes on with a broken store")
	}
}
