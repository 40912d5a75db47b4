// Package spool keeps what the agent has accepted until the server commits it.
//
// It is a segment log on the gateway's own disk. A record is accepted when
// Append returns nil: it then is in the file and survives the death of the
// process. Alarms are on the disk as well; telemetry follows within ten
// seconds, which is what a power cut may cost. Numbers are given per run and
// stream, from 1, without a break: each one is a record or declared gone.
//
// The spool is bounded. As the bound comes near, telemetry is thinned and then
// dropped, oldest first; alarms never are. Damage costs the damaged numbers
// and nothing else: a broken spool never stops the agent.
package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"golang.org/x/sys/unix"

	"nirapod/safety"
	"nirapod/wire"
)

const (
	defaultMaxBytes = 64 << 20
	segmentBytes    = 1 << 20
	minSegments     = 8 // MaxBytes holds at least so many segments
)

var (
	// ErrFull reports that the disk has no room for the record. It was not
	// accepted; later calls may succeed.
	ErrFull = errors.New("disk is full")
	// ErrClosed reports an Append after Close.
	ErrClosed = errors.New("spool is closed")
)

// Config is what a spool has to know. Run and Boot are the names under which
// this process's records travel.
type Config struct {
	Run      string // 16 lower-case hex digits, random per process
	Boot     string // the kernel's boot id
	MaxBytes int64  // bound of all files together, 0 = 64 MiB; alarms alone may exceed it

	segment int64 // bytes of a full segment, 0 = segmentBytes
}

var validBoot = regexp.MustCompile(`^[A-Za-z0-9.:-]{1,64}$`)

func (c *Config) setDefaults() error {
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.segment == 0 {
		c.segment = segmentBytes
	}
	var errs []error
	if !wire.ValidRun(c.Run) {
		errs = append(errs, fmt.Errorf("run %q: want 16 lower-case hex digits: %w", c.Run, safety.ErrInvalid))
	}
	if !validBoot.MatchString(c.Boot) {
		errs = append(errs, fmt.Errorf("boot %q: want 1 to 64 of A-Z a-z 0-9 - . : : %w", c.Boot, safety.ErrInvalid))
	}
	if c.MaxBytes < minSegments*c.segment {
		errs = append(errs, fmt.Errorf("max_bytes %d: want at least %d: %w", c.MaxBytes, minSegments*c.segment, safety.ErrInvalid))
	}
	return errors.Join(errs...)
}

// Spool is the log of one gateway. It is safe for concurrent use.
//
// Locks are taken in this order: writer.mu, maintain, files, mu.
type Spool struct {
	dir    string
	cfg    Config
	log    *slog.Logger
	lock   *os.File
	trace  trace
	upkeep chan struct{} // wakes Run: a segment was begun or the disk is full

	writers map[wire.Stream]*writer

	maintain sync.Mutex   // held while sealed segments are rewritten or removed
	files    sync.RWMutex // held for reading while a segment is read, for writing while one is replaced or removed

	mu     sync.Mutex
	series []*series             // oldest run first; guarded by mu
	spare  bool                  // the reserved space exists; guarded by mu
	faults map[wire.Stream]error // why the newest write failed; guarded by mu
	loose  bool                  // directory entries are not yet synced; guarded by mu
}

// Open opens or creates the spool in dir, for one process at a time. It reads
// only the newest segment of each earlier run, so it is quick even when the
// spool is full.
func Open(dir string, cfg Config, log *slog.Logger) (*Spool, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &Spool{dir: dir, cfg: cfg, log: log, lock: lock,
		upkeep: make(chan struct{}, 1), faults: map[wire.Stream]error{}}
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("spool: %w", err), lock.Close())
	}
	if s.trace, err = openTrace(cfg.Run, cfg.Boot); err != nil {
		return nil, errors.Join(fmt.Errorf("spool: %w", err), lock.Close())
	}
	s.restoreSpare()
	return s, nil
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is in use by another agent: %w", dir, err), f.Close())
	}
	return f, nil
}

// Close syncs what is not yet synced and lets go of the directory. Appends
// after it fail with ErrClosed.
func (s *Spool) Close() error {
	var errs []error
	for _, w := range s.writers {
		w.mu.Lock()
		if !w.closed {
			errs = append(errs, s.syncWriter(w), s.seal(w))
		}
		w.closed = true
		w.mu.Unlock()
	}
	return errors.Join(append(errs, s.syncDir(), s.trace.close(), s.lock.Close())...)
}

// Fault returns why the newest Append failed, nil if none did. It does not
// count records that were refused as invalid.
func (s *Spool) Fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.faults[wire.Alarms], s.faults[wire.Readings])
}

// Bytes returns how much of the disk the spool takes now.
func (s *Spool) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := s.bytes(wire.Readings) + s.bytes(wire.Alarms)
	if s.spare {
		total += s.spareBytes()
	}
	return total
}

// Extent is what the spool still holds of one stream of one run. All numbers
// below From have been committed.
type Extent struct {
	Run, Boot string
	From, To  uint64 // To < From: nothing
	Mono      int64  // of an earlier boot: its newest known ms of monotonic clock
	Current   bool   // the run of this process, which still grows
}

// Extents returns what is held of stream, oldest run first, this run last.
func (s *Spool) Extents(stream wire.Stream) []Extent {
	s.mu.Lock()
	defer s.mu.Unlock()
	monos := map[string]int64{}
	for _, sr := range s.series {
		monos[sr.boot] = max(monos[sr.boot], sr.mono)
	}
	var out []Extent
	for _, sr := range s.series {
		if sr.stream == stream {
			out = append(out, Extent{Run: sr.run, Boot: sr.boot, From: sr.base(), To: sr.next - 1,
				Mono: monos[sr.boot], Current: sr.current})
		}
	}
	return out
}

// Appended returns the channel that gets a value after records were appended
// to stream. One value may stand for several calls.
func (s *Spool) Appended(stream wire.Stream) <-chan struct{} { return s.writers[stream].appended }
