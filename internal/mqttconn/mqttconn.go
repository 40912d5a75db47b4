// Package mqttconn is an MQTT 3.1.1 connection that comes back. It alone
// knows paho.
//
// Sessions are always clean: whatever was published without PUBACK when a
// connection ended is the caller's to publish again, and subscriptions are made
// anew on each connection, before OnConnect. Paho's own reconnecting is not used:
// it keeps messages for later that this protocol sends again by itself, and it
// starts its handlers before subscriptions are back.
package mqttconn

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

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// ErrOffline reports that there is no connection, or that it ended before the
// broker acknowledged.
var ErrOffline = errors.New("not connected to the broker")

const (
	keepAlive      = 10 * time.Second // a broker announces the last will after 1.5 of it
	pingTimeout    = 5 * time.Second
	connectTimeout = 5 * time.Second
	writeTimeout   = 5 * time.Second

	minBackoff = 200 * time.Millisecond
	maxBackoff = 5 * time.Second

	// steady is how long a connection must last for the next attempt to be
	// quick again.
	steady = 10 * time.Second

	farewell = 250 // ms for DISCONNECT to go out
)

// Config describes the connection.
type Config struct {
	URL      string // tcp://host:port or tls://host:port
	ClientID string
	Username string
	Password string
	Will     *Message    // nil = none
	TLS      *tls.Config // for tls://; nil = the system's roots

	// OnConnect is called on each connection, once all subscriptions stand
	// and Publish works. It should return soon after Publish says ErrOffline.
	OnConnect func()
	// OnDown is called once for each connection that OnConnect saw, when it is
	// lost; not when Run ends it.
	OnDown func(error)
}

// Message is an MQTT message. Handlers own the payload they are given.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte // 0 or 1
	Retain  bool
}

// Conn is a connection. Its methods are safe for concurrent use.
type Conn struct {
	cfg   Config
	log   *slog.Logger
	subs  []subscription
	queue chan Message

	queued  atomic.Int64 // bytes of payload in queue
	dropped atomic.Uint64
	full    atomic.Bool

	mu   sync.Mutex
	link *link // nil = offline, guarded by mu
}

// New returns a connection that Run will open.
func New(cfg Config, log *slog.Logger) *Conn {
	return &Conn{cfg: cfg, log: log, queue: make(chan Message, maxQueued)}
}

// Subscribe names a filter and what to call for its messages. It must be called
// before Run, with filters that do not overlap. Handlers are called one at a time,
// in the order in which messages came in, and must not block for long: see
// Dropped.
func (c *Conn) Subscribe(filter string, qos byte, handler func(Message)) {
	c.subs = append(c.subs, subscription{filter: filter, qos: qos, handler: handler})
}

// Online reports whether there is a connection now.
func (c *Conn) Online() bool { return c.current() != nil }

func (c *Conn) current() *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

func (c *Conn) set(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
}

// Publish sends m; with QoS 1 it waits for the PUBACK. It returns ErrOffline at
// once if there is no connection, or when it ends first, and ctx.Err() when ctx
// ends first; then m may or may not have arrived. While the broker does not
// read, it may outlast ctx by 5 s.
func (c *Conn) Publish(ctx context.Context, m Message) error {
	l := c.current()
	if l == nil {
		return ErrOffline
	}
	token := l.client.Publish(m.Topic, m.QoS, m.Retain, m.Payload)
	select {
	case <-token.Done():
		if err := token.Error(); err != nil {
			return fmt.Errorf("%w: %w", ErrOffline, err)
		}
		return nil
	case <-l.lost:
		return ErrOffline
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run opens the connection and keeps reopening it, after 0.2 s at first and
// up to 5 s, each time with jitter, until ctx ends; it returns ctx.Err(). A broker that is
// absent, or refuses, is logged once until it answers.
func (c *Conn) Run(ctx context.Context) error {
	var delivery sync.WaitGroup
	delivery.Go(func() { c.deliver(ctx) })
	defer delivery.Wait()
	backoff, told := minBackoff, false
	for {
		began := time.Now()
		up, err := c.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if up || !told {
			c.log.Warn("broker away", "url", c.cfg.URL, "client", c.cfg.ClientID, "err", err)
			told = true
		}
		if up && time.Since(began) > steady {
			backoff = minBackoff
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(jitter(backoff)):
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// jitter returns between half of d and all of it, so that many gateways do not
// return in one instant.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// session is one connection from dialling to its end; up says whether it was
// ever usable.
func (c *Conn) session(ctx context.Context) (up bool, err error) {
	l := &link{lost: make(chan struct{})}
	client, err := c.connect(ctx, l)
	if err != nil {
		return false, err
	}
	l.client = client
	defer l.end()
	if err := c.subscribe(ctx, l); err != nil {
		return false, err
	}
	c.set(l)
	defer c.set(nil)
	c.log.Info("broker connected", "url", c.cfg.URL, "client", c.cfg.ClientID)
	if c.cfg.OnConnect != nil {
		c.cfg.OnConnect()
	}
	select {
	case <-ctx.Done():
		return true, ctx.Err()
	case <-l.lost:
	}
	c.set(nil)
	if c.cfg.OnDown != nil {
		c.cfg.OnDown(l.why)
	}
	return true, l.why
}

// wait waits for an answer of the broker's.
func wait(ctx context.Context, l *link, token mqtt.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	case <-l.lost:
		return l.why
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(connectTimeout):
		return errors.New("the broker does not answer")
	}
}
