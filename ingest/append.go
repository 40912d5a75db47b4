package ingest

import (
	"context"
	"errors"
	"time"

	"nirapod/store"
)

// grace is how long everything waits for the series store. After that
// transitions go on without it until it has answered.
const grace = time.Second

// flight is a batch of samples on its way into the series store.
type flight struct {
	began time.Time
	done  chan struct{} // closed when the store has answered
	err   error         // its answer, set before done is closed
}

// landing is ready when there is an answer of the series store.
func (i *Ingest) landing() <-chan struct{} {
	if i.flight == nil {
		return nil
	}
	return i.flight.done
}

// append gives the samples to the series store and reports whether those that
// it has been given are durable. The error says that the store never will
// answer again.
func (i *Ingest) append(ctx context.Context, now time.Time) (stored bool, broken error) {
	if i.flight == nil {
		if len(i.core.batch.samples) == 0 {
			return true, nil
		}
		if i.core.storeDown && now.Before(i.store.next) {
			return false, nil
		}
		i.launch(ctx)
	}
	select {
	case <-i.flight.done:
		return i.landed(ctx, now)
	default:
	}
	if i.core.storeDown {
		return false, nil
	}
	select {
	case <-i.flight.done:
		return i.landed(ctx, now)
	case <-time.After(i.grace):
		i.storeFails(errors.New("it does not answer"))
	case <-ctx.Done():
	}
	return false, nil
}

func (i *Ingest) launch(ctx context.Context) {
	f := &flight{began: time.Now(), done: make(chan struct{})}
	samples := i.core.launch()
	i.flight = f
	go func() {
		f.err = i.series.Append(ctx, samples)
		close(f.done)
	}()
}

// landed deals with the answer of the series store.
func (i *Ingest) landed(ctx context.Context, now time.Time) (stored bool, broken error) {
	err := i.flight.err
	i.flight = nil
	if rejected, ok := errors.AsType[*store.RejectedError](err); ok {
		i.core.rejected(rejected, now)
		err = nil
	}
	if err == nil {
		i.store.worked(i, "the series store works again")
		i.setStoreDown(false)
		return true, nil
	}
	if ctx.Err() != nil {
		return false, nil //nolint:nilerr // told to stop, which says nothing of the store
	}
	i.metrics.storeErrors.Inc()
	i.storeFails(err)
	i.store.next = now.Add(i.store.grow())
	if errors.Is(err, store.ErrBroken) {
		return false, err
	}
	return false, nil
}

func (i *Ingest) storeFails(err error) {
	i.store.failed(i, "the series store failed: readings wait, nothing of them is committed", err)
	i.setStoreDown(true)
}

func (i *Ingest) setStoreDown(down bool) {
	i.core.storeDown = down
	i.waits.Store(down)
}
