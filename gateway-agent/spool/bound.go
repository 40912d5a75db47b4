package spool

import (
	"os"
	"slices"

	"nirapod/safety"
	"nirapod/wire"
)

const (
	stubShare  = 16 // one part in so many may be declarations of what was dropped
	diskBlock  = 4096
	alarmShare = 8 // one part in so many of MaxBytes is kept for alarms
)

// bytes returns what one stream takes of the disk. The caller holds s.mu.
func (s *Spool) bytes(stream wire.Stream) int64 {
	var total int64
	for _, sr := range s.series {
		if sr.stream != stream {
			continue
		}
		for _, seg := range sr.segs {
			total += (seg.size + diskBlock - 1) / diskBlock * diskBlock
		}
	}
	return total
}

// telemetryLimit is what may be left of telemetry when a new segment begins.
// Alarms beyond their share take from it.
func (s *Spool) telemetryLimit() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	alarms := max(s.bytes(wire.Alarms), s.cfg.MaxBytes/alarmShare)
	return s.cfg.MaxBytes - s.spareBytes() - alarms - s.cfg.segment
}

// makeRoom thins and then drops telemetry, oldest first, until it takes at
// most limit bytes or nothing is left to take.
func (s *Spool) makeRoom(limit int64) {
	over := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.bytes(wire.Readings) > limit
	}
	for more := true; more && over(); {
		s.maintain.Lock()
		more = over() && s.reduce()
		s.maintain.Unlock()
	}
}

// shed makes room when the disk is full of something else.
func (s *Spool) shed() {
	s.maintain.Lock()
	defer s.maintain.Unlock()
	if s.reduce() {
		s.restoreSpare()
	}
}

// reduce takes one step: it thins the oldest segment that is not yet thinned,
// else drops the oldest. It reports whether there was one. The caller holds
// s.maintain.
func (s *Spool) reduce() bool {
	s.forgetStubs()
	if sr, seg := s.oldest(func(seg *segment) bool { return !seg.thin && !seg.stub }); seg != nil {
		if err := s.thin(sr, seg); err == nil {
			return true
		}
		return s.drop(sr, seg)
	}
	if sr, seg := s.oldest(func(seg *segment) bool { return !seg.stub }); seg != nil {
		return s.drop(sr, seg)
	}
	return false
}

func (s *Spool) oldest(fits func(*segment) bool) (*series, *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sr := range s.series {
		if sr.stream != wire.Readings {
			continue
		}
		for _, seg := range sr.segs {
			if seg.sealed && fits(seg) {
				return sr, seg
			}
		}
	}
	return nil, nil
}

// drop replaces seg by the declaration that its numbers are gone. Stubs that
// follow each other become one.
func (s *Spool) drop(sr *series, seg *segment) bool {
	s.mu.Lock()
	last := sr.last(seg)
	at := slices.Index(sr.segs, seg)
	var before *segment
	if at > 0 && sr.segs[at-1].stub {
		before = sr.segs[at-1]
	}
	s.mu.Unlock()
	into := seg
	if before != nil {
		into = before
	}
	stub := []item{{from: into.first, to: last, gone: wire.GoneFull}}
	err := s.replace(sr, into, stub)
	if noSpace(err) {
		s.logFailed("dropped segment is not emptied", os.Truncate(seg.path, 0))
		err = s.replace(sr, into, stub)
	}
	if err != nil {
		s.logFailed("telemetry is not dropped", err)
		return false
	}
	into.stub = true
	s.log.Warn("spool is full: telemetry dropped", "run", sr.run, "from", seg.first, "to", last)
	s.trace.gone(sr.run, sr.stream, []Gone{{safety.Span{From: seg.first, To: last}, wire.GoneFull}})
	if before != nil {
		s.logFailed("dropped segment is not removed", s.remove(sr, seg))
	}
	return true
}

// forgetStubs bounds what the declarations themselves take: an agent that
// restarts all day with no server leaves one for each run.
func (s *Spool) forgetStubs() {
	s.mu.Lock()
	var oldest *series
	var stub *segment
	n := 0
	for _, sr := range s.series {
		if sr.stream == wire.Readings && len(sr.segs) > 0 && sr.segs[0].stub {
			if n++; stub == nil {
				oldest, stub = sr, sr.segs[0]
			}
		}
	}
	s.mu.Unlock()
	if int64(n) <= s.cfg.MaxBytes/stubShare/diskBlock {
		return
	}
	s.log.Error("spool forgets what it dropped of an old run", "run", oldest.run, "to", s.lastOf(oldest, stub))
	s.logFailed("stub is not removed", s.remove(oldest, stub))
	s.forgetEmpty()
}
