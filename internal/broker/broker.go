// Package broker embeds a NATS server for its MQTT 3.1.1 listener: the broker
// of a Nirapod that has none beside it. Nothing but that listener is exposed,
// every client must log in, and may do what its permissions say and no more.
//
// It promises what the protocol asks of a broker, which is little: what it has
// acknowledged may be lost when it is killed.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"nirapod/wire"
)

const (
	// maxPayload leaves room for topic and headers around the largest pack. A
	// client that sends more is disconnected.
	maxPayload = wire.MaxPack + 16<<10

	// maxStore bounds what waits for slow subscribers. Beyond it publishers get
	// no PUBACK, and keep what they have.
	maxStore = 1 << 30

	startTimeout = 20 * time.Second
)

// Config says where the broker listens and who may use it.
type Config struct {
	Listen string      // host:port; port 0 takes a free one
	TLS    *tls.Config // nil = plain TCP

	// StoreDir is where messages wait. It survives restarts; nothing depends
	// on that. Empty = a temporary directory, removed at the end.
	StoreDir string

	// Auth answers for each connecting client, concurrently with itself. What
	// the permissions do not allow is forbidden.
	Auth func(username, password string) (perms []wire.Permission, ok bool)
}

// Broker is a running broker. Its methods are safe for concurrent use.
type Broker struct {
	srv   *server.Server
	addr  string
	temp  string // to be removed at the end, "" = none
	close func() error
}

// New starts a broker and returns once it accepts connections at Addr. Run or
// Close must be called to end it.
func New(cfg Config, log *slog.Logger) (*Broker, error) {
	host, portText, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("broker: listen %q: %w", cfg.Listen, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 0 || port > 65535 {
		return nil, fmt.Errorf("broker: listen %q: the port is no number from 0 to 65535", cfg.Listen)
	}
	if cfg.Auth == nil {
		return nil, errors.New("broker: no Auth: a broker without a door lock is not started")
	}
	b := &Broker{}
	dir := cfg.StoreDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "nirapod-broker-"); err != nil {
			return nil, fmt.Errorf("broker: %w", err)
		}
		b.temp = dir
	}
	b.close = sync.OnceValue(b.shutdown)
	if err := b.start(options(cfg, host, port, dir), log); err != nil {
		return nil, errors.Join(fmt.Errorf("broker at %s: %w", cfg.Listen, err), b.Close())
	}
	return b, nil
}

func options(cfg Config, host string, port int, dir string) *server.Options {
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return &server.Options{
		ServerName:        "nirapod",
		DontListen:        true, // no NATS clients; only MQTT
		NoSigs:            true,
		MaxPayload:        maxPayload,
		JetStream:         true, // where NATS keeps MQTT's sessions, retained and QoS 1 messages
		StoreDir:          dir,
		JetStreamMaxStore: maxStore,
		NoSystemAccount:   false,
		MQTT: server.MQTTOpts{
			Host: host, Port: port, TLSConfig: cfg.TLS,
			AckWait: 30 * time.Second, MaxAckPending: 4096,
		},
		CustomClientAuthentication: door(cfg.Auth),
	}
}

func (b *Broker) start(opts *server.Options, log *slog.Logger) error {
	srv, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	b.srv = srv
	quiet := &natsLog{log: log, told: map[string]time.Time{}}
	srv.SetLoggerV2(quiet, false, false, false)
	srv.Start()
	for deadline := time.Now().Add(startTimeout); !srv.ReadyForConnections(50 * time.Millisecond); {
		if err := quiet.fatal(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready within %s", startTimeout)
		}
	}
	// NATS writes the port that it got into its options.
	b.addr = net.JoinHostPort(opts.MQTT.Host, strconv.Itoa(opts.MQTT.Port))
	return nil
}

// Addr returns host:port of the MQTT listener.
func (b *Broker) Addr() string { return b.addr }

// Run keeps the broker running until ctx ends, closes it and returns
// ctx.Err().
func (b *Broker) Run(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() {
		b.srv.WaitForShutdown()
		close(stopped)
	}()
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-stopped:
		err = errors.New("broker: stopped by itself")
	}
	closeErr := b.Close()
	<-stopped
	return errors.Join(err, closeErr)
}

// Close ends the broker and disconnects its clients; nobody is there to hear
// their last wills. It may be called more than once.
func (b *Broker) Close() error { return b.close() }

func (b *Broker) shutdown() error {
	if b.srv != nil {
		b.srv.Shutdown()
		b.srv.WaitForShutdown()
	}
	if b.temp == "" {
		return nil
	}
	return os.RemoveAll(b.temp)
}
