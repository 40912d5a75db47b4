package rules_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/rules"
	"nirapod/rules/rulestest"
	"nirapod/safety"
)

func bindAll(t *rapid.T, packs []rules.Pack, plant rules.Plant) *rules.Engine {
	e, err := rules.New(packs, plant, rules.Gateway|rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// settled is long after the last reading of a draw.
func settled(rs []safety.Reading) time.Time {
	if len(rs) == 0 {
		return rulestest.Start.Add(time.Hour)
	}
	return rs[len(rs)-1].At.Add(time.Hour)
}

// What the readings of one gateway mean depends neither on when time is told,
// as long as it trails the readings, nor on repeats, nor on restarts.
func TestOneGatewayIsAlwaysUnderstoodAlike(t *testing.T) {
	fired := map[safety.Class]int{}
	rapid.Check(t, func(t *rapid.T) {
		plant, packs := rulestest.Plant(t, 1), rulestest.Packs(t)
		readings := rulestest.Readings(t, plant, 0, 0, safety.Simulated, safety.Drill)
		runs := rulestest.Runs(t, plant, readings)
		want, got := rulestest.Said{}, rulestest.Said{}
		once := bindAll(t, packs, plant)
		want.Add(once.Tick(rulestest.Start)...)
		for i, r := range readings {
			once.Begin("gw-1", runs[i], r.At)
			trs := once.Observe(r)
			want.Add(trs...)
			for _, tr := range trs {
				if tr.To == safety.Firing {
					fired[tr.Class]++
				}
			}
		}
		want.Add(once.Tick(settled(readings))...)

		e := bindAll(t, packs, plant)
		got.Add(e.Tick(rulestest.Start)...)
		store := map[string][]byte{}
		tickEvery := rapid.SampledFrom([]int{1, 2, 3, 50, 1000}).Draw(t, "tick")
		restarts := rapid.SliceOfN(rapid.IntRange(0, len(readings)), 0, 4).Draw(t, "restarts")
		for i, r := range readings {
			if i%tickEvery == 0 {
				got.Add(e.Tick(r.At.Add(-time.Duration(rapid.IntRange(0, 2000).Draw(t, "trails")) * time.Millisecond))...)
			}
			e.Begin("gw-1", runs[i], r.At)
			got.Add(e.Observe(r)...)
			e.Begin("gw-1", runs[i], r.At)
			got.Add(e.Observe(r)...)
			if slices.Contains(restarts, i) {
				maps.Copy(store, e.Snapshot())
				e = bindAll(t, packs, plant)
				if dropped := e.Restore(store); len(dropped) > 0 {
					t.Fatalf("dropped %v", dropped)
				}
				for _, old := range readings { // some of them are to come yet
					e.Warm(old)
				}
			}
		}
		got.Add(e.Tick(settled(readings))...)
		if diff := want.Differs(got); diff != "" {
			t.Fatal(diff)
		}
	})
	if !testing.Short() && (fired[safety.ClassAlarm] < 50 || fired[safety.ClassFault] < 50 || fired[safety.ClassInfo] < 5) {
		t.Errorf("fired %v: the draws say little", fired)
	}
}
