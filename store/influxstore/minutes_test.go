package influxstore

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"nirapod/internal/influxtest"
	"nirapod/safety"
	"nirapod/store"
	"nirapod/store/storetest"
)

// The text of the tasks, less their schedule and the writing of their results,
// is run on real readings. now is that of a task: the time it was due.
func testMinutes(t *testing.T, _ *influxtest.Server, o Options) {
	s := open(t, o)
	due := time.Date(2026, 5, 1, 12, 5, 0, 0, time.UTC)
	var batch []store.Sample
	add := func(sensor string, at time.Duration, value float64, change func(*store.Sample)) {
		one := storetest.Reading(sensor, 0, value)
		one.At = due.Add(at)
		if change != nil {
			change(&one)
		}
		batch = append(batch, one)
	}
	bad := func(reason safety.Reason) func(*store.Sample) {
		return func(s *store.Sample) { s.Quality, s.Reason, s.Value = safety.Bad, reason, 0 }
	}
	// 12:01: values, one of them on the minute and one a millisecond before the next.
	for at, v := range map[time.Duration]float64{0: 20, 30 * time.Second: 21, 40 * time.Second: 25, time.Minute - time.Millisecond: 18} {
		add("heat", at-4*time.Minute, v, nil)
	}
	// 12:02: nothing. 12:03: a fault, doubt, and one value.
	add("heat", -2*time.Minute, 0, bad(safety.Timeout))
	add("heat", -2*time.Minute+time.Second, 0, bad(safety.Timeout))
	add("heat", -2*time.Minute+2*time.Second, 0, bad(safety.CRC))
	add("heat", -2*time.Minute+3*time.Second, 99, func(s *store.Sample) { s.Quality, s.Reason = safety.Uncertain, safety.Inhibit })
	add("heat", -2*time.Minute+4*time.Second, -3.5, nil)
	// Outside of the span, before and after.
	add("heat", -time.Hour-time.Millisecond, 500, nil)
	add("heat", 0, 500, nil)
	// Another sensor is another series, and so is what is simulated.
	add("rh", -time.Hour, 60, nil)
	add("heat", -4*time.Minute, 1000, func(s *store.Sample) { s.Flags = safety.Simulated })
	if err := s.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"12:01 heat  count=4", "12:01 heat  max=25", "12:01 heat  mean=21", "12:01 heat  min=18",
		"12:03 heat  bad_crc=1", "12:03 heat  bad_timeout=2", "12:03 heat  uncertain_inhibit=1",
		"12:03 heat  count=1", "12:03 heat  max=-3.5", "12:03 heat  mean=-3.5", "12:03 heat  min=-3.5",
		"11:05 rh  count=1", "11:05 rh  max=60", "11:05 rh  mean=60", "11:05 rh  min=60",
		"12:01 heat simulated count=1", "12:01 heat simulated max=1000", "12:01 heat simulated mean=1000", "12:01 heat simulated min=1000",
	}
	slices.Sort(want)
	for _, late := range []time.Duration{0, 59 * time.Second} { // run by hand it is due at any second
		if got := minutes(t, s, due.Add(late), time.Hour); !slices.Equal(got, want) {
			t.Errorf("due at %v:\ngot  %s\nwant %s", due.Add(late), strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	// The long task sees what came before; the hour's does not.
	if got := minutes(t, s, due, lateSpan); len(got) != len(want)+4 {
		t.Errorf("over %v: want %d figures, got %d:\n%s", lateSpan, len(want)+4, len(got), strings.Join(got, "\n"))
	}
	if got := minutes(t, s, due.Add(-24*time.Hour), time.Hour); len(got) != 0 {
		t.Errorf("out of nothing came %v", got)
	}
}

func minutes(t *testing.T, s *Store, due time.Time, back time.Duration) []string {
	t.Helper()
	script := minutesOf(s.o.Bucket, back, "now = () => "+due.Format(time.RFC3339), "SINK")
	if strings.Count(script, "|> SINK\n") != 6 {
		t.Fatalf("the script hands on %d figures, want 6", strings.Count(script, "|> SINK\n"))
	}
	script = strings.ReplaceAll(script, "\t|> SINK\n", "")
	got := map[string]bool{}
	err := s.rows(t.Context(), script, func(_ bool, r *query.FluxRecord) {
		if r.Measurement() != minutesMeasurement || r.ValueByKey(tagFactory) == nil || r.ValueByKey(tagGateway) == nil || r.ValueByKey(tagQuantity) == nil {
			t.Errorf("not a point of minutes: %v", r)
		}
		taint, _ := r.ValueByKey(tagTaint).(string)
		line := fmt.Sprintf("%s %s %s %s=%v", r.Time().UTC().Format("15:04"), r.ValueByKey(tagSensor), taint, r.Field(), r.Value())
		if !r.Time().Equal(r.Time().Truncate(time.Minute)) || got[line] {
			t.Errorf("%s: twice, or not at the beginning of a minute: %v", line, r)
		}
		got[line] = true
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(got))
}
