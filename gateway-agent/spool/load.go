package spool

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nirapod/safety"
	"nirapod/wire"
)

// load builds the index from the directory and begins this process's series.
func (s *Spool) load() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := s.loadFile(e); err != nil {
			return err
		}
	}
	gen := uint64(0)
	for _, sr := range s.series {
		if sr.run == s.cfg.Run {
			return fmt.Errorf("run %s is already in %s: %w", sr.run, s.dir, safety.ErrConflict)
		}
		slices.SortFunc(sr.segs, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
		s.loadTail(sr)
		gen = max(gen, sr.gen)
	}
	s.series = slices.DeleteFunc(s.series, func(sr *series) bool { return len(sr.segs) == 0 })
	slices.SortFunc(s.series, func(a, b *series) int {
		return cmp.Or(cmp.Compare(a.gen, b.gen), cmp.Compare(a.stream, b.stream))
	})
	s.writers = map[wire.Stream]*writer{}
	for _, stream := range []wire.Stream{wire.Alarms, wire.Readings} {
		sr := &series{gen: gen + 1, run: s.cfg.Run, boot: s.cfg.Boot, stream: stream, current: true, next: 1}
		s.series = append(s.series, sr)
		s.writers[stream] = &writer{series: sr, appended: make(chan struct{}, 1), newest: map[string]Stamp{}}
	}
	return nil
}

func (s *Spool) loadFile(e os.DirEntry) error {
	path := filepath.Join(s.dir, e.Name())
	if strings.HasSuffix(e.Name(), ".tmp") {
		return os.Remove(path)
	}
	named, first, ok := parseName(e.Name())
	if !ok {
		return nil
	}
	info, err := e.Info()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.series, func(sr *series) bool {
		return sr.gen == named.gen && sr.run == named.run && sr.boot == named.boot && sr.stream == named.stream
	})
	if i < 0 {
		i = len(s.series)
		s.series = append(s.series, &named)
	}
	s.series[i].segs = append(s.series[i].segs, &segment{path: path, first: first, size: info.Size(), sealed: true})
	return nil
}

// loadTail finds where an earlier run ends. A torn frame at its end was never
// accepted and is cut off. Segments before the last are not read: their names
// say which numbers they answer for.
func (s *Spool) loadTail(sr *series) {
	for len(sr.segs) > 0 {
		seg := sr.segs[len(sr.segs)-1]
		items, err := s.cutTail(sr, seg)
		if err != nil {
			s.log.Error("spool segment cannot be read; its records are lost", "file", filepath.Base(seg.path), "err", err)
		}
		sr.next = max(sr.next, seg.first)
		if len(items) > 0 {
			sr.next = max(sr.next, items[len(items)-1].to+1)
			for _, it := range items {
				sr.mono = max(sr.mono, it.record.Mono)
			}
			return
		}
		s.logFailed("empty segment is not removed", os.Remove(seg.path))
		sr.segs = sr.segs[:len(sr.segs)-1]
		if len(sr.segs) > 0 {
			sr.mono = s.newestMono(sr, sr.segs[len(sr.segs)-1])
			return
		}
	}
}

func (s *Spool) cutTail(sr *series, seg *segment) ([]item, error) {
	data, err := readSegment(seg.path)
	if err != nil {
		return nil, err
	}
	items, sound, behind := salvage(data, sr.seed())
	if len(items) == 0 && len(data) > len(magic) {
		s.setAside(seg.path, data)
	}
	if behind > 0 || len(items) == 0 || sound == len(data) {
		return items, nil // damage in the middle is mended when it is read
	}
	seg.size = int64(sound)
	return items, os.Truncate(seg.path, seg.size)
}

func (s *Spool) newestMono(sr *series, seg *segment) (mono int64) {
	data, err := readSegment(seg.path)
	s.logFailed("segment cannot be read", err)
	items, _, _ := salvage(data, sr.seed())
	for _, it := range items {
		mono = max(mono, it.record.Mono)
	}
	return mono
}
