package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"nirapod/safety"
)

const (
	watchTimeout = 5 * time.Second
	longestWhy   = 4 << 10 // bytes of a reason that Ready repeats
)

// Watch opens a door on loopback for supervisors and Prometheus: /healthz,
// /readyz and /metrics of this process, whichever its roles. It is called
// before Run.
func (s *Server) Watch(address string) error {
	if host, _, err := net.SplitHostPort(address); err != nil || !isLoopback(host) {
		return fmt.Errorf("watch %q: want a port on loopback, such as 127.0.0.1:9100: nobody is asked for a login there: %w", address, safety.ErrInvalid)
	}
	l, err := s.listen(address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.isReady(); err != nil {
			say(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		say(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}))
	door := &http.Server{Handler: mux, ReadHeaderTimeout: watchTimeout, WriteTimeout: watchTimeout, IdleTimeout: time.Minute}
	s.addr.Watch = l.Addr().String()
	s.parts = append(s.parts, part{"watch", func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = door.Close() }) // nothing here is worth waiting for
		defer stop()
		if err := door.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return ctx.Err()
	}})
	return nil
}

func say(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, words+"\n") // who asked may have gone
}

// Ready asks the process that watches at address whether all of it works, and
// returns its reason if not.
func Ready(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	why, err := io.ReadAll(io.LimitReader(answer.Body, longestWhy))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("not ready: %s", strings.TrimSpace(string(why)))
	}
	return err
}
