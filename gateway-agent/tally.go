package agent

import (
	"context"
	"time"

	"nirapod/gateway-agent/device/counter"
)

// tally samples one people counter: both ends of what it vouches for.
type tally struct {
	dev       *counter.Dev
	low, high string // sensor ids, "" = not used
	period    time.Duration
	mono      func() int64
	emit      emit
	edge      edge
}

func (t *tally) run(ctx context.Context) error {
	tick := time.NewTicker(t.period)
	defer tick.Stop()
	for {
		t.poll()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (t *tally) poll() {
	count, err := t.dev.Count(ms(t.mono()))
	t.edge.report(err)
	at := t.mono()
	for id, value := range map[string]float64{t.low: count.Low, t.high: count.High} {
		switch {
		case id == "":
		case err != nil:
			t.emit(bad(id, reasonOf(err), at))
		default:
			t.emit(good(id, value, at))
		}
	}
}
