package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
)

const (
	signEvery = 2 * time.Second // while the ledger grows
	heartbeat = time.Minute     // at which the desk hears the head though nothing grew
)

var errStaleHead = errors.New("the desk holds another head than this server thought")

// published is how far the desk knows a factory's ledger.
type published struct {
	size    int64 // of the head that the desk holds; -1: not asked yet
	heardAt time.Time
	refused bool // people were told that the desk does not take the ledger
}

// publish signs the heads of the ledgers and shows them to the desk until ctx
// ends.
func (a *Alerts) publish(ctx context.Context) error {
	tick := time.NewTicker(signEvery)
	defer tick.Stop()
	known, failing := map[string]*published{}, false
	for {
		err := a.publishAll(ctx, known, time.Now().UTC().Truncate(time.Millisecond))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if (err != nil) != failing {
			failing = err != nil
			a.log.Warn("the ledger's heads", "failing", failing, "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (a *Alerts) publishAll(ctx context.Context, known map[string]*published, now time.Time) error {
	factories, err := a.db.Ledgers(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, factory := range factories {
		if known[factory] == nil {
			last, err := a.db.LastState(ctx, factory, safety.PointID(factory, faultRewritten, ""))
			if err != nil {
				return err
			}
			known[factory] = &published{size: -1, refused: last == safety.Firing}
		}
		if err := a.publishOne(ctx, factory, known[factory], now); err != nil {
			errs = append(errs, fmt.Errorf("ledger of %s: %w", factory, err))
		}
	}
	return errors.Join(errs...)
}

func (a *Alerts) publishOne(ctx context.Context, factory string, p *published, now time.Time) error {
	if a.desk == nil {
		_, _, err := a.deps.Ledger.Sign(ctx, factory)
		return err
	}
	if p.size < 0 {
		size, err := a.desk.holds(ctx, factory)
		if err != nil {
			_, _, signErr := a.deps.Ledger.Sign(ctx, factory)
			return errors.Join(err, signErr)
		}
		p.size = size
	}
	site, err := a.db.Site(ctx, factory)
	if err != nil {
		return err
	}
	growth, head, err := a.deps.Ledger.Growth(ctx, factory, site.Factory.Office.Value, p.size)
	if err != nil || (head.Size == p.size || p.refused) && now.Sub(p.heardAt) < heartbeat {
		return err
	}
	a.at("head signed")
	switch err := a.desk.grow(ctx, growth); {
	case errors.Is(err, errStaleHead):
		p.size = -1
		return nil
	case errors.Is(err, safety.ErrConflict):
		p.heardAt = now
		return errors.Join(err, a.rewritten(ctx, factory, p, err.Error(), safety.Firing, now))
	case err != nil:
		return err
	}
	a.at("head published")
	p.size, p.heardAt = head.Size, now
	return a.rewritten(ctx, factory, p, "the desk takes this factory's ledger again", safety.Inactive, now)
}

// rewritten tells people once that the desk holds another history, and when it
// does no more.
func (a *Alerts) rewritten(ctx context.Context, factory string, p *published, why string, to safety.State, now time.Time) error {
	if p.refused == (to == safety.Firing) {
		return nil
	}
	f := fault{faultRewritten, "", why}
	err := a.db.Book(ctx, func(b *state.Book) error { return b.AddTransition(ctx, f.transition(factory, to, now)) })
	if err == nil {
		p.refused = to == safety.Firing
		a.Wake()
	}
	return err
}

// holds asks how many leaves the head has that the desk holds; 0: none.
func (d *deskClient) holds(ctx context.Context, factory string) (int64, error) {
	var held struct {
		Size int64 `json:"size"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/v1/heads/"+factory, nil)
	if err != nil {
		return 0, err
	}
	text, err := d.heads(req)
	if err != nil {
		return 0, err
	}
	err = json.Unmarshal(text, &held)
	return held.Size, err
}

// grow shows the desk a newer head. The error wraps safety.ErrConflict if the
// desk holds another history.
func (d *deskClient) grow(ctx context.Context, g tree.Growth) error {
	body, err := json.Marshal(g)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/heads", bytes.NewReader(body))
	if err != nil {
		return err
	}
	_, err = d.heads(req)
	return err
}

func (d *deskClient) heads(req *http.Request) ([]byte, error) {
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusPreconditionFailed:
		return nil, errStaleHead
	case resp.StatusCode == http.StatusConflict:
		return nil, fmt.Errorf("%s: %w", reason(text), safety.ErrConflict)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s", resp.Status, reason(text))
	}
	return text, nil
}
