package ingest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/safety"
)

// A site that the rules do not fit is one factory's trouble: the others go on,
// its readings are kept, and people are told until it fits.
func TestASiteThatTheRulesDoNotFit(t *testing.T) {
	db, series := openBoth(t, t.TempDir())
	defer db.Close()
	defer series.Close()
	bad, good := testSite("bad", 1, "gw-1"), testSite("padma", 1, "gw-1")
	bad.Sensors[0].Zone = "nowhere"
	imported := func(s safety.Site) {
		t.Helper()
		if _, err := db.ImportSite(t.Context(), s, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	imported(bad)
	imported(good)
	i := offline(t, Config{Rules: loadRules(t, killRules)}, db, series, func(mqttconn.Message) error { return nil })
	if i.core.engines["padma"] == nil || i.core.engines["bad"] != nil {
		t.Fatalf("engines %v", i.core.engines)
	}
	send := func(factory string, seq uint64) {
		t.Helper()
		p := nowPack(seq, 1)
		p.Factory, p.Records[0].Reading.Value = factory, 60
		topic, payload := encode(t, p)
		if err := i.take(t.Context(), mqttconn.Message{Topic: topic, Payload: payload}); err != nil {
			t.Fatal(err)
		}
		i.tick(t.Context())
		if err := i.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	send("bad", 1)
	send("padma", 1)
	if got := states(t, i, "bad", faultUnbound); !slices.Equal(got, []string{"firing"}) {
		t.Errorf("of the bad site people hear %v", got)
	}
	if got := states(t, i, "padma", "hot"); len(got) == 0 || got[len(got)-1] != "firing" {
		t.Errorf("the good site's rules say %v", got)
	}
	if i.core.tracks[trackKey{"bad", "gw-1", testRun, "r"}].durable.upto != 1 {
		t.Error("the bad site's readings are not kept")
	}
	// While this runs the good site goes bad too: its old rules stay.
	good.Sensors[0].Zone = "nowhere"
	imported(good)
	bad.Sensors[0].Zone = "store"
	imported(bad)
	if err := i.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	send("padma", 2)
	send("bad", 2)
	if got := states(t, i, "bad", faultUnbound); !slices.Equal(got, []string{"firing", "inactive"}) {
		t.Errorf("of the mended site people hear %v", got)
	}
	if got := states(t, i, "padma", faultUnbound); !slices.Equal(got, []string{"firing"}) || i.core.engines["padma"] == nil {
		t.Errorf("of the site that went bad people hear %v", got)
	}
}

// states are the states that a rule of a factory went through.
func states(t *testing.T, i *Ingest, factory, rule string) (out []string) {
	t.Helper()
	all, err := i.db.TransitionsAfter(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range all {
		if tr.Factory == factory && tr.Rule == rule {
			out = append(out, tr.To.String())
		}
	}
	return out
}

// An alarm whose sensor leaves the site is told as watched no longer, once.
func TestAnAlarmThatIsWatchedNoLonger(t *testing.T) {
	db, series := openBoth(t, t.TempDir())
	defer db.Close()
	defer series.Close()
	site := testSite("padma", 2, "gw-1")
	_, err := db.ImportSite(t.Context(), site, time.Now())
	i := offline(t, Config{Rules: loadRules(t, killRules)}, db, series, func(mqttconn.Message) error { return nil })
	p := nowPack(1, 1)
	p.Records[0].Reading.Value = 60
	topic, payload := encode(t, p)
	err = errors.Join(err, i.take(t.Context(), mqttconn.Message{Topic: topic, Payload: payload}), i.flush(t.Context()))
	site.Sensors = site.Sensors[1:]
	_, importErr := db.ImportSite(t.Context(), site, time.Now())
	for range 2 {
		err = errors.Join(err, i.reload(t.Context()), i.flush(t.Context()))
		i = offline(t, i.cfg, db, series, func(mqttconn.Message) error { return nil })
	}
	all, readErr := db.TransitionsAfter(t.Context(), 0, 1000)
	if err := errors.Join(err, importErr, readErr); err != nil {
		t.Fatal(err)
	}
	var told []safety.Transition
	for _, tr := range all {
		if tr.Values[safety.Unwatched] != 0 && tr.Rule == "hot" {
			told = append(told, tr)
		}
	}
	if len(told) != 1 || told[0].To != safety.Unknown || told[0].From != safety.Firing || told[0].Class != safety.ClassAlarm ||
		told[0].Point != safety.PointID("padma", "hot", sensorID("gw-1", 0)) || told[0].Clause == "" {
		t.Errorf("told %+v", told)
	}
}
