package spool

import (
	"errors"
	"slices"

	"nirapod/safety"
	"nirapod/wire"
)

// Segments smaller than this stay after their commit: it bounds how much a
// new process sends again for nothing, and how often files are made.
const (
	minRelease      = 64 << 10
	minReleaseAlarm = 4 << 10
)

// Release deletes what the server has committed of one stream of one run:
// covered holds the committed numbers, ascending and merged. Only whole
// segments go, oldest first, so that what is held is always the newest
// numbers without a break. A run that is not held is ignored.
func (s *Spool) Release(run string, stream wire.Stream, covered []safety.Span) error {
	if w := s.writers[stream]; w != nil && run == s.cfg.Run {
		if err := s.sealCovered(w, covered); err != nil {
			return err
		}
	}
	s.maintain.Lock() // a segment must not go while it is being rewritten, or another joined to it
	defer s.maintain.Unlock()
	for {
		sr, seg := s.oldestCovered(run, stream, covered)
		if seg == nil {
			s.forgetEmpty()
			return nil
		}
		if err := s.remove(sr, seg); err != nil {
			return err
		}
	}
}

func (s *Spool) oldestCovered(run string, stream wire.Stream, covered []safety.Span) (*series, *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sr := range s.series {
		if sr.run != run || sr.stream != stream || len(sr.segs) == 0 {
			continue
		}
		if seg := sr.segs[0]; seg.sealed && contains(covered, seg.first, sr.last(seg)) {
			return sr, seg
		}
	}
	return nil, nil
}

// sealCovered ends the open segment if all of it is committed and it has
// grown enough.
func (s *Spool) sealCovered(w *writer, covered []safety.Span) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil || w.closed || !contains(covered, w.seg.first, w.series.next-1) {
		return nil
	}
	least := int64(minRelease)
	if w.series.stream == wire.Alarms {
		least = minReleaseAlarm
	}
	if w.seg.size < min(least, s.cfg.segment/2) {
		return nil
	}
	return errors.Join(s.syncWriter(w), s.seal(w))
}

func (s *Spool) forgetEmpty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.series = slices.DeleteFunc(s.series, func(sr *series) bool { return !sr.current && len(sr.segs) == 0 })
}

func contains(covered []safety.Span, from, to uint64) bool {
	return slices.ContainsFunc(covered, func(c safety.Span) bool { return c.From <= from && to <= c.To })
}
