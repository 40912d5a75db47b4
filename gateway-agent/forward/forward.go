// Package forward sends what the spool holds to the server, again and again
// until the server commits it, and then lets the spool forget it.
//
// Readings and alarms go on their own ways: each has its own window of packs
// in flight and its own timeouts, and no more than one telemetry pack is ever
// between the gateway and the broker's PUBACK, so that an alarm waits for one
// pack at most on a slow line.
package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/gateway-agent/spool"
	"nirapod/internal/mqttconn"
	"nirapod/safety"
	"nirapod/wire"
)

const (
	gatherReadings = time.Second
	batchReadings  = 500
	batchAlarms    = 100
	windowReadings = 48 // with windowAlarms, the 64 uncommitted packs that a gateway may have in flight
	windowAlarms   = 16

	publishTimeout = 10 * time.Second // for a PUBACK
	farewell       = time.Second      // for the last presence
)

// Config says where to send, as whom, and how late it is.
type Config struct {
	Factory, Gateway string
	URL, Password    string // of the broker; the user name follows from the ids
	TLS              *tls.Config
	Run, Boot        string
	CBOR             bool                   // packs in CBOR
	Units            map[string]safety.Unit // by sensor; without one the pack does not say it

	Mono func() int64                                   // ms of the boot's monotonic clock
	Wall func(mono int64) (at time.Time, anchor string) // wall time at mono; zero while unsynced

	Birth   func() wire.Birth  // asked on each connection and by Announce; Gateway, Run and Boot are filled in
	Command func(wire.Command) // what the server asks; must return soon; each id comes once
}

// conn is what the forwarder needs of mqttconn.Conn.
type conn interface {
	Run(context.Context) error
	Publish(context.Context, mqttconn.Message) error
	Online() bool
}

// Forwarder is safe for concurrent use.
type Forwarder struct {
	cfg   Config
	log   *slog.Logger
	conn  conn
	lanes []*lane

	session  atomic.Uint64 // counts connections
	announce chan struct{}
	up       chan struct{} // there is a connection

	mu    sync.Mutex
	taken []string // ids of the newest commands, guarded by mu
}

// New returns a forwarder of what sp holds, for Run to start.
func New(cfg Config, sp *spool.Spool, log *slog.Logger) (*Forwarder, error) {
	f := newForwarder(cfg, sp, log)
	user := wire.GatewayUser(cfg.Factory, cfg.Gateway)
	will, err := f.presence(false)
	if err != nil {
		return nil, fmt.Errorf("forward: last will: %w", err)
	}
	c := mqttconn.New(mqttconn.Config{
		URL: cfg.URL, ClientID: user, Username: user, Password: cfg.Password, TLS: cfg.TLS,
		Will: &will, OnConnect: func() { signal(f.up) }, OnDown: func(error) { f.wake() },
	}, log)
	for _, filter := range wire.GatewayFilters(cfg.Factory, cfg.Gateway) {
		c.Subscribe(filter, 1, f.receive)
	}
	f.conn = c
	return f, nil
}

func newForwarder(cfg Config, sp *spool.Spool, log *slog.Logger) *Forwarder {
	f := &Forwarder{cfg: cfg, log: log, announce: make(chan struct{}, 1), up: make(chan struct{}, 1)}
	f.lanes = []*lane{
		newLane(f, sp, wire.Alarms, batchAlarms, &queue{window: windowAlarms}),
		newLane(f, sp, wire.Readings, batchReadings, &queue{window: windowReadings, batch: batchReadings, gather: gatherReadings}),
	}
	return f
}

// jitter returns d ± 20 %, so that gateways do not repeat in one instant.
func jitter(d time.Duration) time.Duration { return d*4/5 + rand.N(d*2/5+1) }

// Run connects and forwards until ctx ends, takes leave and returns ctx.Err().
// It works with no broker, too: then it waits for one.
func (f *Forwarder) Run(ctx context.Context) error {
	connCtx, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	var link sync.WaitGroup
	link.Go(func() {
		if err := f.conn.Run(connCtx); err != nil && connCtx.Err() == nil {
			f.log.Error("connection ended for good", "err", err)
		}
	})
	g, laneCtx := errgroup.WithContext(ctx)
	for _, l := range f.lanes {
		g.Go(func() error { return l.run(laneCtx) })
	}
	g.Go(func() error { return f.introduce(laneCtx) })
	err := g.Wait()
	leave, cancel := context.WithTimeout(connCtx, farewell)
	defer cancel()
	f.tell(leave, func() (mqttconn.Message, error) { return f.presence(false) })
	hangUp()
	link.Wait()
	return err
}

// Announce publishes the birth again: an anchor, the clock or a flag changed.
func (f *Forwarder) Announce() { signal(f.announce) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// introduce announces the gateway: on each connection before the lanes may
// send, and when Announce asks for it.
func (f *Forwarder) introduce(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.announce:
			f.tell(ctx, f.birth)
		case <-f.up:
			f.tell(ctx, f.birth)
			f.tell(ctx, func() (mqttconn.Message, error) { return f.presence(true) })
			f.session.Add(1)
			f.wake()
		}
	}
}

func (f *Forwarder) tell(ctx context.Context, what func() (mqttconn.Message, error)) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	m, err := what()
	if err == nil {
		err = f.conn.Publish(ctx, m)
	}
	if err != nil && !errors.Is(err, mqttconn.ErrOffline) && !errors.Is(err, context.Canceled) {
		f.log.Error("gateway not announced", "topic", m.Topic, "err", err)
	}
}

func (f *Forwarder) birth() (mqttconn.Message, error) {
	b := f.cfg.Birth()
	b.Gateway, b.Run, b.Boot = f.cfg.Gateway, f.cfg.Run, f.cfg.Boot
	payload, err := wire.EncodeBirth(b)
	return retained(wire.BirthTopic(f.cfg.Factory, f.cfg.Gateway), payload), err
}

func (f *Forwarder) presence(online bool) (mqttconn.Message, error) {
	at, _ := f.cfg.Wall(f.cfg.Mono())
	payload, err := wire.EncodePresence(wire.Presence{Run: f.cfg.Run, Online: online, At: at})
	return retained(wire.PresenceTopic(f.cfg.Factory, f.cfg.Gateway), payload), err
}

func retained(t wire.Topic, payload []byte) mqttconn.Message {
	return mqttconn.Message{Topic: t.String(), Payload: payload, QoS: 1, Retain: true}
}

// Online reports whether there is a connection to the broker now.
func (f *Forwarder) Online() bool { return f.conn.Online() }

// Stalled reports whether the server has not committed for two minutes
// although something is uncommitted: a fault to be shown at the gateway.
func (f *Forwarder) Stalled() bool {
	for _, l := range f.lanes {
		if l.stalled.Load() {
			return true
		}
	}
	return false
}

func (f *Forwarder) wake() {
	for _, l := range f.lanes {
		l.wake()
	}
}
