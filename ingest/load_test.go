package ingest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
)

// A new version of the registry lets a new sensor in, and what the rules knew
// of the others stays.
func TestReload(t *testing.T) {
	db, series := openBoth(t, t.TempDir())
	defer db.Close()
	defer series.Close()
	site := testSite("padma", 1, "gw-1")
	site.Sensors[0].Period = time.Hour
	imported := func() {
		t.Helper()
		if _, err := db.ImportSite(t.Context(), site, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	imported()
	i := offline(t, Config{Rules: loadRules(t, killRules)}, db, series, func(mqttconn.Message) error { return nil })
	send := func(seq uint64, sensor int, value float64) {
		t.Helper()
		p := nowPack(seq, 1)
		p.Records[0].Reading.Sensor, p.Records[0].Reading.Value = sensorID("gw-1", sensor), value
		topic, payload := encode(t, p)
		if err := errors.Join(i.take(t.Context(), mqttconn.Message{Topic: topic, Payload: payload}), i.flush(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	hot := func() (out []string) {
		t.Helper()
		all, err := db.TransitionsAfter(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range all {
			if tr.Rule == "hot" {
				out = append(out, tr.Sensor+" "+tr.To.String())
			}
		}
		return out
	}
	send(1, 0, 60)
	send(2, 1, 60) // not in the site yet
	if got := hot(); len(got) == 0 || got[len(got)-1] != "gw-1-s0 firing" {
		t.Fatalf("told %v", got)
	}
	before := len(hot())
	site.Sensors = append(site.Sensors, testSite("padma", 2, "gw-1").Sensors[1])
	imported()
	if err := i.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(3, 0, 61)
	if got := hot(); len(got) != before {
		t.Errorf("a reload made the rules say again what they had said: %v", got[before:])
	}
	send(4, 1, 62)
	if got := hot(); len(got) == before || got[len(got)-1] != "gw-1-s1 firing" {
		t.Errorf("the new sensor is not watched: %v", got)
	}
	site.Sensors[0].Class = "A1S" // a rule of the shipped kind would not mind; the state stays or starts anew, never both
	imported()
	if err := i.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// broken is a series store that fails as it is told to.
type broken struct {
	store.Store
	err atomic.Pointer[error]
}

func (b *broken) Append(ctx context.Context, samples []store.Sample) error {
	if err := b.err.Load(); err != nil {
		return *err
	}
	return b.Store.Append(ctx, samples)
}

// The loop goes on through an outage of the series store: alarms are told at
// once, readings are committed when it is over. A broken one ends the loop.
func TestLoopThroughAnOutage(t *testing.T) {
	db, series := openBoth(t, t.TempDir())
	defer db.Close()
	defer series.Close()
	if _, err := db.ImportSite(t.Context(), testSite("padma", 1, "gw-1"), time.Now()); err != nil {
		t.Fatal(err)
	}
	b := &broken{Store: series}
	outage := errors.New("no route to host")
	b.err.Store(&outage)
	i := offline(t, Config{}, db, b, func(mqttconn.Message) error { return nil })
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { done <- i.loop(ctx) }()
	topic, payload := encode(t, nowPack(1, 5))
	i.enqueue(mqttconn.Message{Topic: topic, Payload: payload})
	topic, payload = encode(t, alarms(1, 1))
	i.enqueue(mqttconn.Message{Topic: topic, Payload: payload})
	alarmsTold := func() int {
		all, err := db.TransitionsAfter(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, tr := range all {
			if tr.Class == safety.ClassAlarm {
				n++
			}
		}
		return n
	}
	upto := func(stream string) uint64 {
		all, err := db.ProgressAll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			if p.Stream == stream {
				return p.Upto
			}
		}
		return 0
	}
	eventually(t, "the alarm is told", func() bool { return alarmsTold() == 1 && upto("a") == 1 })
	if upto("r") != 0 {
		t.Error("readings are committed that are not stored")
	}
	b.err.Store(nil)
	eventually(t, "the readings are committed", func() bool { return upto("r") == 5 })
	fatal := errors.Join(store.ErrBroken)
	b.err.Store(&fatal)
	topic, payload = encode(t, nowPack(6, 1))
	i.enqueue(mqttconn.Message{Topic: topic, Payload: payload})
	if err := <-done; !errors.Is(err, store.ErrBroken) {
		t.Errorf("the loop ended with %v", err)
	}
	if upto("r") != 5 {
		t.Error("a reading is committed that a broken store refused")
	}
}

// A person's reset of a latched point reaches the engine once.
func TestResets(t *testing.T) {
	db, series := openBoth(t, t.TempDir())
	defer db.Close()
	defer series.Close()
	if _, err := db.ImportSite(t.Context(), testSite("padma", 1, "gw-1"), time.Now()); err != nil {
		t.Fatal(err)
	}
	err := db.Book(t.Context(), func(b *state.Book) error {
		return b.AddReset(t.Context(), state.Reset{Factory: "padma", Point: safety.PointID("padma", "hot", "gw-1-s0"), By: "committee", At: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		i := offline(t, Config{}, db, series, func(mqttconn.Message) error { return nil })
		i.tick(t.Context())
		if err := i.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i.core.marks.resets != 1 {
			t.Errorf("the cursor of resets is %d", i.core.marks.resets)
		}
	}
	own, err := db.EngineStates(t.Context(), "")
	if err != nil || string(own[markResets]) != "1" {
		t.Errorf("the cursor on the disk: %q, %v", own[markResets], err)
	}
}
