package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"nirapod/internal/mqttconn"
	"nirapod/rules"
	"nirapod/state"
	"nirapod/store"
	"nirapod/wire"
)

// maxQueue bounds the messages between the connection and the owner loop.
const maxQueue = 1024

// Config says how ingest works.
type Config struct {
	// Broker is the connection, without Will and handlers.
	Broker mqttconn.Config
	// Production refuses what is marked as simulated.
	Production bool
	// Rules are bound to every factory; those that run on the server are taken.
	Rules []rules.Pack
}

// Ingest is the role. New, then Run.
type Ingest struct {
	cfg     Config
	db      *state.DB
	series  store.Store
	log     *slog.Logger
	metrics *metrics
	conn    *mqttconn.Conn
	queue   chan mqttconn.Message
	stopped chan struct{}

	// Owned by the loop.
	core  *core
	out   *publisher
	clock *clock
	began time.Time
	// disputed says that gateways with a synced clock disagree with this one.
	disputed bool
	epoch    string
	store    backoff
	state    backoff
	flushed  time.Duration // how long the last flush took
	flight   *flight       // nil = none
	grace    time.Duration

	waits atomic.Bool // readings wait for the series store
}

// New returns the role; it does nothing before Run. Its metrics go to r. It
// owns neither db nor series, but is the only one to append to series.
func New(cfg Config, db *state.DB, series store.Store, r prometheus.Registerer, log *slog.Logger) *Ingest {
	i := &Ingest{
		cfg: cfg, db: db, series: series, log: log,
		queue: make(chan mqttconn.Message, maxQueue), stopped: make(chan struct{}), grace: grace,
	}
	i.metrics = newMetrics(r, func() float64 { return float64(len(i.queue)) })
	if cfg.Broker.ClientID == "" {
		cfg.Broker.ClientID = wire.ServerUser + ":ingest"
	}
	i.conn = mqttconn.New(cfg.Broker, log)
	i.out = newPublisher(i.conn.Publish, log)
	for _, filter := range wire.ServerFilters() {
		i.conn.Subscribe(filter, 1, i.enqueue)
	}
	return i
}

// enqueue is where a message is acknowledged: the commit protects the data, not
// the broker. A full queue blocks, and with it the connection; what the
// connection then drops is sent again by its gateway.
func (i *Ingest) enqueue(m mqttconn.Message) {
	select {
	case i.queue <- m:
	case <-i.stopped:
	}
}

// Run works until ctx ends, and returns ctx.Err(); or until the series store
// is broken, or the state cannot be read at the start. It may be called once.
func (i *Ingest) Run(ctx context.Context) error {
	if err := i.load(ctx); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return i.conn.Run(ctx) })
	g.Go(func() error { return i.out.run(ctx) })
	g.Go(func() error {
		// What waits in enqueue would keep the connection from ending.
		defer close(i.stopped)
		err := i.loop(ctx)
		if i.flight != nil {
			<-i.flight.done // the store is the caller's to close
		}
		return err
	})
	return g.Wait()
}

// Ready returns nil while ingest can hear gateways and keep what they say.
func (i *Ingest) Ready() error {
	if !i.conn.Online() {
		return errors.New("ingest has no connection to the broker")
	}
	if i.waits.Load() {
		return errors.New("the series store does not take readings: they wait at the gateways")
	}
	return nil
}

// now is ingest time, in whole milliseconds.
func (i *Ingest) now() time.Time {
	// Without its monotonic part: the step of the wall clock is what is asked for.
	now := i.clock.at(time.Since(i.began), time.Now().Round(0))
	wrong := i.clock.wrong || i.disputed
	if i.core.clockWrong != wrong {
		i.core.clockWrong = wrong
		i.saidClock()
	}
	i.core.clockDoubt = i.clock.doubt
	return now.UTC().Truncate(time.Millisecond)
}

// hearWitnesses lets gateways say whether the clock is right. A clock that is in
// doubt since the start is believed when one agrees, or if within offlineAfter
// of the start none has said otherwise: then nobody knows better.
func (i *Ingest) hearWitnesses(running time.Duration) {
	said := i.core.witnesses()
	i.disputed = said == disagrees
	if i.clock.doubt && (said == agrees || said == noWitness && running >= offlineAfter) {
		i.clock.doubt = false
	}
	i.core.doubtTold = said == disagrees || running >= doubtHeld
}

func (i *Ingest) saidClock() {
	if i.core.clockWrong {
		i.metrics.clockInDoubt.Set(1)
		i.log.Error("the clock is in doubt: it jumped, was a week ahead at the start, or gateways with a synced clock disagree; set it right, or start anew if it is right",
			"wall", time.Now(), "ingest", i.clock.now, "disputed", i.disputed, "since_start", i.clock.doubt)
		return
	}
	i.metrics.clockInDoubt.Set(0)
	i.log.Info("the clock is believed again")
}
