package forward

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"nirapod/gateway-agent/spool"
	"nirapod/internal/broker"
	"nirapod/internal/broker/brokertest"
	"nirapod/internal/mqttconn"
	"nirapod/safety"
	"nirapod/wire"
)

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startBroker runs the embedded broker, with nothing kept from before.
func startBroker(t *testing.T, addr string) (stop func()) {
	t.Helper()
	b, err := broker.New(broker.Config{Listen: addr, Auth: brokertest.Auth}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

// connectServer lets srv store and commit what comes over the broker.
func connectServer(t *testing.T, srv *server, addr string) (stop func()) {
	t.Helper()
	commits := make(chan wire.Commit, 1000)
	c := mqttconn.New(mqttconn.Config{URL: "tcp://" + addr, ClientID: wire.ServerUser + ":test",
		Username: wire.ServerUser, Password: brokertest.Password(wire.ServerUser)}, quiet)
	for _, filter := range wire.ServerFilters() {
		c.Subscribe(filter, 1, func(m mqttconn.Message) {
			if commit, ok := srv.receive(m.Topic, m.Payload); ok {
				commits <- commit
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = c.Run(ctx) })
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case commit := <-commits:
				payload, err := wire.EncodeCommit(commit)
				if err != nil {
					t.Error(err)
				}
				err = c.Publish(ctx, mqttconn.Message{QoS: 1, Payload: payload,
					Topic: wire.CommitTopic("padma", "gw-1", commit.Stream).String()})
				if err != nil && !errors.Is(err, mqttconn.ErrOffline) && ctx.Err() == nil {
					t.Error(err)
				}
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// feeder accepts readings and alarms and remembers what they were.
type feeder struct {
	t      *testing.T
	sp     *spool.Spool
	began  time.Time
	wanted map[ident]string
	n, m   uint64
}

func (f *feeder) feed(readings int) {
	f.t.Helper()
	for range readings {
		f.n++
		mono := int64(f.n)
		rec := spool.Record{Stamp: spool.Stamp{Mono: mono, Wall: f.began.Add(time.Duration(mono) * time.Millisecond).UTC()},
			Reading: safety.Reading{Sensor: "store-heat", Value: math.Sqrt(float64(f.n)), Quality: safety.Good}}
		if err := f.sp.Append(wire.Readings, rec); err != nil {
			f.t.Fatal(err)
		}
		f.wanted[ident{runName(1), wire.Readings, f.n}] = fmt.Sprint(rec.Wall.UnixMilli(), " store-heat ", rec.Reading.Value, " ", safety.Good, "  ", 0)
	}
	f.m++
	a := alarm(fmt.Sprintf("smoke-%d", f.m))
	wall := f.began.Add(time.Duration(f.n) * time.Millisecond).UTC()
	if err := f.sp.Append(wire.Alarms, spool.Record{Stamp: spool.Stamp{Mono: int64(f.n), Wall: wall}, Transition: a}); err != nil {
		f.t.Fatal(err)
	}
	f.wanted[ident{runName(1), wire.Alarms, f.m}] = fmt.Sprint(wall.UnixMilli(), " ", a.Rule, " ", a.From, " ", a.To, " ", a.Values)
}

func (f *feeder) await(srv *server) {
	f.t.Helper()
	brokertest.Await(f.t, "all that was accepted to arrive", func() bool {
		return srv.count(wire.Readings) == int(f.n) && srv.count(wire.Alarms) == int(f.m)
	})
}

func TestBrokerAwayAtStartKilledAndBack(t *testing.T) {
	addr := freeAddr(t)
	cfg := testConfig(1, time.Now().Truncate(time.Millisecond), true)
	cfg.URL, cfg.Password = "tcp://"+addr, brokertest.Password("padma/gw-1")
	sp, err := spool.Open(t.TempDir(), spool.Config{Run: cfg.Run, Boot: cfg.Boot}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(cfg, sp, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	srv := newTestServer(t)
	feed := &feeder{t: t, sp: sp, began: time.Now().Truncate(time.Millisecond), wanted: map[ident]string{}}

	feed.feed(1300) // with no broker
	stopBroker := startBroker(t, addr)
	stopServer := connectServer(t, srv, addr)
	feed.await(srv)
	for round := range 3 {
		feed.feed(200)
		stopBroker()
		feed.feed(900)
		if round == 1 {
			stopServer() // and another server with the same state
			stopServer = connectServer(t, srv, addr)
		}
		stopBroker = startBroker(t, addr)
		feed.feed(100)
		feed.await(srv)
	}
	for id, want := range feed.wanted {
		if got := srv.stored[id]; got != want {
			t.Errorf("%v is %q, accepted was %q", id, got, want)
		}
	}
	if len(srv.stored) != len(feed.wanted) {
		t.Errorf("%d stored, %d accepted", len(srv.stored), len(feed.wanted))
	}
	brokertest.Await(t, "the spool to be emptied of what is committed", func() bool {
		return sp.Extents(wire.Readings)[0].From > 1
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	stopServer()
	stopBroker()
	if err := sp.Close(); err != nil {
		t.Error(err)
	}
}
