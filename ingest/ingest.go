package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	epoch string
	store backoff
	state backoff
}

// New returns the role; it does nothing before Run. Its metrics go to r. It
// owns neither db nor series, but is the only one to append to series.
func New(cfg Config, db *state.DB, series store.Store, r prometheus.Registerer, log *slog.Logger) *Ingest {
	i := &Ingest{
		cfg: cfg, db: db, series: series, log: log,
		queue: make(chan mqttconn.Message, maxQueue), stopped: make(chan struct{}),
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
		return i.loop(ctx)
	})
	return g.Wait()
}

// Ready returns nil while ingest can hear gateways.
func (i *Ingest) Ready() error {
	if !i.conn.Online() {
		return errors.New("ingest has no connection to the broker")
	}
	return nil
}

// now is ingest time, in whole milliseconds.
func (i *Ingest) now() time.Time {
	before := i.clock.wrong
	// Without its monotonic part: the step of the wall clock is what is asked for.
	now := i.clock.at(time.Since(i.began), time.Now().Round(0))
	if i.clock.wrong != before {
		i.saidClock()
	}
	i.core.clockWrong = i.clock.wrong
	return now.UTC().Truncate(time.Millisecond)
}

func (i *Ingest) saidClock() {
	if i.clock.wrong {
		i.metrics.clockInDoubt.Set(1)
		i.log.Error("the wall clock stepped by more than an hour: it is not followed; set it right, or start anew if it is right", "wall", time.Now(), "ingest", i.clock.now)
		return
	}
	i.metrics.clockInDoubt.Set(0)
	i.log.Info("the wall clock is believed again")
}
