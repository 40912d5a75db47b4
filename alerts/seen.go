package alerts

import (
	"context"
	"errors"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

// seenEvery is how often the desk is asked whom its officers have heard.
const seenEvery = 5 * time.Second

// followSeen learns from the desk which signals and notices an officer has
// looked at, until ctx ends. Received stays received: this is beside it.
func (a *Alerts) followSeen(ctx context.Context) error {
	tick := time.NewTicker(seenEvery)
	defer tick.Stop()
	failing := false
	for {
		err := a.askSeen(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if (err != nil) != failing {
			failing = err != nil
			a.log.Warn("what the desk's officers have seen", "failing", failing, "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// askSeen asks until the desk has no more to tell. The position is in the state
// with what it led to, so that nothing is passed over.
func (a *Alerts) askSeen(ctx context.Context) error {
	position := "desk-seen " + a.desk.url // of this desk; another one counts anew
	for {
		var after int64
		err := a.db.Book(ctx, func(b *state.Book) (err error) {
			after, err = b.Cursor(ctx, position)
			return err
		})
		if err != nil {
			return err
		}
		items, upto, err := a.desk.seen(ctx, after)
		if err != nil || upto == after {
			return err
		}
		err = a.db.Book(ctx, func(b *state.Book) error {
			for _, s := range items {
				if err := markSeen(ctx, b, s); err != nil {
					return err
				}
			}
			return b.SetCursor(ctx, position, upto)
		})
		if err != nil {
			return err
		}
		if len(items) > 0 {
			a.told()
		}
	}
}

// markSeen notes on a signal or notice who looked at it first. One that this
// state does not know is of its past and nobody's loss.
func markSeen(ctx context.Context, b *state.Book, s safety.Seen) error {
	at := s.At.UTC()
	if s.Kind == "signal" {
		signal, err := b.Signal(ctx, s.ID)
		if errors.Is(err, safety.ErrNotFound) || err == nil && signal.SeenAt != nil {
			return nil
		} else if err != nil {
			return err
		}
		signal.SeenAt, signal.SeenBy = &at, s.By
		return b.SaveSignal(ctx, signal)
	}
	n, err := b.Notice(ctx, s.ID)
	if errors.Is(err, safety.ErrNotFound) || err == nil && n.SeenAt != nil {
		return nil
	} else if err != nil {
		return err
	}
	n.SeenAt, n.SeenBy = &at, s.By
	return b.SaveNotice(ctx, n)
}
