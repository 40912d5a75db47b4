package bench

import (
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nirapod/rules"
	"nirapod/safety"
)

// perReading is the processor time that the engine takes for one reading under
// the twenty rules, with full windows, 1,000 sensors and the load's share of
// changes; the median of several rounds.
func perReading(t *testing.T, rounds int) time.Duration {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l := load{gateways: 10, sensors: 100, period: time.Second, start: time.Now().UTC().Truncate(time.Second)}
	packs, err := rules.Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	s := site(t, l)
	engine, err := rules.New(packs, rules.Plant{Factory: factory, Zones: s.Zones, Sensors: s.Sensors}, rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	const steps = 60
	n := 0
	round := func(steps int) time.Duration {
		readings := make([]safety.Reading, 0, steps*l.gateways*l.sensors)
		for ; steps > 0; steps-- {
			for g := range l.gateways {
				for i := range l.sensors {
					readings = append(readings, l.reading(g, i, n))
				}
			}
			n++
		}
		began := threadTime(t)
		for _, r := range readings {
			engine.Observe(r)
		}
		return (threadTime(t) - began) / time.Duration(len(readings))
	}
	round(900) // fills the windows
	var took []time.Duration
	for range rounds {
		took = append(took, round(steps))
	}
	return quantile(took, 0.5)
}

// threadTime is the processor time of this thread: the machine has other work.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// There are twenty rules, and each reading is read by exactly four.
func TestEachReadingIsReadByFourRules(t *testing.T) {
	packs, err := rules.Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	by, all := map[safety.Quantity]int{}, 0
	for _, p := range packs {
		for _, r := range p.Rules {
			all++
			for _, q := range r.Quantities {
				by[q]++
			}
		}
	}
	if all != 20 {
		t.Errorf("%d rules, want 20", all)
	}
	for _, q := range quantities {
		if by[q.of] != 4 {
			t.Errorf("%d rules read %s, want 4", by[q.of], q.of)
		}
	}
}
