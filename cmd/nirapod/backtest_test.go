package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirapod/app"
	"nirapod/app/demo"
	"nirapod/internal/influxtest"
	"nirapod/rules"
	"nirapod/rules/backtest"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
)

var backtestEnd = time.Now().UTC().Truncate(time.Second).Add(-time.Hour)

// editedRules are the shipped packs but for heat detectors of class A1 that
// answer at 64 °C.
func editedRules(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	names, err := fs.Glob(rules.Shipped, "*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(rules.Shipped, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(string(text), "A1: 54", "A1: 64")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// hotAfternoon is an hour of one heat detector: 60 °C, and after a silence of 20
// minutes 70 °C.
func hotAfternoon() (out []store.Sample) {
	begin := backtestEnd.Add(-time.Hour)
	for second := range 3600 {
		v := 30.0
		switch {
		case second >= 1200 && second < 2400:
			continue
		case second >= 3000:
			v = 70
		case second >= 600:
			v = 60
		}
		out = append(out, store.Sample{Factory: demo.Factory, Gateway: demo.Gateway, Quantity: safety.Temperature, Reading: safety.Reading{
			Sensor: "store-heat", Value: v, Quality: safety.Good, At: begin.Add(time.Duration(second) * time.Second),
		}})
	}
	return out
}

// past fills state and series store of the configuration in file.
func past(t *testing.T, file string) {
	t.Helper()
	cfg, err := app.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.Open(t.Context(), cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.ImportSites(t.Context(), db, cfg); err != nil {
		t.Fatal(err)
	}
	told := safety.Transition{
		Factory: demo.Factory, Source: demo.Gateway, Run: "00000000000000aa", Seq: 1,
		Point: safety.PointID(demo.Factory, "heat-static", "store-heat"), Rule: "heat-static", Class: safety.ClassAlarm,
		From: safety.Inactive, To: safety.Firing, At: backtestEnd.Add(-50*time.Minute + 2*time.Second),
	}
	series, err := app.OpenSeries(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		db.CommitBatch(t.Context(), state.Batch{Transitions: []safety.Transition{told}}), series.Append(t.Context(), hotAfternoon()),
		series.Close(), db.Close(),
	); err != nil {
		t.Fatal(err)
	}
}

func TestBacktestSaysWhatAnEditWouldHaveMissed(t *testing.T) {
	for _, kind := range []string{"tsdb", "influx"} {
		t.Run(kind, func(t *testing.T) {
			file := configure(t, string(demo.Site))
			if kind == "influx" {
				s := influxtest.Start(t)
				useInflux(t, file, s.URL)
			}
			past(t, file)
			ask := func(args ...string) (string, error) {
				return command(t, "", append([]string{"rules", "backtest", "-c", file, "-days", "1", "-until", backtestEnd.Format(time.RFC3339)}, args...)...)
			}
			out, err := ask("-rules", editedRules(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{
				"alarm heat-static (alarm) at store-heat in store: raised 40m0s LATER",
				"told at the time by " + demo.Gateway,
				"store-heat in store: silent from",
				"0.33 h",
				"Nothing raised there does not mean that nothing happened",
				"NEW: the edit raises it, the present rules do not: nothing that the readings show",
			} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			out, err = ask("-rules", editedRules(t), "-json")
			var r backtest.Report
			if err := errors.Join(err, json.Unmarshal([]byte(out), &r)); err != nil || r.Readings != 2400 || len(r.Gaps) == 0 {
				t.Errorf("%v, %d readings, %d gaps", err, r.Readings, len(r.Gaps))
			}
			if out, err = ask(); err != nil || strings.Contains(out, "heat-static") {
				t.Errorf("the same rules: %v\n%s", err, out)
			}
			if _, err := ask("-until", "2020-01-01T00:00:00Z"); !errors.Is(err, safety.ErrNoData) || !strings.Contains(err.Error(), "series.retention") {
				t.Errorf("a time without readings: %v", err)
			}
		})
	}
}

func TestBacktestRefusesWhatItCannotAnswer(t *testing.T) {
	file := configure(t, string(demo.Site))
	empty := []string{"rules", "backtest", "-c", file}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no site yet", empty, "the registry has no site"},
		{"no days", append(empty, "-days", "0"), "want 1 to 400"},
		{"a time that is none", append(empty, "-until", "yesterday"), "want a time such as"},
		{"no such rules", append(empty, "-rules", filepath.Join(t.TempDir(), "none")), "none"},
		{"wrong rules", append(empty, "-rules", files(t, map[string]string{"p.yml": "rules: many"})), "p.yml:1:"},
	} {
		if _, err := command(t, "", c.args...); !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	past(t, file)
	cfg, err := app.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	series, err := app.OpenSeries(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer series.Close()
	if _, err := command(t, "", empty...); err == nil || !strings.Contains(err.Error(), "if the server runs, stop it") {
		t.Errorf("while the server runs: %v", err)
	}
	if _, err := command(t, "", append(empty, "-factory", "nowhere")...); !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), "want one of "+demo.Factory) {
		t.Errorf("another factory: %v", err)
	}
}

func useInflux(t *testing.T, file, url string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("series: {kind: influx, url: \"" + url + "\", bucket: \"" + influxtest.Bucket(influxtest.Database) + "\"}\n")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
