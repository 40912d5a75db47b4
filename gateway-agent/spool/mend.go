package spool

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"nirapod/safety"
	"nirapod/wire"
)

const (
	damagedSuffix = ".damaged"
	keepDamaged   = 4 // files set aside for people to look at, newest
)

// mend rewrites a damaged segment with what is left of it, after a copy was
// set aside, and returns its items, which are right even if the disk takes no
// more writes. It reports false if the file is no longer the one that version
// meant: then it is to be read again.
func (s *Spool) mend(sr *series, seg *segment, version int) ([]item, bool) {
	s.sealSegment(sr, seg)
	s.maintain.Lock()
	defer s.maintain.Unlock()
	s.mu.Lock()
	same := slices.Contains(sr.segs, seg) && seg.version == version
	s.mu.Unlock()
	if !same {
		return nil, false
	}
	return s.mendHeld(sr, seg), true
}

// mendHeld is mend for a caller that holds s.maintain.
func (s *Spool) mendHeld(sr *series, seg *segment) []item {
	data, err := readSegment(seg.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.logFailed("damaged segment cannot be read", err)
	}
	items, _, _ := salvage(data, sr.seed())
	items, lost := fill(items, seg.first, s.lastOf(sr, seg))
	if seg.mended {
		return items
	}
	seg.mended = true
	s.setAside(seg.path, data)
	s.logFailed("damaged segment is not mended", s.replace(sr, seg, items))
	s.trace.gone(sr.run, sr.stream, lost)
	s.log.Error("spool segment was damaged; the lost numbers are declared gone",
		"file", filepath.Base(seg.path), "kept", len(items)-len(lost), "lost", lost)
	return items
}

// sealSegment ends seg if it is still written to: its file will be replaced.
func (s *Spool) sealSegment(sr *series, seg *segment) {
	if !sr.current {
		return
	}
	w := s.writers[sr.stream]
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil && w.seg == seg {
		s.logFailed("damaged segment is not closed", s.seal(w))
	}
}

func (s *Spool) lastOf(sr *series, seg *segment) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sr.last(seg)
}

// fill returns items cut to [first, last], with every hole declared, and the
// spans that it declared.
func fill(items []item, first, last uint64) (out []item, lost []Gone) {
	hole := func(from, to uint64) {
		out = append(out, item{from: from, to: to, gone: wire.GoneCorrupt})
		lost = append(lost, Gone{safety.Span{From: from, To: to}, wire.GoneCorrupt})
	}
	pos := first
	for _, it := range items {
		it.from, it.to = max(it.from, pos), min(it.to, last)
		if it.from > it.to {
			continue
		}
		if it.from > pos {
			hole(pos, it.from-1)
		}
		out, pos = append(out, it), it.to+1
	}
	if pos <= last {
		hole(pos, last)
	}
	return out, lost
}

// setAside keeps a copy of a damaged file for people, as far as the disk
// allows.
func (s *Spool) setAside(path string, data []byte) {
	if err := os.WriteFile(path+damagedSuffix, data, 0o600); err != nil {
		s.logFailed("damaged segment is not set aside", err)
		return
	}
	names, err := filepath.Glob(filepath.Join(s.dir, "*"+damagedSuffix))
	s.logFailed("damaged segments cannot be listed", err)
	for len(names) > keepDamaged {
		s.logFailed("damaged segment is not removed", os.Remove(names[0]))
		names = names[1:]
	}
}
