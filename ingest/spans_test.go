package ingest

import (
	"testing"

	"pgregory.net/rapid"

	"nirapod/safety"
)

// spans against a plain set.
func TestSpans(t *testing.T) {
	const top = 60
	rapid.Check(t, func(t *rapid.T) {
		var s spans
		model := map[uint64]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			from := rapid.Uint64Range(1, top).Draw(t, "from")
			to := min(from+rapid.Uint64Range(0, 8).Draw(t, "more"), top)
			var missing []uint64
			for _, m := range s.without(safety.Span{From: from, To: to}) {
				for n := m.From; n <= m.To; n++ {
					missing = append(missing, n)
				}
			}
			for n := from; n <= to; n++ {
				if !model[n] {
					if len(missing) == 0 || missing[0] != n {
						t.Fatalf("without(%d, %d) leaves out %d of %+v", from, to, n, s)
					}
					missing = missing[1:]
				}
				model[n] = true
			}
			if len(missing) > 0 {
				t.Fatalf("without(%d, %d) has %v too many", from, to, missing)
			}
			before := s.clone()
			kept := before.clone()
			s.add(safety.Span{From: from, To: to})
			check(t, s, model, top)
			if before.upto != kept.upto || len(before.ranges) != len(kept.ranges) {
				t.Fatal("add changed a clone")
			}
		}
	})
}

func check(t *rapid.T, s spans, model map[uint64]bool, top uint64) {
	last := uint64(0)
	for n := uint64(1); n <= top+1; n++ {
		if s.has(n) != model[n] {
			t.Fatalf("has(%d) = %v in %+v", n, s.has(n), s)
		}
		if model[n] {
			last = n
		}
	}
	if s.last() != last {
		t.Fatalf("last = %d, want %d", s.last(), last)
	}
	above := s.upto
	for _, r := range s.ranges {
		if r.From <= above+1 || r.From > r.To {
			t.Fatalf("%+v is not minimal", s)
		}
		above = r.To
	}
}
