package ingest

import (
	"context"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/state"
	"nirapod/wire"
)

const (
	gather      = 50 * time.Millisecond // how long a batch may wait for more
	urgent      = 5 * time.Millisecond  // how long a transition may wait for what is queued already, at least
	maxBatch    = 10_000                // samples after which a batch waits no longer
	reloadEvery = 5 * time.Second
	maxBackoff  = 30 * time.Second
)

// loop owns the core. It returns ctx.Err(), or an error wrapping
// store.ErrBroken.
func (i *Ingest) loop(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	reload := time.NewTicker(reloadEvery)
	defer reload.Stop()
	var due <-chan time.Time // when the batch under way is flushed at the latest
	for {
		now := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-i.queue:
			if err := i.takeQueued(ctx, m); err != nil {
				return err
			}
		case <-due:
			now = true
		case <-i.landing():
			now = true
		case <-tick.C:
			i.tick(ctx)
		case <-reload.C:
			if i.core.storeDown {
				continue // new rules need what it holds
			}
			if err := i.reload(ctx); err != nil && ctx.Err() == nil {
				i.state.failed(i, "the registry cannot be read", err)
			}
		}
		b := &i.core.batch
		switch {
		case now, len(b.transitions) > 0, b.acted, len(b.samples) >= maxBatch && !i.core.storeDown:
			if err := i.flush(ctx); err != nil {
				return err
			}
			due = nil
		}
		if due == nil && !b.empty() {
			due = time.After(gather)
		}
		i.tellPermits(ctx, i.now())
	}
}

// takeQueued takes m and whatever else is queued, up to the size of a batch; a
// transition makes it stop soon.
func (i *Ingest) takeQueued(ctx context.Context, m mqttconn.Message) error {
	began := time.Now()
	for {
		if err := i.take(ctx, m); err != nil {
			return err
		}
		b := &i.core.batch
		// On a slow disk a transition may wait for as long as the last flush
		// took: else half of the time and more would go into flushes.
		patience := gather
		if len(b.transitions) > 0 {
			patience = min(max(urgent, i.flushed), gather)
		}
		if len(b.samples) >= maxBatch || time.Since(began) >= patience {
			return nil
		}
		select {
		case m = <-i.queue:
		default:
			return nil
		}
	}
}

// take gives m to the core until the state answers.
func (i *Ingest) take(ctx context.Context, m mqttconn.Message) error {
	for {
		i.core.retained = m.Retain
		err := i.core.take(ctx, m.Topic, m.Payload, i.now())
		if err == nil {
			return nil
		}
		if err := i.state.wait(ctx, i, err); err != nil {
			return err
		}
	}
}

func (i *Ingest) tick(ctx context.Context) {
	i.hearWitnesses(time.Since(i.began))
	now := i.now()
	i.core.tick(now, i.conn.Online())
	i.core.live.send(now, i.out.live)
	i.resets(ctx, now)
	i.permits(ctx, now)
	i.saveStatus(ctx, now)
}

// resets gives what people decided about latched points to the engines.
func (i *Ingest) resets(ctx context.Context, now time.Time) {
	resets, err := i.db.ResetsAfter(ctx, i.core.marks.resets, 100)
	if err != nil {
		return // the next write says so
	}
	for _, r := range resets {
		i.core.marks.resets, i.core.marks.resetsNew = r.ID, true
		if engine := i.core.engines[r.Factory]; engine != nil {
			i.core.transitions(engine.Reset(r.Point, now))
		}
	}
}

// saveStatus writes what changed about gateways, and now and then when they
// were last heard.
func (i *Ingest) saveStatus(ctx context.Context, now time.Time) {
	for _, g := range i.core.gateways {
		if !g.changed && (g.status.At.Equal(g.written) || now.Sub(g.written) < statusEvery) {
			continue
		}
		if err := i.db.SetPresence(ctx, g.status); err != nil {
			return // the next write says so
		}
		if g.changed {
			i.out.wake(g.key.factory, wire.WakeGateways)
		}
		g.changed, g.written = false, g.status.At
	}
}

// flush makes the batch durable and then tells the gateways. The series store
// comes first. If it fails, or is slow, the readings wait, but transitions do
// not: people are told.
func (i *Ingest) flush(ctx context.Context) error {
	began, now := time.Now(), i.now()
	if i.flight != nil {
		began = i.flight.began
	}
	stored, broken := i.append(ctx, now)
	crashPoint("after-store")
	b := i.core.seal(stored, now)
	if err := i.commit(ctx, b); err != nil {
		return err
	}
	i.out.commits(i.core.sealed(stored, i.epoch))
	woken := map[string]bool{}
	for _, t := range b.Transitions {
		if !woken[t.Factory] {
			woken[t.Factory] = true
			i.out.wake(t.Factory, wire.WakeTransitions)
		}
	}
	i.flushed = time.Since(began)
	if stored {
		i.metrics.commit.Observe(i.flushed.Seconds())
	}
	return broken
}

// commit writes b, again and again until the state takes it: everything else
// waits, and through the full queue the broker does.
func (i *Ingest) commit(ctx context.Context, b state.Batch) error {
	if len(b.Progress)+len(b.Transitions)+len(b.Engine)+len(b.Refusals)+len(b.Permits) == 0 {
		return nil
	}
	for {
		err := i.db.CommitBatch(ctx, b)
		if err == nil {
			i.state.worked(i, "the state works again")
			return nil
		}
		if err := i.state.wait(ctx, i, err); err != nil {
			return err
		}
	}
}

// backoff is how long to wait after the next failure, and whether there was one.
type backoff struct {
	failing bool
	delay   time.Duration
	next    time.Time
}

func (b *backoff) failed(i *Ingest, what string, err error) {
	if !b.failing {
		b.failing = true
		i.log.Error("ingest is held up", "what", what, "err", err)
	}
}

func (b *backoff) worked(i *Ingest, what string) {
	if b.failing {
		i.log.Info("ingest goes on", "what", what)
	}
	*b = backoff{}
}

func (b *backoff) grow() time.Duration {
	b.delay = min(max(2*b.delay, 100*time.Millisecond), maxBackoff)
	return b.delay
}

// wait counts and logs a failure of the state and waits.
func (b *backoff) wait(ctx context.Context, i *Ingest, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	i.metrics.stateErrors.Inc()
	b.failed(i, "the state failed: nothing is committed", err)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.grow()):
		return nil
	}
}
