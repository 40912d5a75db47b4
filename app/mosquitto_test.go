package app_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"nirapod/app"
	"nirapod/app/demo"
	"nirapod/state"
)

func TestMosquittoInTheFile(t *testing.T) {
	sample := func(url, mosquitto string) string {
		text := strings.Replace(string(app.Sample), `url: ""                # default: the broker`, `url: "`+url+`" #`, 1)
		head, rest, _ := strings.Cut(text, "  mosquitto:\n")
		_, rest, _ = strings.Cut(rest, "\n\n")
		return head + "  mosquitto: " + mosquitto + "\n\n" + rest
	}
	const url = "tcp://127.0.0.1:1884"
	for _, c := range []struct{ url, mosquitto, roles, want string }{
		{url, `{dir: /var/lib/nirapod-mosquitto, pid_file: /run/mosquitto/mosquitto.pid}`, "ingest,dashboard,alerts,desk", ""},
		{url, `{dir: /var/lib/nirapod-mosquitto}`, "", "take broker from the roles"},
		{"", `{dir: /var/lib/nirapod-mosquitto}`, "ingest,dashboard,alerts,desk", "broker.url: is missing"},
		{url, `{dir: /var/lib/nirapod/mosquitto}`, "ingest,dashboard,alerts,desk", "cannot enter"},
		{url, `{dir: mosquitto}`, "ingest,dashboard,alerts,desk", "absolute"},
		{url, `{pid_file: /run/mosquitto/mosquitto.pid}`, "ingest,dashboard,alerts,desk", "broker.mosquitto.dir: is missing"},
	} {
		_, err := load(t, sample(c.url, c.mosquitto), c.roles)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("mosquitto %s, roles %q: %v, want %q", c.mosquitto, c.roles, err, c.want)
		}
	}
	name := filepath.Join(t.TempDir(), "nirapod.yaml")
	if err := os.WriteFile(name, []byte(sample(url, `{dir: /var/lib/nirapod-mosquitto}`)), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := app.Load(name, nil)
	if err != nil || cfg.DefaultRoles().String() != "ingest,alerts,dashboard,desk" {
		t.Errorf("roles %s, %v", cfg.DefaultRoles(), err)
	}
}

// A start brings Mosquitto's files up to what the state says, and names the
// gateways that they cannot let in.
func TestAStartWritesMosquittosFiles(t *testing.T) {
	dir := t.TempDir()
	cfg := app.Defaults()
	cfg.Version, cfg.Mode, cfg.DataDir, cfg.Sites = 1, app.Demo, dir+"/data", []string{dir + "/site.yaml"}
	cfg.HTTP.Listen, cfg.Desk.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Broker.URL, cfg.Broker.Mosquitto.Dir = "tcp://127.0.0.1:1884", dir+"/mosquitto"
	if err := os.WriteFile(cfg.Sites[0], demo.Site, 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() (string, error) {
		var log bytes.Buffer
		page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}
		server, err := app.New(t.Context(), cfg, cfg.DefaultRoles(), page, slog.New(slog.NewTextHandler(&log, nil)))
		if err == nil {
			err = server.Close()
		}
		return log.String(), err
	}
	if _, err := start(); err == nil || !strings.Contains(err.Error(), "directory of Mosquitto's files") {
		t.Fatalf("without the directory: %v", err)
	}
	if err := os.Mkdir(cfg.Broker.Mosquitto.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := state.Open(t.Context(), cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.AddGateway(t.Context(), db, demo.Factory, demo.Gateway); err != nil {
		t.Fatal(err)
	}
	old := state.GatewayCredential{Username: "padma/gw-0", Factory: "padma", Gateway: "gw-0", Hash: "from before"}
	if err := db.SetGatewayCredential(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if log, err := start(); err != nil || !strings.Contains(log, "systemctl reload mosquitto") || !strings.Contains(log, "shuts out padma/gw-0") {
		t.Errorf("%v\n%s", err, log)
	}
	if log, err := start(); err != nil || strings.Contains(log, "systemctl reload mosquitto") {
		t.Errorf("nothing changed, and it says: %v\n%s", err, log)
	}
	text, err := os.ReadFile(cfg.Broker.Mosquitto.Dir + "/gateways.passwd")
	if err != nil || !strings.HasPrefix(string(text), "padma/gw-1:$7$") || strings.Contains(string(text), "gw-0") {
		t.Errorf("%q, %v", text, err)
	}
}
