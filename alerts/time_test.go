package alerts

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"nirapod/safety"
)

// Run in fake time: nobody acknowledges, so the desk is to be told when V1
// ends, not before, and a start anew in between does not begin again.
func TestRunKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, plant(), Deps{}, Config{})
		defer func() { r.must(r.db.Close()) }()
		site := plant()
		site.Factory.Shifts = []safety.Shift{{ID: "always", From: "00:00", To: "24:00"}}
		site.Factory.WeeklyHoliday = ""
		_, err := r.db.ImportSite(t.Context(), site, t0)
		r.must(err)
		r.now = time.Now().UTC()
		tr := r.firing("store-smoke")
		tr.Seq = 1
		r.must(r.db.CommitBatch(t.Context(), batch(tr)))
		signalled := func() bool {
			incidents := r.incidents()
			if len(incidents) == 0 {
				return false
			}
			_, ok := r.signal(incidents[0].ID, false)
			return ok
		}
		runFor := func(d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			if err := r.a.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Run returned %v", err)
			}
		}
		runFor(15 * time.Second)
		if len(r.alerts()) != 1 || signalled() {
			t.Fatalf("after 15 s: %d alerts, signalled %t", len(r.alerts()), signalled())
		}
		r.a.cursor = 0
		runFor(14 * time.Second)
		if signalled() {
			t.Fatal("signalled before V1 ended")
		}
		runFor(3 * time.Second)
		if !signalled() {
			t.Fatal("V1 ended and nobody was told")
		}
	})
}
