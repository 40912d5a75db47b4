package broker_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"nirapod/internal/broker"
	"nirapod/internal/broker/brokertest"
)

// start runs a broker for the test and returns its address and how to end it.
func start(t *testing.T, cfg broker.Config) (addr string, stop func()) {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	cfg.Auth = brokertest.Auth
	b, err := broker.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	ended := false
	stop = func() {
		cancel()
		if ended {
			return
		}
		ended = true
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return b.Addr(), stop
}

func TestEmbeddedBroker(t *testing.T) {
	addr, _ := start(t, broker.Config{})
	brokertest.Run(t, brokertest.URLs{Gateways: "tcp://" + addr, Server: "tcp://" + addr})
}

func TestConfigMistakes(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, tt := range []struct {
		name string
		cfg  broker.Config
	}{
		{"no port", broker.Config{Listen: "127.0.0.1", Auth: brokertest.Auth}},
		{"a port out of range", broker.Config{Listen: "127.0.0.1:70000", Auth: brokertest.Auth}},
		{"no door", broker.Config{Listen: "127.0.0.1:0"}},
		{"a port that is taken", broker.Config{Listen: busy.Addr().String(), Auth: brokertest.Auth}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			b, err := broker.New(tt.cfg, slog.New(slog.DiscardHandler))
			if err == nil {
				t.Fatal(b.Close())
			}
			t.Log(time.Since(began).Round(time.Millisecond), err)
		})
	}
}
