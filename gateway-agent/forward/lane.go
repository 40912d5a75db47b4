package forward

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"nirapod/gateway-agent/spool"
	"nirapod/internal/mqttconn"
	"nirapod/safety"
	"nirapod/wire"
)

const (
	look      = 5 * time.Second // a lane looks at least so often
	maxInbox  = 256             // commits that wait; older ones are dispensable
	spoolRest = time.Second     // after the spool could not be read
	lookAgain = 50 * time.Millisecond
)

// lane forwards one stream.
type lane struct {
	f      *Forwarder
	sp     *spool.Spool
	reader *spool.Reader
	stream wire.Stream
	topic  string
	limit  int // records in a pack
	queue  *queue

	session uint64    // of the connection that queue knows
	restAt  time.Time // nothing is sent before
	told    bool      // of the stall
	broken  bool      // the spool cannot be read or sent, and it was said
	downAt  time.Time // when queue was told that there is no connection
	stalled atomic.Bool
	news    chan struct{}
	mu      sync.Mutex
	inbox   []wire.Commit // guarded by mu
}

func newLane(f *Forwarder, sp *spool.Spool, stream wire.Stream, limit int, q *queue) *lane {
	q.jitter, q.retired = jitter, map[string]bool{}
	return &lane{f: f, sp: sp, reader: sp.Reader(stream), stream: stream, limit: limit, queue: q,
		topic: wire.PackTopic(f.cfg.Factory, f.cfg.Gateway, stream, f.cfg.CBOR).String(), news: make(chan struct{}, 1)}
}

func (l *lane) wake() { signal(l.news) }

// take keeps c for the loop.
func (l *lane) take(c wire.Commit) {
	l.mu.Lock()
	l.inbox = append(l.inbox, c)
	l.inbox = l.inbox[max(0, len(l.inbox)-maxInbox):]
	l.mu.Unlock()
	l.wake()
}

func (l *lane) run(ctx context.Context) error {
	timer := time.NewTimer(look)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		l.observe(now)
		s, ok, again := l.queue.next(now)
		if ok && !now.Before(l.restAt) {
			l.send(ctx, now, s)
			continue
		}
		wait := look
		if !again.IsZero() {
			wait = min(wait, again.Sub(now))
		}
		if ok {
			wait = min(wait, l.restAt.Sub(now))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.news:
		case <-l.sp.Appended(l.stream):
		}
	}
	return ctx.Err()
}

// observe brings the queue up to date.
func (l *lane) observe(now time.Time) {
	l.queue.hold(now, l.sp.Extents(l.stream))
	session, online := l.f.session.Load(), l.f.conn.Online()
	switch {
	case session != l.session || online && session > 0 && !l.queue.online && now.Sub(l.downAt) >= look:
		l.session = session
		l.queue.connect(true)
	case l.queue.online && !online:
		l.disconnect(now)
	}
	l.mu.Lock()
	inbox := l.inbox
	l.inbox = nil
	l.mu.Unlock()
	for _, c := range inbox {
		l.commit(now, c)
	}
	stalled := l.queue.stalled(now)
	if l.stalled.Swap(stalled); stalled != l.told {
		l.told = stalled
		if stalled {
			l.f.log.Error("the server does not commit", "stream", l.stream, "online", l.queue.online)
		} else {
			l.f.log.Info("the server commits again", "stream", l.stream)
		}
	}
}

func (l *lane) commit(now time.Time, c wire.Commit) {
	covered := l.queue.commit(now, c)
	if len(covered) == 0 {
		return
	}
	if err := l.sp.Release(c.Run, l.stream, covered); err != nil {
		l.f.log.Error("committed records are not deleted", "stream", l.stream, "err", err)
	}
	l.queue.hold(now, l.sp.Extents(l.stream))
}

func (l *lane) send(ctx context.Context, now time.Time, s step) {
	payload, span, err := l.encode(s)
	if broken := err != nil && !errors.Is(err, safety.ErrNotFound); broken != l.broken {
		l.broken = broken
		if broken {
			l.f.log.Error("spool cannot be sent", "stream", l.stream, "run", s.extent.Run, "from", s.span.From, "err", err)
		}
	}
	if errors.Is(err, safety.ErrNotFound) { // dropped meanwhile
		l.restAt = now.Add(lookAgain)
		return
	}
	if err != nil {
		l.restAt = now.Add(spoolRest)
		return
	}
	l.queue.launch(now, s.extent.Run, span)
	pubCtx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	err = l.f.conn.Publish(pubCtx, mqttconn.Message{Topic: l.topic, Payload: payload, QoS: 1})
	if errors.Is(err, mqttconn.ErrOffline) {
		l.disconnect(now)
	}
}

func (l *lane) disconnect(now time.Time) {
	l.queue.connect(false)
	l.downAt = now
}
