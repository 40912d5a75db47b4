package replay

import (
	"maps"
	"math"
	"slices"
	"time"
)

// spacing counts the intervals between the samples of one channel.
type spacing struct {
	last   int64 // ms
	begun  bool
	counts map[int64]int // by interval, ms, to four figures
	total  int
}

func (s *spacing) add(at int64) {
	if !s.begun {
		s.last, s.begun = at, true
		return
	}
	if at <= s.last { // history, or said twice
		return
	}
	if s.counts == nil {
		s.counts = map[int64]int{}
	}
	s.counts[fourFigures(at-s.last)]++
	s.total++
	s.last = at
}

// fourFigures bounds how many intervals are kept apart, whatever the file.
func fourFigures(ms int64) int64 {
	unit := int64(1)
	for ms/unit >= 10_000 {
		unit *= 10
	}
	return int64(math.Round(float64(ms)/float64(unit))) * unit
}

// median returns the median interval, or 0 where there is none.
func (s *spacing) median() time.Duration {
	if s.total == 0 {
		return 0
	}
	lower, upper := int64(-1), int64(-1)
	seen := 0
	for _, ms := range slices.Sorted(maps.Keys(s.counts)) {
		seen += s.counts[ms]
		if lower < 0 && seen > (s.total-1)/2 {
			lower = ms
		}
		if seen > s.total/2 {
			upper = ms
			break
		}
	}
	return time.Duration((lower+upper)/2) * time.Millisecond
}
