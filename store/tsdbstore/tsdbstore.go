// Package tsdbstore is the embedded series store: a Prometheus TSDB that is
// made durable from outside. The TSDB has no commit that waits for the disk;
// this package syncs the write logs itself before it says that samples are
// kept. A value is a sample of the metric "reading"; why a reading is not good
// is a sample of the metric "quality" at the same millisecond, so that a good
// reading costs one row and no answer has to be guessed from the row before.
package tsdbstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"nirapod/safety"
	"nirapod/store"
)

const (
	// DefaultLate is how far behind the newest sample a late one may lie.
	DefaultLate = 7 * 24 * time.Hour
	// The TSDB measures lateness from its newest sample, ingest from its own
	// clock. The slack covers one corrected clock step (1 h), samples up to 2
	// minutes in the future, and rounding, so that whatever ingest lets pass
	// is young enough here.
	lateSlack = 2 * time.Hour
	// Blocks grow to at most this, else a year would be thousands of blocks.
	maxBlock = 31 * 24 * time.Hour
)

// Options tune a store. The zero value is fit for use.
type Options struct {
	// Retention drops blocks whose newest sample is older than this. Whole
	// blocks go, so up to a tenth more is kept. 0 keeps everything.
	Retention time.Duration
	// Late is how far behind the newest sample a late one may lie; 0 means
	// DefaultLate.
	Late time.Duration
	// Block is what one block covers; 0 means the TSDB's own two hours.
	Block time.Duration
	// Registerer takes the metrics of the TSDB and of this store. nil: none.
	Registerer prometheus.Registerer

	segmentSize int // of the write logs, for tests
}

// Store is a store.Store in a directory of its own. One process at a time has
// it open.
type Store struct {
	log      *slog.Logger
	db       *tsdb.DB
	counters *counters
	repaired bool

	mu     sync.Mutex // held by Append and Close
	series map[seriesKey]*series
	seen   map[instant]uint64
	logs   []*syncer
	broken error
}

var _ store.Store = (*Store)(nil)

// Open opens or creates the store in dir. It returns once everything found
// there is readable and synced. Damage in the write log is repaired by
// dropping what lies behind it, which is logged and counted
// (nirapod_store_repairs_total); see Repaired.
func Open(dir string, o Options, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("series store: %w", err)
	}
	if err := rewriteAfterFailedSync(dir); err != nil {
		return nil, fmt.Errorf("series store %s: %w", dir, err)
	}
	damaged, err := rebuildFromLogs(dir, o.segmentSize)
	if err != nil {
		return nil, fmt.Errorf("series store %s: %w", dir, err)
	}
	counters := newCounters(o.Registerer)
	db, err := tsdb.Open(dir, slog.New(quiet{log.Handler()}), counters, o.tsdb(), nil)
	if err != nil {
		return nil, fmt.Errorf("series store %s: %w", dir, err)
	}
	s := &Store{
		log: log, db: db, counters: counters,
		series: map[seriesKey]*series{},
		seen:   map[instant]uint64{},
		logs:   newSyncers(dir),
	}
	if s.repaired = damaged || counters.value(corruptions) > 0; s.repaired {
		counters.repairs.Inc()
		log.Error("series log was damaged: readings written after the damage are gone unless a gateway still holds them", "dir", dir)
	}
	// What an earlier process wrote but did not sync may be all that names a
	// series; later samples refer to it.
	if err := s.sync(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (o Options) tsdb() *tsdb.Options {
	if o.Late == 0 {
		o.Late = DefaultLate
	}
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = o.Retention.Milliseconds()
	opts.OutOfOrderTimeWindow = (o.Late + lateSlack).Milliseconds()
	opts.MaxBlockDuration = maxBlock.Milliseconds()
	if o.Block > 0 {
		opts.MinBlockDuration = o.Block.Milliseconds()
	}
	if o.Retention > 0 {
		opts.MaxBlockDuration = min(opts.MaxBlockDuration, max(o.Retention.Milliseconds()/10, opts.MinBlockDuration))
	}
	opts.WALCompression = compression.Snappy
	if o.segmentSize > 0 {
		opts.WALSegmentSize = o.segmentSize
	}
	return opts
}

// Repaired reports whether Open found and repaired damage in a write log.
func (s *Store) Repaired() bool { return s.repaired }

// Append implements store.Store.
func (s *Store) Append(ctx context.Context, samples []store.Sample) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	if err := ctx.Err(); err != nil || len(samples) == 0 {
		return err
	}
	rejected, err := s.write(ctx, samples)
	if err != nil {
		return err
	}
	if err := s.sync(); err != nil {
		return err
	}
	if len(rejected) > 0 {
		return &store.RejectedError{Samples: rejected}
	}
	return nil
}

// write hands the samples to the TSDB and commits them to its logs, unsynced.
func (s *Store) write(ctx context.Context, samples []store.Sample) ([]store.Rejection, error) {
	clear(s.seen)
	app := s.db.AppenderV2(ctx)
	var rejected []store.Rejection
	for i := range samples {
		reason, err := s.add(app, &samples[i])
		if err != nil {
			return nil, errors.Join(fmt.Errorf("series store: %w", err), app.Rollback())
		}
		if reason != "" {
			rejected = append(rejected, store.Rejection{Index: i, Reason: reason})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, app.Rollback())
	}
	lost := s.counters.value(lateLogFailures)
	if err := app.Commit(); err != nil {
		// The log may now end in half a record, and all that came after it
		// would be dropped on opening.
		return nil, s.breakDown(err)
	}
	// The TSDB only logs that late samples did not reach their log.
	if s.counters.value(lateLogFailures) > lost {
		return nil, s.breakDown(errors.New("log of late samples refused a write"))
	}
	return rejected, nil
}

// add hands one sample to app. It returns why the sample can never be stored,
// or an error when the TSDB itself does not work.
func (s *Store) add(app storage.AppenderV2, sample *store.Sample) (string, error) {
	if valid := sample.Validate() == nil; !valid {
		return store.RejectInvalid, nil
	}
	key := keyOf(sample)
	known := s.series[key]
	if known == nil {
		known = newSeries(key)
		s.series[key] = known
	}
	at := sample.At.UnixMilli()
	if sample.Quality != safety.Good {
		if reason, err := s.addRow(app, &known.quality, at, codeOf(sample.Reading)); reason != "" || err != nil {
			return reason, err
		}
	}
	if sample.Quality == safety.Bad {
		return "", nil
	}
	return s.addRow(app, &known.value, at, sample.Value)
}

func (s *Store) addRow(app storage.AppenderV2, r *row, at int64, v float64) (string, error) {
	// Within one commit the TSDB drops the second of two samples unseen.
	if before, repeated := s.seen[instant{r, at}]; repeated {
		if before == bitsOf(v) {
			return "", nil
		}
		return store.RejectConflict, nil
	}
	ref, err := app.Append(r.ref, r.labels, 0, at, v, nil, nil, storage.AOptions{})
	switch {
	case err == nil:
		r.ref = ref
		s.seen[instant{r, at}] = bitsOf(v)
		return "", nil
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		return store.RejectConflict, nil
	case errors.Is(err, storage.ErrTooOldSample), errors.Is(err, storage.ErrOutOfBounds):
		return store.RejectTooOld, nil
	}
	return "", err
}

func (s *Store) breakDown(cause error) error {
	s.broken = fmt.Errorf("%w: %w", store.ErrBroken, cause)
	return s.broken
}

// Close implements store.Store. It syncs what is open.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := []error{s.db.Close()}
	for _, l := range s.logs {
		errs = append(errs, l.close())
	}
	s.broken = fmt.Errorf("%w: closed", store.ErrBroken)
	return errors.Join(errs...)
}

// row is one series of the TSDB.
type row struct {
	labels labels.Labels
	ref    storage.SeriesRef
}

type instant struct {
	row *row
	at  int64
}
