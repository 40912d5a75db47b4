package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"nirapod/safety"
	"nirapod/wire"
)

const thinTo = 60_000 // ms of monotonic clock for each sensor's one reading

// thin rewrites seg with one reading per sensor and minute. The result joins
// the thinned segment before it, if that has room: the file grows before the
// old one goes, and what both hold is read from the later one.
func (s *Spool) thin(sr *series, seg *segment) error {
	items, err := s.items(sr, seg)
	if err != nil {
		return err
	}
	kept, gone := thinned(items)
	before := s.thinBefore(sr, seg)
	if before == nil {
		err = s.replace(sr, seg, kept)
	} else {
		err = s.join(sr, before, seg, kept)
	}
	if err != nil {
		s.logFailed("telemetry is not thinned", err)
		return err
	}
	seg.thin = true
	s.trace.gone(sr.run, sr.stream, gone)
	s.log.Warn("spool is nearly full: telemetry thinned", "run", sr.run, "from", seg.first, "kept", len(kept)-len(gone))
	return nil
}

// items returns all that seg answers for, mended if it was damaged.
func (s *Spool) items(sr *series, seg *segment) ([]item, error) {
	data, err := readSegment(seg.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	items, sound, _ := salvage(data, sr.seed())
	if int64(sound) < seg.size {
		return s.mendHeld(sr, seg), nil
	}
	items, _ = fill(items, seg.first, s.lastOf(sr, seg))
	return items, nil
}

// thinned keeps each sensor's first reading of each minute and every reading
// that changes its quality, reason or flags, or the position of a switch. The
// rest becomes spans gone.
func thinned(items []item) (kept []item, gone []Gone) {
	type memory struct {
		minute int64
		newest safety.Reading
	}
	seen := map[string]memory{}
	for _, it := range items {
		r := it.record.Reading
		before, known := seen[r.Sensor]
		minute := it.record.Mono / thinTo
		if it.gone == "" {
			seen[r.Sensor] = memory{minute, r}
		}
		if it.gone != "" || !known || minute != before.minute || changes(before.newest, r) {
			kept = append(kept, it)
			continue
		}
		if n := len(kept) - 1; n >= 0 && kept[n].gone == wire.GoneThinned {
			kept[n].to = it.to
			if g := len(gone) - 1; g >= 0 && gone[g].Span.To == it.from-1 {
				gone[g].Span.To = it.to
				continue
			}
		} else {
			kept = append(kept, item{from: it.from, to: it.to, gone: wire.GoneThinned})
		}
		gone = append(gone, Gone{safety.Span{From: it.from, To: it.to}, wire.GoneThinned})
	}
	return kept, gone
}

func changes(before, r safety.Reading) bool {
	position := func(v float64) bool { return v == 0 || v == 1 }
	return before.Quality != r.Quality || before.Reason != r.Reason || before.Flags != r.Flags ||
		before.Value != r.Value && position(before.Value) && position(r.Value)
}

func (s *Spool) thinBefore(sr *series, seg *segment) *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(sr.segs, seg)
	if i < 1 || !sr.segs[i-1].thin || sr.segs[i-1].size >= s.cfg.segment/2 {
		return nil
	}
	return sr.segs[i-1]
}

// join appends kept to before and removes seg.
func (s *Spool) join(sr *series, before, seg *segment, kept []item) error {
	var data []byte
	var err error
	for _, it := range kept {
		if data, err = appendFrame(data, sr.seed(), it); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(before.path, os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Seek(before.size, io.SeekStart)
	if err == nil {
		_, err = f.Write(data)
	}
	if err = errors.Join(err, f.Sync()); err != nil {
		return errors.Join(err, f.Truncate(before.size), f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("thinned segment: %w", err)
	}
	s.mu.Lock()
	before.size += int64(len(data))
	s.mu.Unlock()
	return s.remove(sr, seg)
}
