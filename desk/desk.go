package desk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"nirapod/safety"
)

const (
	maxBody         = 512 << 10 // bytes of one filing
	minToken        = 16        // characters
	shutdownTimeout = 3 * time.Second
)

// Config is what the desk needs to start.
type Config struct {
	Listener net.Listener // bound by the caller; Run closes it
	Dir      string       // holds desk.db; created if need be
	Senders  []Sender
	Officers []Officer
}

// Sender is a server that may file, and for which factories.
type Sender struct {
	Name      string
	Token     string   // bearer token, at least 16 characters
	Factories []string // ids; empty: for any factory
}

// Officer is a program that reads for officers, and for which offices.
type Officer struct {
	Name    string
	Token   string
	Offices []string // ids; empty: of every office
	// OneOffice: each request names the office that it reads for, so that a
	// program of many officers cannot show one office's cases to another.
	OneOffice bool
}

// Desk is the role. Run may be called once.
type Desk struct {
	listener net.Listener
	ledger   *ledger
	senders  []access
	officers []access
	log      *slog.Logger
}

// access is what one token opens.
type access struct {
	name  string
	token [sha256.Size]byte
	scope scope // ids; empty: all
	one   bool  // each request names its office
}

// New checks the configuration and opens the database. An error about the
// configuration names all mistakes and wraps safety.ErrInvalid.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Desk, error) {
	d := &Desk{listener: cfg.Listener, log: log}
	var errs []error
	if cfg.Listener == nil {
		errs = append(errs, fmt.Errorf("desk: a listener is required: %w", safety.ErrInvalid))
	}
	seen := map[[sha256.Size]byte]bool{}
	grant := func(name, token string, scope []string) access {
		sum := sha256.Sum256([]byte(token))
		switch {
		case len(token) < minToken:
			errs = append(errs, fmt.Errorf("desk: token of %q: at least %d characters: %w", name, minToken, safety.ErrInvalid))
		case seen[sum]:
			errs = append(errs, fmt.Errorf("desk: token of %q is another's too: %w", name, safety.ErrInvalid))
		}
		seen[sum] = true
		return access{name: name, token: sum, scope: scope}
	}
	for _, s := range cfg.Senders {
		d.senders = append(d.senders, grant(s.Name, s.Token, s.Factories))
	}
	for _, o := range cfg.Officers {
		a := grant(o.Name, o.Token, o.Offices)
		a.one = o.OneOffice
		d.officers = append(d.officers, a)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	var err error
	if d.ledger, err = openLedger(ctx, cfg.Dir); err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	return d, nil
}

// Close closes the database of a desk that is not running.
func (d *Desk) Close() error { return d.ledger.close() }

// Run serves until ctx ends, then closes the database and returns ctx.Err().
func (d *Desk) Run(ctx context.Context) error {
	server := &http.Server{
		Handler:           d.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		stopped <- server.Shutdown(shutdown)
	})
	err := server.Serve(d.listener)
	if stop() { // Serve ended by itself
		return errors.Join(err, d.ledger.close())
	}
	shutdownErr := <-stopped
	if shutdownErr != nil {
		shutdownErr = errors.Join(shutdownErr, server.Close())
	}
	return errors.Join(ctx.Err(), shutdownErr, d.ledger.close())
}
