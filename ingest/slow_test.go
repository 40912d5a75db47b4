package ingest

import (
	"context"
	"testing"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/store"
	"nirapod/wire"
)

// slow is a series store that answers when it is let.
type slow struct {
	store.Store
	let chan struct{}
}

func (s slow) Append(ctx context.Context, samples []store.Sample) error {
	select {
	case <-s.let:
		return s.Store.Append(ctx, samples)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A series store that takes a request and does not answer holds up readings, but
// no alarm; when it answers, what it was given is committed, and the rest after
// that.
func TestASilentStoreHoldsUpNoAlarm(t *testing.T) {
	db, series := openBoth(t, t.TempDir())
	defer db.Close()
	defer series.Close()
	if _, err := db.ImportSite(t.Context(), testSite("padma", 1, "gw-1"), time.Now()); err != nil {
		t.Fatal(err)
	}
	let := make(chan struct{})
	i := offline(t, Config{Rules: loadRules(t, killRules)}, db, slow{series, let}, func(mqttconn.Message) error { return nil })
	i.grace = 0
	send := func(p wire.Pack) {
		t.Helper()
		topic, payload := encode(t, p)
		if err := i.take(t.Context(), mqttconn.Message{Topic: topic, Payload: payload}); err != nil {
			t.Fatal(err)
		}
		if err := i.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	hot := func(seq uint64, value float64) wire.Pack {
		p := nowPack(seq, 1)
		p.Records[0].Reading.Value = value
		return p
	}
	told := func() int {
		t.Helper()
		all, err := db.TransitionsAfter(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	send(hot(1, 20))
	before := told()
	send(hot(2, 60))
	if told() == before {
		t.Error("the alarm waits for the series store")
	}
	if !i.waits.Load() {
		t.Error("nobody knows that readings wait")
	}
	durable := func() uint64 {
		t.Helper()
		progress, err := db.ProgressAll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range progress {
			if p.Stream == string(wire.Readings) {
				return p.Upto
			}
		}
		return 0
	}
	if got := durable(); got != 0 {
		t.Errorf("committed up to %d of what is not stored", got)
	}
	for _, want := range []uint64{1, 2} {
		let <- struct{}{}
		<-i.landing()
		if err := i.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := durable(); got != want {
			t.Errorf("committed up to %d, want %d", got, want)
		}
		if want == 1 { // the rest goes now
			if err := i.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if i.waits.Load() || i.flight != nil || len(i.core.batch.samples) != 0 {
		t.Errorf("waits %v, %d samples left", i.waits.Load(), len(i.core.batch.samples))
	}
}
