package influxstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"nirapod/internal/influxtest"
	"nirapod/safety"
	"nirapod/store"
	"nirapod/store/storetest"
)

const crashSensors = 20

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// crashSample is sample i of a fixed sequence over several shards: 20 sensors,
// 5 minutes a round, every sixth round late, values and reasons mixed.
func crashSample(i int) store.Sample {
	round := i / crashSensors
	at := time.Duration(round) * 5 * time.Minute
	if round%6 == 5 {
		at -= 3*time.Hour + time.Millisecond
	}
	s := storetest.Reading(fmt.Sprintf("s-%02d", i%crashSensors), at, float64(i)*0.25)
	switch i % 11 {
	case 3:
		s.Quality, s.Reason, s.Value = safety.Bad, safety.Timeout, 0
	case 5:
		s.Quality, s.Reason = safety.Uncertain, safety.Inhibit
	}
	return s
}

// The server is killed while batches go in; what Append acknowledged is there
// when it runs again, and the batch that was under way may be given once more.
func testKill9(t *testing.T, server *influxtest.Server) {
	s := open(t, optionsOf(server, influxtest.Database))
	rounds := 2
	if testing.Short() {
		rounds = 1
	}
	acked := 0
	for round := range rounds {
		acks, before := make(chan int), acked
		go func() {
			defer close(acks)
			for from := before; ; {
				to := from + crashSensors*(1+from/crashSensors%5)
				batch := make([]store.Sample, 0, to-from)
				for i := from; i < to; i++ {
					batch = append(batch, crashSample(i))
				}
				if err := s.Append(t.Context(), batch); err != nil {
					return
				}
				acks <- to
				from = to
			}
		}()
		for n := 0; n < 10+5*round; n++ {
			to, more := <-acks
			if !more {
				t.Fatal("an append failed before the kill")
			}
			acked = to
		}
		killed := make(chan struct{})
		go func() { // appends go on while the server dies
			defer close(killed)
			server.Kill()
		}()
		for to := range acks {
			acked = to
		}
		<-killed
		opened := openLater(t, server)
		server.Restart()
		if err := <-opened; err != nil {
			t.Fatalf("a store opened while the server was away: %v", err)
		}
		checkAcked(t, s, acked)
	}
	t.Logf("%d samples acknowledged over %d kills", acked, rounds)
}

// openLater opens a store whose server is still to start.
func openLater(t *testing.T, server *influxtest.Server) <-chan error {
	o := optionsOf(server, influxtest.Database)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, o, discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait: %v", err)
	}
	o.Wait = time.Minute
	opened := make(chan error, 1)
	go func() {
		s, err := Open(t.Context(), o, discard)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	return opened
}

func checkAcked(t *testing.T, s *Store, acked int) {
	t.Helper()
	type id struct {
		sensor string
		at     int64
	}
	stored := map[id]store.Sample{}
	day := crashSample(0).At
	err := s.Query(t.Context(), store.Query{Factory: "padma", From: day.AddDate(-1, 0, 0), To: day.AddDate(1, 0, 0)}, func(g store.Sample) error {
		if _, twice := stored[id{g.Sensor, g.At.UnixMilli()}]; twice {
			return fmt.Errorf("%s came back twice at %v", g.Sensor, g.At)
		}
		stored[id{g.Sensor, g.At.UnixMilli()}] = g
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range acked {
		want := crashSample(i)
		if got := stored[id{want.Sensor, want.At.UnixMilli()}]; got != want {
			t.Fatalf("sample %d of %d acknowledged: got %+v, want %+v", i, acked, got, want)
		}
	}
}
