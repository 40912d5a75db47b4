package influxstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/internal/influxtest"
	"nirapod/safety"
	"nirapod/store"
	"nirapod/store/storetest"
)

// Enough samples for several pages, dense in one place and thin in another,
// with two series of one sensor that are cut at different times.
func testPages(t *testing.T, _ *influxtest.Server, o Options) {
	s := open(t, o)
	r := rand.New(rand.NewPCG(7, 8))
	var want []store.Sample
	at := time.Duration(0)
	for i := range 2*rowsOfOne + rowsOfOne/2 {
		at += time.Duration(1+r.IntN(20)) * time.Millisecond
		if i%10_000 == 0 {
			at += 9 * time.Hour
		}
		one := storetest.Reading("dense", at, float64(i))
		want = append(want, one)
		if i%3 == 0 {
			one.Gateway, one.Value = "gw-2", -one.Value
			want = append(want, one)
		}
	}
	for i := range rowsOfMany + 1 {
		want = append(want, storetest.Reading("just-over", time.Duration(i)*time.Minute, float64(i)))
	}
	want = append(want, storetest.Reading("thin", 0, 1), storetest.Reading("thin", 24*time.Hour, 2))
	if err := s.Append(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	day := storetest.Reading("", 0, 0).At
	began := time.Now()
	got, err := storetest.Collect(t.Context(), s, store.Query{Factory: "padma", From: day.AddDate(-50, 0, 0), To: day.AddDate(200, 0, 0)})
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d samples, want %d: %v", len(got), len(want), err)
	}
	t.Logf("%d samples read in %v", len(got), time.Since(began).Round(time.Millisecond))
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("sample %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

// Many sensors with samples that fit cost one request for each 32 of them, and
// one for their names.
func testRequests(t *testing.T, server *influxtest.Server, o Options) {
	requests := 0
	o.URL = between(t, server, func(w http.ResponseWriter, answer []byte) {
		requests++
		_, _ = w.Write(answer)
	})
	s := open(t, o)
	var want []store.Sample
	for sensor := range 2 * maxSensors {
		for i := range 100 {
			want = append(want, storetest.Reading(fmt.Sprintf("s-%02d", sensor), time.Duration(i)*time.Second, float64(i)))
		}
	}
	if err := s.Append(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	requests = 0
	got, err := storetest.Collect(t.Context(), s, store.Query{Factory: "padma", From: want[0].At, To: want[0].At.Add(time.Hour)})
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%d samples, want %d: %v", len(got), len(want), err)
	}
	if requests != 3 {
		t.Errorf("%d requests, want 3", requests)
	}
}

// A sample is one field, so several qualities may stand at one instant when a
// caller broke the contract. The worst is told, whole.
func testWorst(t *testing.T, _ *influxtest.Server, o Options) {
	s := open(t, o)
	good := storetest.Reading("store-heat", 0, 20)
	doubtful := good
	doubtful.Value, doubtful.Quality, doubtful.Reason = 21, safety.Uncertain, safety.Warming
	bad := good
	bad.Value, bad.Quality, bad.Reason = 0, safety.Bad, safety.CRC
	for _, step := range []struct{ given, want store.Sample }{{doubtful, doubtful}, {good, doubtful}, {bad, bad}, {good, bad}} {
		if err := s.Append(t.Context(), []store.Sample{step.given}); err != nil {
			t.Fatal(err)
		}
		got, err := storetest.Collect(t.Context(), s, store.Query{Factory: "padma", From: good.At, To: good.At.Add(time.Second)})
		if err != nil || len(got) != 1 || got[0] != step.want {
			t.Fatalf("got %+v, %v, want %+v", got, err, step.want)
		}
	}
}

func TestWhatNobodyWroteIsBad(t *testing.T) {
	for _, c := range []struct {
		field string
		value any
	}{{"value", "21"}, {"value", nil}, {"bad", "mood"}, {"bad", 1.0}, {"uncertain_mood", 1.0}, {"uncertain_crc", nil}} {
		var r safety.Reading
		if !decode(&r, c.field, c.value) || r.Quality != safety.Bad || r.Reason != safety.Implausible {
			t.Errorf("%s = %v became %+v", c.field, c.value, r)
		}
	}
	if decode(new(safety.Reading), "mean", 1.0) {
		t.Error("a field of somebody else became a reading")
	}
}

// between stands before the server and treats every answer to a query as
// treat says.
func between(t *testing.T, server *influxtest.Server, treat func(w http.ResponseWriter, answer []byte)) string {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	door := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/query") {
			door.ServeHTTP(w, r)
			return
		}
		r.Header.Del("Accept-Encoding")
		recorded := httptest.NewRecorder()
		door.ServeHTTP(recorded, r)
		treat(w, recorded.Body.Bytes())
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// An answer that ends early must never look like fewer readings.
func testCutShort(t *testing.T, server *influxtest.Server, o Options) {
	whole := true
	o.URL = between(t, server, func(w http.ResponseWriter, answer []byte) {
		if whole {
			_, _ = w.Write(answer)
			return
		}
		_, _ = w.Write(answer[:len(answer)/2]) // the first bytes of a chunked answer
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	s := open(t, o)
	q := fill(t, s)
	whole = false
	got, err := storetest.Collect(t.Context(), s, q)
	if err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Fatalf("%d samples and %v from half an answer", len(got), err)
	}
}

func testStandsStill(t *testing.T, server *influxtest.Server, o Options) {
	stall, release := false, make(chan struct{})
	defer close(release)
	o.URL = between(t, server, func(w http.ResponseWriter, answer []byte) {
		if !stall {
			_, _ = w.Write(answer)
			return
		}
		_, _ = w.Write(answer[:len(answer)/2])
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	s := open(t, o)
	q := fill(t, s)
	stall = true
	s.o.Patience = 50 * time.Millisecond
	if _, err := storetest.Collect(t.Context(), s, q); !errors.Is(err, errStalled) {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s.o.Patience = time.Hour
	if _, err := storetest.Collect(ctx, s, q); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the caller's own limit: %v", err)
	}
}

func fill(t *testing.T, s *Store) store.Query {
	t.Helper()
	var batch []store.Sample
	for i := range 1000 {
		batch = append(batch, storetest.Reading("store-heat", time.Duration(i)*time.Second, float64(i)))
	}
	if err := s.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return store.Query{Factory: "padma", Sensors: []string{"store-heat"}, From: batch[0].At, To: batch[999].At}
}

// A server that takes a request and never answers.
func TestAppendToASilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	_, err = Open(t.Context(), Options{URL: "http://" + l.Addr().String(), Bucket: "b", Patience: 50 * time.Millisecond}, discard)
	if !errors.Is(err, errSilent) {
		t.Fatalf("got %v", err)
	}
}
