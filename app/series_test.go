package app_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nirapod/app"
	"nirapod/app/demo"
	"nirapod/internal/influxtest"
	"nirapod/internal/password"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/store/influxstore"
)

func TestSeriesKinds(t *testing.T) {
	sample := func(series string) string {
		head, _, _ := strings.Cut(string(app.Sample), "series:")
		return head + "series: " + series + "\n"
	}
	influx := `{kind: influx, url: "http://127.0.0.1:8086", org: padma, bucket: nirapod, token_file: /etc/nirapod/token}`
	for _, c := range []struct{ series, want string }{
		{influx, ""},
		{`{kind: tsdb, retention: 9000h}`, ""},
		{`{kind: influx, bucket: b, url: "127.0.0.1:8086"}`, "series.url"},
		{`{kind: influx, url: "http://127.0.0.1:8086"}`, "series.bucket: is missing"},
		{`{kind: influx, url: "http://h:1", bucket: b, retention: 2160h, minutes_bucket: m, minutes_retention: 43800h}`, ""},
		{`{kind: influx, url: "http://h:1", bucket: b, minutes_retention: -1h}`, "series.minutes_retention"},
		{`{minutes_bucket: m}`, "belongs to kind influx"},
		{`{bucket: b}`, "belongs to kind influx"},
		{`{kind: postgres}`, `"postgres": want tsdb or influx`},
	} {
		_, err := load(t, sample(c.series), "")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("series %s: %v, want %q", c.series, err, c.want)
		}
	}
	for _, roles := range []string{"ingest", "dashboard", "dashboard,alerts", "ingest,dashboard"} {
		text := sample(influx)
		text = strings.Replace(text, `url: ""                # default: the broker`, `url: tcp://127.0.0.1:1883 #`, 1)
		text = strings.Replace(text, `url: ""                # default: the desk`, `url: http://127.0.0.1:8090 #`, 1)
		if _, err := load(t, text, roles); err != nil {
			t.Errorf("with InfluxDB, roles %s: %v", roles, err)
		}
	}
}

// Ingest and dashboard are two servers of one host, and share the state and
// InfluxDB: what is in the bucket is on the page.
func TestIngestAndDashboardApart(t *testing.T) {
	influx := influxtest.StartClosed(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cfg := app.Defaults()
	cfg.Version, cfg.Mode, cfg.DataDir, cfg.Sites = 1, app.Demo, filepath.Join(dir, "data"), []string{write("site.yaml", string(demo.Site))}
	cfg.Broker.Listen, cfg.HTTP.Listen, cfg.Desk.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.Series.Kind, cfg.Series.URL, cfg.Series.Bucket = app.Influx, influx.URL, influxtest.Bucket("attic")
	cfg.Series.TokenFile = write("token", influx.Token+"\n")
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}
	if _, err := app.New(t.Context(), cfg, app.AllRoles(), page, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "influx bucket create") {
		t.Fatalf("a missing bucket: %v", err)
	}
	cfg.Series.Bucket = influxtest.Bucket(influxtest.Database)
	back := run(t, cfg, "broker,ingest,alerts,desk", nil)
	cfg.Broker.URL, cfg.Desk.URL = "tcp://"+back.Broker, "http://"+back.Desk
	front := run(t, cfg, "dashboard", page)
	waitReady(t, "http://"+front.HTTP+"/readyz")

	at := time.Now().UTC().Add(-time.Minute).Truncate(time.Second)
	series, err := influxstore.Open(t.Context(), influxstore.Options{URL: influx.URL, Token: influx.Token, Bucket: cfg.Series.Bucket}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer series.Close()
	if err := series.Append(t.Context(), []store.Sample{{
		Factory: demo.Factory, Gateway: demo.Gateway, Quantity: safety.Temperature,
		Reading: safety.Reading{Sensor: "store-heat", Value: 31.25, Quality: safety.Good, At: at},
	}}); err != nil {
		t.Fatal(err)
	}
	addInstaller(t, cfg.DataDir)
	span := "&from=" + url.QueryEscape(at.Format(time.RFC3339)) + "&to=" + url.QueryEscape(at.Add(time.Second).Format(time.RFC3339))
	if got := readings(t, "http://"+front.HTTP, "sensor=store-heat"+span); !strings.Contains(got, "31.25") {
		t.Errorf("the page says %s", got)
	}
}

// run runs the server of some roles until the test ends.
func run(t *testing.T, cfg app.Config, list string, page fstest.MapFS) app.Addresses {
	t.Helper()
	roles, err := app.ParseRoles(list)
	if err != nil {
		t.Fatal(err)
	}
	server, err := app.New(t.Context(), cfg, roles, page, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("roles %s: %v", list, err)
		}
	})
	return server.Addresses()
}

func addInstaller(t *testing.T, dir string) {
	t.Helper()
	db, err := state.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.CreateUser(t.Context(), state.User{
		Name: "installer", Role: state.Installer, Factory: demo.Factory, Language: "bn", PasswordHash: password.Hash("let me in"),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readings(t *testing.T, base, query string) string {
	t.Helper()
	answer, err := http.Post(base+"/api/v1/login", "application/json", strings.NewReader(`{"username":"installer","password":"let me in"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var login struct{ Token string }
	if err := json.NewDecoder(answer.Body).Decode(&login); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/readings?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+login.Token)
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
