package rulestest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"pgregory.net/rapid"

	"nirapod/rules"
	"nirapod/safety"
)

// Start is before the first drawn reading.
var Start = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// levels are what a sensor of a quantity may show: quiet, near its limits and
// beyond, impossible among them.
var levels = map[safety.Quantity][]float64{
	safety.Temperature: {20, 30, 52, 56, 70, 9999},
	safety.SmokeOD:     {0, 0.01, 0.02, 0.05, 0.3},
	safety.CO:          {0, 20, 40, 70, 300},
	safety.LEL:         {0, 4, 12, 25},
	safety.CO2:         {500, 1600, 6000},
	safety.Humidity:    {40, 60, 90},
	safety.People:      {0, 3, 80},
	safety.PeopleHigh:  {0, 3, 90},
	safety.Pressure:    {0, 8, 11},
}

// manner is how a sensor behaves for a while.
type manner struct {
	kind  string
	level float64
	slope float64 // per second
	flags safety.Flags
	why   safety.Reason
}

// Readings draws what the sensors of a plant say: quiet and loud, rising,
// silent, faulty, doubtful and marked as an exercise, in order of time. Each
// sensor speaks in its period, all a little apart. Flags are those that the
// caller allows.
func Readings(t *rapid.T, p rules.Plant, allowed ...safety.Flags) []safety.Reading {
	var out []safety.Reading
	at := time.Duration(0)
	for range rapid.IntRange(1, 6).Draw(t, "stretches") {
		long := time.Duration(rapid.SampledFrom([]int{2, 5, 10, 10, 30, 30, 70, 70, 200, 1000}).Draw(t, "seconds")) * time.Second
		for i, s := range p.Sensors {
			out = append(out, drawManner(t, s.Quantity, allowed).stretch(s, i, at, long)...)
		}
		at += long + time.Duration(rapid.SampledFrom([]int{0, 0, 0, 0, 4, 70}).Draw(t, "pause"))*time.Second
	}
	Sort(out)
	return out
}

// Sort puts readings into the order of what happened.
func Sort(rs []safety.Reading) {
	slices.SortFunc(rs, func(a, b safety.Reading) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Sensor, b.Sensor))
	})
}

func drawManner(t *rapid.T, q safety.Quantity, allowed []safety.Flags) manner {
	m := manner{kind: rapid.SampledFrom([]string{
		"steady", "steady", "steady", "rising", "rising", "noisy", "silent", "bad", "doubtful", "now and then",
	}).Draw(t, "manner")}
	if q.Switch() {
		m.level = float64(rapid.IntRange(0, 1).Draw(t, "on"))
	} else {
		m.level = rapid.SampledFrom(levels[q]).Draw(t, "level")
		m.slope = rapid.SampledFrom([]float64{0.05, 0.2, 1, -1}).Draw(t, "slope")
	}
	if len(allowed) > 0 {
		m.flags = rapid.SampledFrom(allowed).Draw(t, "flags")
	}
	m.why = rapid.SampledFrom([]safety.Reason{safety.NACK, safety.Warming, safety.WireOpen, safety.Inhibit, safety.OutOfRange}).Draw(t, "why")
	return m
}

func (m manner) stretch(s safety.Sensor, i int, from, long time.Duration) (out []safety.Reading) {
	if m.kind == "silent" {
		return nil
	}
	apart := time.Duration(i*37) * time.Millisecond // below every period
	for k := 0; ; k++ {
		at := time.Duration(k) * s.Period
		if at >= long {
			return out
		}
		r := safety.Reading{Sensor: s.ID, Value: m.level, Quality: safety.Good, Flags: m.flags, At: Start.Add(from + at + apart)}
		switch {
		case m.kind == "bad", m.kind == "now and then" && k%3 == 2:
			r.Value, r.Quality, r.Reason = 0, safety.Bad, m.why
		case m.kind == "doubtful":
			r.Quality, r.Reason = safety.Uncertain, safety.Stuck
		case s.Quantity.Switch():
		case m.kind == "rising":
			r.Value = math.Round((m.level+m.slope*at.Seconds())*1000) / 1000
		case m.kind == "noisy":
			r.Value += float64(k*7%5) / 4
		}
		out = append(out, r)
	}
}

// Runs draws of which run of its gateway each reading is: after a pause of the
// gateway it is often a new one, and now and then without.
func Runs(t *rapid.T, p rules.Plant, rs []safety.Reading) []string {
	gateways := map[string]string{}
	for _, s := range p.Sensors {
		gateways[s.ID] = s.Gateway
	}
	sudden := rapid.SliceOfN(rapid.IntRange(0, len(rs)), 0, 3).Draw(t, "boots")
	newest, run := map[string]time.Time{}, map[string]int{}
	out := make([]string, len(rs))
	for i, r := range rs {
		g := gateways[r.Sensor]
		paused := r.At.Sub(newest[g]) > 3*time.Second
		if slices.Contains(sudden, i) || paused && rapid.Bool().Draw(t, "boots") {
			run[g]++
		}
		newest[g] = r.At
		out[i] = fmt.Sprintf("%016x", run[g]+1)
	}
	return out
}
