package alerts

import (
	"fmt"
	"testing"
	"time"

	"nirapod/safety"
)

// Hundreds of alarms at once are told at once and become one incident without
// each of them reading all the others.
func TestStorm(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	page := []safety.Transition{}
	for i := range 500 {
		page = append(page, r.firing("store-smoke", func(t *safety.Transition) {
			t.Point, t.Sensor = safety.PointID("padma", "fire", fmt.Sprint(i)), fmt.Sprintf("s%d", i)
		}))
	}
	began := time.Now()
	r.put(page...)
	t.Logf("500 alarms in %v", time.Since(began))
	if inc := r.incidents(); len(inc) != 1 || len(inc[0].Alerts) != 500 || !inc[0].Confirmed {
		t.Errorf("%d incidents, the first with %d alerts", len(inc), len(inc[0].Alerts))
	}
	if n := r.notices(); len(n) != 1 || len(n[0].Body.Evidence) > 100 {
		t.Errorf("%d notices", len(n))
	}
}
