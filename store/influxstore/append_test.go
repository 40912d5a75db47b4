package influxstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"nirapod/internal/influxtest"
	"nirapod/safety"
	"nirapod/store"
	"nirapod/store/storetest"
)

// The server refuses what is beyond the bucket's retention, counts it, and
// keeps the rest.
func testBeyondRetention(t *testing.T, server *influxtest.Server, o Options) {
	server.Keep(o.Bucket, time.Hour)
	s := open(t, o)
	now := time.Now().UTC().Truncate(time.Second)
	var batch []store.Sample
	var want []store.Rejection
	for i := range 200 {
		one := storetest.Reading("store-heat", 0, float64(i))
		one.At = now.Add(-time.Duration(i) * time.Second)
		if i%7 == 3 {
			one.At = now.Add(-2*time.Hour - time.Duration(i)*time.Minute)
			want = append(want, store.Rejection{Index: i, Reason: store.RejectTooOld})
		}
		if i == 100 {
			one.Sensor = `a\b`
			want = append(want, store.Rejection{Index: i, Reason: store.RejectInvalid})
		}
		batch = append(batch, one)
	}
	for range 2 {
		rejected, ok := errors.AsType[*store.RejectedError](s.Append(t.Context(), batch))
		if !ok || len(rejected.Samples) != len(want) {
			t.Fatalf("got %v, want %d refused", rejected, len(want))
		}
		for i, r := range rejected.Samples {
			if r != want[i] {
				t.Errorf("refused %+v, want %+v", r, want[i])
			}
		}
		got, err := storetest.Collect(t.Context(), s, store.Query{Factory: "padma", From: now.AddDate(-1, 0, 0), To: now.Add(time.Second)})
		if err != nil || len(got) != len(batch)-len(want) {
			t.Fatalf("%d kept, want %d: %v", len(got), len(batch)-len(want), err)
		}
	}
	_, err := storetest.Collect(t.Context(), s, store.Query{Factory: "padma", Sensors: []string{`a\b`, `x" or true or "`}, From: now, To: now.Add(time.Second)})
	if err != nil {
		t.Errorf("names that cannot be stored are asked for: %v", err)
	}
}

// A person can mend a bucket that somebody else writes to, so nothing may be
// given up for it.
func testTypeConflict(t *testing.T, server *influxtest.Server, o Options) {
	s := open(t, o)
	one := storetest.Reading("store-heat", 0, 20)
	server.Write(o.Bucket, "reading,factory=other value=\"warm\" "+millis(one.At))
	err := s.Append(t.Context(), []store.Sample{one})
	if _, rejected := errors.AsType[*store.RejectedError](err); err == nil || rejected || !strings.Contains(err.Error(), "bucket of its own") {
		t.Fatalf("got %v", err)
	}
}

func testNames(t *testing.T, _ *influxtest.Server, o Options) {
	s := open(t, o)
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i, name := range []string{"a,b=c d", "গুদাম-১", "'; drop", "#x", "r.sensor", strings.Repeat("n", 300)} {
		one := storetest.Reading(name, 0, float64(i))
		one.Gateway, one.At = name, now
		if err := s.Append(t.Context(), []store.Sample{one}); err != nil {
			t.Fatal(err)
		}
		got, err := storetest.Collect(t.Context(), s, store.Query{Factory: "padma", Sensors: []string{name}, From: now, To: now.Add(1)})
		if err != nil || len(got) != 0 {
			t.Errorf("%q: a query of less than a millisecond gave %v, %v", name, got, err)
		}
		got, err = storetest.Collect(t.Context(), s, store.Query{Factory: "padma", Sensors: []string{name}, From: now, To: now.Add(time.Millisecond)})
		if err != nil || len(got) != 1 || got[0] != one {
			t.Errorf("%q came back as %+v, %v", name, got, err)
		}
	}
	for _, at := range []time.Time{time.Unix(-1<<40, 0).UTC(), time.Unix(1<<40, 0).UTC()} {
		one := storetest.Reading("s", 0, 1)
		one.At = at
		if err := s.Append(t.Context(), []store.Sample{one}); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("a sample at %v: %v", at, err)
		}
	}
}

func testErrors(t *testing.T, right Options) {
	open(t, right)
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"wrong token":    {func(o *Options) { o.Token = "admin:guess" }, "the token is missing or wrong"},
		"no token":       {func(o *Options) { o.Token = "" }, "the token is missing or wrong"},
		"missing bucket": {func(o *Options) { o.Bucket = "attic/autogen" }, "influx bucket create -n attic/autogen"},
		"not InfluxDB":   {func(o *Options) { o.URL = "http://127.0.0.1:1" }, "see that InfluxDB runs there"},
		"bad bucket":     {func(o *Options) { o.Bucket = `a"b` }, "invalid"},
	} {
		o := right
		c.change(&o)
		_, err := Open(t.Context(), o, discard)
		if err == nil || !strings.Contains(err.Error(), c.want) || o.Token != "" && strings.Contains(err.Error(), o.Token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The same while it works.
	s := open(t, right)
	s.write = s.client.WriteAPIBlocking("", "attic/autogen")
	err := s.Append(t.Context(), []store.Sample{storetest.Reading("store-heat", 0, 1)})
	if err == nil || !strings.Contains(err.Error(), "database not found") || !strings.Contains(err.Error(), "create it") {
		t.Errorf("Append to a missing bucket: %v", err)
	}
}
