package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirapod/app"
	"nirapod/app/demo"
	"nirapod/safety"
)

// A process without a page still says whether it works, and why not.
func TestWatchAProcessWithoutAPage(t *testing.T) {
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	if err := os.WriteFile(site, demo.Site, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := app.Defaults()
	cfg.Version, cfg.Mode, cfg.DataDir, cfg.Sites = 1, app.Demo, filepath.Join(dir, "data"), []string{site}
	cfg.Broker.URL, cfg.Desk.URL = "tcp://127.0.0.1:1", "http://127.0.0.1:1" // nobody is there
	roles, err := app.ParseRoles("alerts")
	if err != nil {
		t.Fatal(err)
	}
	server, err := app.New(t.Context(), cfg, roles, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, open := range []string{"0.0.0.0:0", "9100", ""} {
		if err := server.Watch(open); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("watching at %q: %v", open, err)
		}
	}
	if err := server.Watch("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	at := server.Addresses().Watch
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	if err := app.Ready(t.Context(), at); err == nil || !strings.Contains(err.Error(), "no connection to the broker") {
		t.Errorf("without a broker: %v", err)
	}
	for path, want := range map[string]string{"/healthz": "alive", "/metrics": ""} {
		answer, err := http.Get("http://" + at + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
			t.Errorf("%s: %d %s %v", path, answer.StatusCode, text, err)
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("does not end")
	}
	if err := app.Ready(t.Context(), at); err == nil {
		t.Error("ready after its end")
	}
}

func TestWatchSaysReady(t *testing.T) {
	cfg := app.Defaults()
	cfg.Version, cfg.Mode, cfg.DataDir, cfg.Desk.Listen = 1, app.Demo, t.TempDir(), "127.0.0.1:0"
	roles, err := app.ParseRoles("desk")
	if err != nil {
		t.Fatal(err)
	}
	server, err := app.New(t.Context(), cfg, roles, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Watch("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	if err := app.Ready(t.Context(), server.Addresses().Watch); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
