// Package influxstore keeps series in InfluxDB 2, or in InfluxDB 1.8 with Flux
// enabled, which serves the same two doors.
//
// What a write that the server has answered with 204 means: InfluxDB has
// written the points to the write-ahead log of each shard they belong to, and
// fsynced it. That is so whatever its option wal-fsync-delay says (0s, the
// default, syncs at once; a longer delay gathers writes under one sync and
// answers all of them after it). Append returns nil only after that answer.
// Checked with 1.8.10: the tests kill the server with SIGKILL and find all that
// was acknowledged, and its system calls show the fsync before the answer. Not
// promised by the server: it does not fsync the directory when it makes a log
// file or renames its catalogue, which the common journalling file systems make
// good; and damage in the middle of a log drops what stands behind it in that
// file. Loss of power was not tried, nor was InfluxDB 2 itself. A replica or a
// backup is the operator's, not this package's.
package influxstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	influxlog "github.com/influxdata/influxdb-client-go/v2/log"

	"nirapod/safety"
	"nirapod/store"
)

const (
	// DefaultPatience is how long one request may stand still.
	DefaultPatience = 30 * time.Second
	// askAgain is how long Open waits before it asks a silent server again.
	askAgain = time.Second
	idle     = 4 // connections kept open
)

// Options say where the series are.
type Options struct {
	URL    string // http://host:8086
	Token  string // "" when the server asks for none; user:password for InfluxDB 1.8
	Org    string // its name or id; InfluxDB 1.8 has none
	Bucket string // for InfluxDB 1.8 database/retention-policy

	// TLS says whose certificates to accept; nil means the system's.
	TLS *tls.Config
	// Patience is how long a request may go without an answer, or an answer
	// without its next row; 0 means DefaultPatience.
	Patience time.Duration
	// Wait is how long Open waits for a server that cannot be reached, as
	// after a power cut, when it may start later than this program.
	Wait time.Duration
}

// Store is a store.Store in one bucket. Several processes may have the same
// bucket open as long as one of them appends. The bucket is the store's own:
// nothing else may write the measurement "reading" there.
type Store struct {
	o      Options
	log    *slog.Logger
	client influxdb2.Client
	http   *http.Client
	write  api.WriteAPIBlocking
	query  api.QueryAPI
	lines  lines // of Append, which has one caller at a time
}

var _ store.Store = (*Store)(nil)

// The client has a logger of its own for the whole process; what it would say
// stands in the errors that this package returns.
func init() { influxlog.Log = nil }

// Open returns the store once the server lets it read the bucket. Its errors
// say what to do.
func Open(ctx context.Context, o Options, log *slog.Logger) (*Store, error) {
	if o.Patience <= 0 {
		o.Patience = DefaultPatience
	}
	if !nameable(o.Bucket) {
		return nil, fmt.Errorf("series store: bucket %q: %w", o.Bucket, safety.ErrInvalid)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = idle
	if o.TLS != nil {
		transport.TLSClientConfig = o.TLS.Clone()
	}
	s := &Store{o: o, log: log, http: &http.Client{Transport: transport}}
	s.client = influxdb2.NewClientWithOptions(o.URL, o.Token, influxdb2.DefaultOptions().
		SetApplicationName("nirapod").SetPrecision(time.Millisecond).SetHTTPClient(s.http))
	s.write = s.client.WriteAPIBlocking(o.Org, o.Bucket)
	s.query = s.client.QueryAPI(o.Org)
	if err := s.reach(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// reach asks the server for nothing in particular until it answers.
func (s *Store) reach(ctx context.Context) error {
	until := time.Now().Add(s.o.Wait)
	for said := false; ; said = true {
		now := time.Now()
		_, err := s.sensors(ctx, store.Query{Factory: "none", From: now, To: now.Add(time.Millisecond)})
		if err == nil || ctx.Err() != nil || !errors.Is(err, errSilent) || now.After(until) {
			return err
		}
		if !said {
			s.log.Warn("the series database does not answer yet", "url", s.o.URL, "waiting", s.o.Wait, "err", err)
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return fmt.Errorf("series store: %w", ctx.Err())
		}
	}
}

// Close implements store.Store. Everything acknowledged is at the server.
func (s *Store) Close() error {
	s.client.Close()
	s.http.CloseIdleConnections()
	return nil
}
