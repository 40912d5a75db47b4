package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"nirapod/safety"
	"nirapod/state"
)

const (
	cursorName  = "alerts"
	pageSize    = 200
	closedMemo  = 8               // cleared alerts of a point that old news is compared with
	sameEpisode = 5 * time.Second // sources of one episode may differ by this much
)

var errMoved = errors.New("another process has applied this page")

// newID returns a ULID of the time now; ids of one process increase.
func newID(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String()
}

// applyPage applies the next page of transitions, at most limit of them, and
// returns how many there were.
func (a *Alerts) applyPage(ctx context.Context, limit int, now time.Time) (int, error) {
	page, err := a.db.TransitionsAfter(ctx, a.cursor, limit)
	if err != nil || len(page) == 0 {
		return 0, err
	}
	a.at("page read")
	cursor := page[len(page)-1].ID
	err = a.db.Book(ctx, func(b *state.Book) error {
		saved, err := b.Cursor(ctx, cursorName)
		if err != nil {
			return err
		}
		if saved != a.cursor {
			a.cursor = saved
			return errMoved
		}
		for _, t := range page {
			if err := a.apply(ctx, b, t, now); err != nil {
				return fmt.Errorf("transition %d: %w", t.ID, err)
			}
		}
		a.at("page applied")
		return b.SetCursor(ctx, cursorName, cursor)
	})
	if err != nil {
		return 0, err
	}
	a.cursor = cursor
	a.at("page committed")
	return len(page), nil
}

// apply applies one transition. The newest word of a source counts by the time
// at which it happened: after an outage newer packs may come before older ones.
func (a *Alerts) apply(ctx context.Context, b *state.Book, t safety.Transition, now time.Time) error {
	words, err := b.Words(ctx, t.Point)
	if err != nil {
		return err
	}
	said := heard(words)
	newest := said.add(t)
	if err := b.SaveWords(ctx, t.Factory, t.Point, said); err != nil {
		return err
	}
	last := said.newest(t.Source)
	if !newest && t.To == safety.Firing && last.State != safety.Firing && !last.Held {
		if known, err := a.dealtWith(ctx, b, t); known || err != nil {
			return err
		}
	}
	alert, err := b.OpenAlert(ctx, t.Point)
	if errors.Is(err, safety.ErrNotFound) {
		return a.open(ctx, b, t, said, now)
	} else if err != nil {
		return err
	}
	before := fingerprint(alert)
	if t.To == safety.Firing {
		absorb(&alert, t)
	}
	if newest {
		watched(&alert, t)
	}
	settle(&alert, said, now)
	if t.To != safety.Firing && fingerprint(alert) == before {
		return nil
	}
	return b.SaveAlert(ctx, alert)
}

// fingerprint is what a transition that is no firing can change.
func fingerprint(a state.Alert) string {
	return fmt.Sprint(a.State, a.Condition, a.Work.Unwatched)
}

// open raises an alert where something begins to fire.
func (a *Alerts) open(ctx context.Context, b *state.Book, t safety.Transition, said heard, now time.Time) error {
	if t.To != safety.Firing {
		return nil
	}
	alert := raise(newID(now), t, a.latched(t.Rule), now)
	alert.GatewayID = gatewayOf(a.sites.site(t.Factory), t)
	settle(&alert, said, now)
	a.log.Info("alert raised", "factory", t.Factory, "alert", alert.ID, "rule", t.Rule, "zone", t.Zone,
		"class", t.Class, "severity", t.Severity, "late", alert.Late, "exercise", alert.Exercise)
	if err := b.SaveAlert(ctx, alert); err != nil {
		return err
	}
	return a.plan(ctx, b, alert)
}

// dealtWith reports whether old news is about an alert that people have already
// cleared; then it is added to that one's evidence and nobody is told again.
func (a *Alerts) dealtWith(ctx context.Context, b *state.Book, t safety.Transition) (bool, error) {
	closed, err := b.ClosedAlerts(ctx, t.Point, closedMemo)
	if err != nil {
		return false, err
	}
	for _, old := range closed {
		if covers(old, t.At) {
			absorb(&old, t)
			old.State = safety.Cleared
			return true, b.SaveAlert(ctx, old)
		}
	}
	return false, nil
}

// covers reports whether a cleared alert was about the time at.
func covers(a state.Alert, at time.Time) bool {
	return a.Work.EndedAt != nil && !at.Before(a.OccurredAt.Add(-sameEpisode)) && !at.After(a.Work.EndedAt.Add(sameEpisode))
}
