package rules_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
)

// A hundred thousand sensors, each read by twenty rules that look back 60 s, a
// tenth of them by a TWA and a STEL among these, with full windows, are to stay
// under 600 MiB of live heap.
func TestAHundredThousandSensorsFitInMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	const sensors, most = 100_000, 600 << 20
	before := liveHeap()
	e, readings := benchEngine(t, pack(20, "60s", five...)+strings.TrimPrefix(pack(18, "60s", safety.H2S), "rules:")+minutely(safety.H2S), sensors)
	bound := liveHeap()
	for second := range 70 {
		for i, r := range readings {
			r.Value, r.At = quiet(second*len(readings)+i), start.Add(time.Duration(second)*time.Second)
			e.Observe(r)
		}
	}
	full := liveHeap()
	t.Logf("%d MB bound, %d MB with full windows", (bound-before)>>20, (full-before)>>20)
	if full-before > most {
		t.Errorf("%d bytes a sensor, at most %d", (full-before)/sensors, most/sensors)
	}
	runtime.KeepAlive(e)
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
