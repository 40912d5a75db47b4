package alerts

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/state"
)

const (
	destDesk    = "desk"
	destGateway = "gateway"

	firstBackoff = 500 * time.Millisecond
	lastBackoff  = 30 * time.Second
	carriers     = 8 // factories served at once
)

// courier empties the outbox of one destination: in order per factory, each
// item until it is answered, refused or expired.
type courier struct {
	a    *Alerts
	dest string
	// carry tries once. It ends the item and returns nil, or returns why it has
	// to be tried again.
	carry func(ctx context.Context, it state.Item, now time.Time) error
	woken chan struct{}

	mu      sync.Mutex
	failing map[string]bool // by factory; guarded by mu
}

func newCourier(a *Alerts, dest string, carry func(context.Context, state.Item, time.Time) error) *courier {
	return &courier{a: a, dest: dest, carry: carry, woken: make(chan struct{}, 1), failing: map[string]bool{}}
}

func (c *courier) wake() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

func (c *courier) run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing := false
	for {
		more, err := c.round(ctx, time.Now().UTC().Truncate(time.Millisecond))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if (err != nil) != failing {
			failing = err != nil
			c.a.log.Error("outbox and the state", "to", c.dest, "failing", failing, "err", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.woken:
		case <-tick.C:
		}
	}
}

// round tries the oldest item of every factory whose time has come. more says
// that one ended, so that the next may go at once. The error is the state's;
// trouble on the way delays the item.
func (c *courier) round(ctx context.Context, now time.Time) (more bool, err error) {
	heads, err := c.a.db.Heads(ctx, c.dest)
	if err != nil {
		return false, err
	}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(carriers)
	for _, it := range heads {
		if it.NotBefore.After(now) {
			continue
		}
		g.Go(func() error {
			ended, err := c.try(ctx, it, now)
			mu.Lock()
			defer mu.Unlock()
			more = more || ended
			return err
		})
	}
	return more, g.Wait()
}

func (c *courier) try(ctx context.Context, it state.Item, now time.Time) (ended bool, err error) {
	if it.Expires != nil && now.After(*it.Expires) {
		return true, c.a.end(ctx, it, state.Expired, "")
	}
	began := time.Now()
	failure := c.carry(ctx, it, now)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	c.edge(it, failure)
	if failure == nil {
		return true, nil
	}
	until := now.Add(time.Since(began) + backoff(it.Attempts))
	return false, c.a.db.Book(ctx, func(b *state.Book) error { return b.Delay(ctx, it.Seq, until) })
}

// edge logs when a factory's items begin or cease to get through.
func (c *courier) edge(it state.Item, failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failing[it.Factory] != (failure != nil) {
		c.failing[it.Factory] = failure != nil
		c.a.log.Warn("delivery", "to", c.dest, "factory", it.Factory, "kind", it.Kind, "failing", failure != nil, "err", failure)
	}
}

// backoff returns how long to wait after a number of failed attempts: doubling,
// bounded, and jittered so that factories do not come all at once.
func backoff(attempts int) time.Duration {
	wait := min(firstBackoff<<min(attempts, 10), lastBackoff)
	return wait/2 + rand.N(wait/2+1)
}

// end writes down how an item ended; the answer is kept with it.
func (a *Alerts) end(ctx context.Context, it state.Item, outcome state.Outcome, answer string) error {
	if outcome != state.Done {
		a.log.Error("not delivered", "to", it.Dest, "factory", it.Factory, "kind", it.Kind, "id", it.Ref,
			"outcome", outcome, "answer", answer)
	}
	return a.db.Book(ctx, func(b *state.Book) error {
		_, err := b.Finish(ctx, it.Seq, outcome, answer)
		return err
	})
}
