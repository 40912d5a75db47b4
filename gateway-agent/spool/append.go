package spool

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"nirapod/safety"
	"nirapod/wire"
)

// writer appends to one stream of this process's run.
type writer struct {
	series   *series
	appended chan struct{}

	mu     sync.Mutex
	file   *os.File         // of seg; nil before the first record and between segments; guarded by mu
	seg    *segment         // guarded by mu
	dirty  bool             // written since the last sync; guarded by mu
	closed bool             // guarded by mu
	buf    []byte           // guarded by mu
	newest map[string]Stamp // by sensor; guarded by mu
}

// Append accepts recs in their order, all or none, and gives them the next
// numbers of stream. When it returns nil they are in the file; alarms are on
// the disk.
//
// A sensor's readings must be strictly increasing in Mono, else the error
// wraps safety.ErrInvalid. One whose Wall is not after the one before (the wall
// clock was set back) is kept as unsynced: the monotonic clock places it.
//
// While the disk is full every call that accepts nothing returns ErrFull; the
// log tells only when that begins and ends.
func (s *Spool) Append(stream wire.Stream, recs ...Record) error {
	w := s.writers[stream]
	if w == nil {
		return fmt.Errorf("stream %q: %w", stream, safety.ErrInvalid)
	}
	if len(recs) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	recs, err := w.clean(recs)
	if err != nil {
		return err
	}
	err = s.store(w, recs)
	s.setFault(stream, err)
	if err != nil {
		return err
	}
	for _, r := range recs {
		w.newest[r.Reading.Sensor] = r.later(w.newest[r.Reading.Sensor])
	}
	select {
	case w.appended <- struct{}{}:
	default:
	}
	return nil
}

// clean returns copies of recs as they will be kept.
func (w *writer) clean(recs []Record) ([]Record, error) {
	out := make([]Record, len(recs))
	var seen map[string]Stamp // within this call
	for i, r := range recs {
		r, err := r.clean(w.series.stream)
		if err != nil {
			return nil, err
		}
		if w.series.stream == wire.Readings {
			before, known := seen[r.Reading.Sensor]
			if !known {
				before, known = w.newest[r.Reading.Sensor]
			}
			if known && r.Mono <= before.Mono {
				return nil, fmt.Errorf("sensor %s: mono %d is not after %d: %w", r.Reading.Sensor, r.Mono, before.Mono, safety.ErrInvalid)
			}
			if !r.Wall.After(before.Wall) {
				r.Wall = time.Time{}
			}
			if seen == nil {
				seen = make(map[string]Stamp, len(recs))
			}
			seen[r.Reading.Sensor] = r.later(before)
		}
		out[i] = r
	}
	return out, nil
}

// later returns the newest of both clocks.
func (st Stamp) later(before Stamp) Stamp {
	if st.Wall.Before(before.Wall) {
		st.Wall = before.Wall
	}
	return st
}

// store writes recs, a second time if there is hope: an alarm may take the
// reserved space, and a broken file is left for a new one.
func (s *Spool) store(w *writer, recs []Record) error {
	alarm := w.series.stream == wire.Alarms
	if !alarm && !s.hasSpare() {
		return fmt.Errorf("the rest is reserved for alarms: %w", ErrFull)
	}
	err := s.put(w, recs)
	switch {
	case err == nil || errors.Is(err, safety.ErrInvalid):
		return err
	case noSpace(err) && (!alarm || !s.releaseSpare()):
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err = s.put(w, recs); noSpace(err) {
		err = fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

func noSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// put writes recs under the next numbers.
func (s *Spool) put(w *writer, recs []Record) error {
	first := w.series.next
	w.buf = w.buf[:0]
	for i, r := range recs {
		var err error
		n := first + uint64(i)
		if w.buf, err = appendFrame(w.buf, w.series.seed(), item{from: n, to: n, record: r}); err != nil {
			return err
		}
	}
	if err := s.ready(w, int64(len(w.buf))); err != nil {
		return err
	}
	s.trace.try(w.series.stream, first, recs)
	_, err := w.file.Write(w.buf)
	wrote := err == nil
	if wrote && w.series.stream == wire.Alarms {
		w.dirty = true
		err = s.syncWriter(w)
	}
	if err != nil {
		s.trace.no(w.series.stream, first, recs)
		return errors.Join(err, s.abandon(w, uint64(len(recs)), wrote))
	}
	w.dirty = w.series.stream == wire.Readings
	s.mu.Lock()
	w.seg.size += int64(len(w.buf))
	w.series.next += uint64(len(recs))
	s.mu.Unlock()
	s.trace.ok(w.series.stream, first, recs)
	return nil
}

// ready sees to it that w has a segment with room for n bytes.
func (s *Spool) ready(w *writer, n int64) error {
	if w.file != nil && w.seg.size > int64(len(magic)) && w.seg.size+n > s.cfg.segment {
		s.logFailed("segment is not synced", errors.Join(s.syncWriter(w), s.seal(w)))
	}
	if w.file != nil {
		return nil
	}
	if w.series.stream == wire.Readings {
		s.makeRoom(s.telemetryLimit())
	}
	return s.begin(w)
}

// begin starts a new segment.
func (s *Spool) begin(w *writer) error {
	sr := w.series
	seg := &segment{path: sr.path(s.dir, sr.next), first: sr.next, size: int64(len(magic))}
	f, err := os.OpenFile(seg.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(magic); err != nil {
		return errors.Join(err, f.Close(), os.Remove(seg.path))
	}
	w.file, w.seg, w.dirty = f, seg, true
	s.mu.Lock()
	sr.segs = append(sr.segs, seg)
	s.loose = true
	s.mu.Unlock()
	s.wakeUpkeep()
	return nil
}

// abandon takes back what a failed put may have left in the file. If that is
// not certain, the file is left and the numbers are never used: they will be
// declared gone.
func (s *Spool) abandon(w *writer, n uint64, wrote bool) error {
	err := w.file.Truncate(w.seg.size)
	if err == nil && !wrote {
		return nil
	}
	s.mu.Lock()
	w.series.next += n
	s.mu.Unlock()
	return errors.Join(err, s.seal(w))
}

// seal ends the open segment. The caller holds w.mu.
func (s *Spool) seal(w *writer) error {
	if w.file == nil {
		return nil
	}
	s.mu.Lock()
	w.seg.sealed = true
	s.mu.Unlock()
	err := w.file.Close()
	w.file, w.dirty = nil, false
	return err
}

// syncWriter makes the open segment and its directory entry durable. The
// caller holds w.mu.
func (s *Spool) syncWriter(w *writer) error {
	if w.file == nil || !w.dirty {
		return nil
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	w.dirty = false
	return s.syncDir()
}

// syncDir makes directory entries durable.
func (s *Spool) syncDir() error {
	s.mu.Lock()
	loose := s.loose
	s.loose = false
	s.mu.Unlock()
	if !loose {
		return nil
	}
	if err := syncPath(s.dir); err != nil {
		s.mu.Lock()
		s.loose = true
		s.mu.Unlock()
		return err
	}
	return nil
}

// setFault remembers whether a stream can be written and logs when that
// changes.
func (s *Spool) setFault(stream wire.Stream, err error) {
	if errors.Is(err, safety.ErrInvalid) {
		return
	}
	s.mu.Lock()
	changed := (err != nil) != (s.faults[stream] != nil)
	s.faults[stream] = err
	s.mu.Unlock()
	switch {
	case !changed:
	case err != nil:
		s.log.Error("spool does not accept records", "stream", stream, "err", err)
	default:
		s.log.Info("spool accepts records again", "stream", stream)
	}
}
