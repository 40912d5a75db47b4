package bench

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

const (
	window      = 48 // packs of stream r that may be uncommitted, as in the agent
	resendAfter = 5 * time.Second
)

// gateway sends the packs of one gateway over its own connection: each when it
// is due, those of the past at once, never more than the window uncommitted.
type gateway struct {
	load  load
	index int
	run   string
	names []string
	topic string
	conn  *mqttconn.Conn

	committed atomic.Uint64 // readings
	sent      atomic.Int64  // packs
	last      atomic.Int64  // packs after which it stops
	resent    atomic.Int64  // packs
	freed     chan struct{}

	mu     sync.Mutex
	flying []flight        // guarded by mu: uncommitted packs, ascending
	heard  time.Time       // guarded by mu: last progress
	waits  []time.Duration // guarded by mu: publish to commit, of packs sent when they were due
	late   time.Duration   // guarded by mu: the most that such a pack was sent after it was due
	live   bool            // guarded by mu: packs are sent when they are due
}

type flight struct {
	last    uint64
	payload []byte
	at      time.Time
	live    bool
}

func newGateway(l load, g int, url, password string) *gateway {
	user := wire.GatewayUser(factory, gatewayID(g))
	w := &gateway{
		load: l, index: g, run: fmt.Sprintf("%016x", rand.Uint64()), topic: wire.PackTopic(factory, gatewayID(g), wire.Readings, false).String(),
		freed: make(chan struct{}, 1),
	}
	w.last.Store(math.MaxInt64)
	for s := range l.sensors {
		w.names = append(w.names, sensorID(g, s))
	}
	w.conn = mqttconn.New(mqttconn.Config{URL: url, ClientID: user, Username: user, Password: password}, slog.New(slog.DiscardHandler))
	w.conn.Subscribe(wire.CommitTopic(factory, gatewayID(g), wire.Readings).String(), 1, w.commit)
	return w
}

// commit takes what the server has made durable out of the window.
func (w *gateway) commit(m mqttconn.Message) {
	topic, err := wire.ParseTopic(m.Topic)
	if err != nil {
		return
	}
	c, err := wire.DecodeCommit(topic, m.Payload)
	if err != nil || c.Run != w.run {
		return
	}
	now := time.Now()
	w.mu.Lock()
	kept := w.flying[:0]
	for _, f := range w.flying {
		if !covers(c, f.last) {
			kept = append(kept, f)
			continue
		}
		w.committed.Add(perPack)
		w.heard = now
		if f.live {
			w.waits = append(w.waits, now.Sub(f.at))
		}
	}
	clear(w.flying[len(kept):])
	w.flying = kept
	w.mu.Unlock()
	select {
	case w.freed <- struct{}{}:
	default:
	}
}

func covers(c wire.Commit, last uint64) bool {
	if last <= c.Upto {
		return true
	}
	for _, r := range c.Ranges {
		if r.From <= last-perPack+1 && last <= r.To {
			return true
		}
	}
	return false
}

// send sends until it is told to stop, and returns when all of it is committed.
func (w *gateway) send(ctx context.Context) error {
	for k := 0; int64(k) < w.last.Load(); k++ {
		if err := w.await(ctx, w.load.due(w.index, k)); err != nil {
			return err
		}
		for w.full() {
			if err := w.pause(ctx); err != nil {
				return err
			}
		}
		if err := w.publish(ctx, k); err != nil {
			return err
		}
	}
	for w.open() > 0 {
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *gateway) await(ctx context.Context, due time.Time) error {
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	return ctx.Err()
}

func (w *gateway) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.flying)
}

func (w *gateway) full() bool { return w.open() >= window }

// pause waits for a commit, and sends again what has seen none for too long.
func (w *gateway) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.freed:
		return nil
	case <-time.After(resendAfter):
	}
	w.mu.Lock()
	again := append([]flight(nil), w.flying...)
	if time.Since(w.heard) < resendAfter {
		again = nil
	}
	w.mu.Unlock()
	for _, f := range again {
		w.resent.Add(1)
		if err := w.put(ctx, f.payload); err != nil {
			return err
		}
	}
	return nil
}

func (w *gateway) publish(ctx context.Context, k int) error {
	now := time.Now()
	payload, err := wire.Encode(w.load.pack(w.index, k, w.run, w.names, now.UTC().Truncate(time.Millisecond)))
	if err != nil {
		return err
	}
	w.mu.Lock()
	if behind := now.Sub(w.load.due(w.index, k)); w.live {
		w.late = max(w.late, behind)
	}
	w.flying = append(w.flying, flight{uint64(k+1) * perPack, payload, now, w.live})
	w.mu.Unlock()
	w.sent.Add(1)
	return w.put(ctx, payload)
}

// put publishes until the broker has acknowledged.
func (w *gateway) put(ctx context.Context, payload []byte) error {
	for {
		err := w.conn.Publish(ctx, mqttconn.Message{Topic: w.topic, Payload: payload, QoS: 1})
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// goLive says that from now on packs are sent when they are due.
func (w *gateway) goLive(live bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = live
}
