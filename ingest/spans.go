package ingest

import (
	"slices"

	"nirapod/safety"
)

// spans is a set of sequence numbers, which start at 1: all up to upto, and
// ranges above it, ascending and apart.
type spans struct {
	upto   uint64
	ranges []safety.Span
}

func (s spans) clone() spans { return spans{s.upto, slices.Clone(s.ranges)} }

func (s spans) has(seq uint64) bool {
	if seq <= s.upto {
		return true
	}
	_, found := slices.BinarySearchFunc(s.ranges, seq, func(r safety.Span, seq uint64) int {
		switch {
		case r.To < seq:
			return -1
		case r.From > seq:
			return 1
		}
		return 0
	})
	return found
}

// add puts span into the set.
func (s *spans) add(span safety.Span) {
	if span.To <= s.upto || span.From > span.To {
		return
	}
	if span.From <= s.upto+1 {
		s.upto = span.To
	} else {
		s.insert(span)
	}
	for len(s.ranges) > 0 && s.ranges[0].From <= s.upto+1 {
		s.upto = max(s.upto, s.ranges[0].To)
		s.ranges = s.ranges[1:]
	}
}

func (s *spans) insert(span safety.Span) {
	// The first range that touches span or lies above it.
	i := slices.IndexFunc(s.ranges, func(r safety.Span) bool { return r.To+1 >= span.From })
	if i < 0 {
		s.ranges = append(s.ranges, span)
		return
	}
	end := i
	for end < len(s.ranges) && s.ranges[end].From <= span.To+1 {
		span.From = min(span.From, s.ranges[end].From)
		span.To = max(span.To, s.ranges[end].To)
		end++
	}
	s.ranges = slices.Replace(slices.Clone(s.ranges), i, end, span)
}

// last is the highest number in the set, 0 if it is empty.
func (s spans) last() uint64 {
	if n := len(s.ranges); n > 0 {
		return s.ranges[n-1].To
	}
	return s.upto
}

// without returns the parts of span that are not in the set.
func (s spans) without(span safety.Span) []safety.Span {
	var out []safety.Span
	from := max(span.From, s.upto+1)
	for _, r := range s.ranges {
		if r.To < from {
			continue
		}
		if r.From > span.To {
			break
		}
		if r.From > from {
			out = append(out, safety.Span{From: from, To: r.From - 1})
		}
		from = r.To + 1
	}
	if from <= span.To {
		out = append(out, safety.Span{From: from, To: span.To})
	}
	return out
}

// extend adds seq to a list of spans that grows upwards.
func extend(list []safety.Span, seq uint64) []safety.Span {
	if n := len(list); n > 0 && list[n-1].To+1 == seq {
		list[n-1].To = seq
		return list
	}
	return append(list, safety.Span{From: seq, To: seq})
}
