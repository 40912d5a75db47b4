package alerts

import (
	"fmt"
	"testing"

	"nirapod/safety"
)

// BenchmarkTold measures what lies between a stored transition and the alert
// that people see: one page with one fire alarm, then the incident, verdict
// and paper behind it.
func BenchmarkTold(b *testing.B) {
	r := newRig(b, plant(), Deps{}, Config{})
	n := 0
	for b.Loop() {
		n++
		tr := r.firing("store-smoke", func(t *safety.Transition) {
			t.Point, t.Factory = safety.PointID("padma", "fire", fmt.Sprint(n)), fmt.Sprintf("factory-%d", n)
		})
		tr.Seq = uint64(n)
		r.must(r.db.CommitBatch(b.Context(), batch(tr)))
		if _, err := r.a.nextPage(b.Context(), r.now); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBacklog measures a page of faults of different points.
func BenchmarkBacklog(b *testing.B) {
	r := newRig(b, plant(), Deps{}, Config{})
	n := 0
	for b.Loop() {
		page := make([]safety.Transition, pageSize)
		for i := range page {
			n++
			page[i] = r.firing("store-smoke", func(t *safety.Transition) {
				t.Point, t.Class, t.Seq = safety.PointID("padma", "fault", fmt.Sprint(n)), safety.ClassFault, uint64(n)
			})
		}
		r.must(r.db.CommitBatch(b.Context(), batch(page...)))
		if _, err := r.a.nextPage(b.Context(), r.now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "transitions/s")
}
