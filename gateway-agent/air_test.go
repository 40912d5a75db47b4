package agent

import (
	"testing"

	"nirapod/gateway-agent/device/scd41"
	"nirapod/safety"
)

func TestAirIsJudged(t *testing.T) {
	good := func(ppm float64) safety.Reading { return safety.Reading{Value: ppm, Quality: safety.Good} }
	bad := func(why safety.Reason) safety.Reading { return safety.Reading{Reason: why} }
	doubt := func(ppm float64, why safety.Reason) safety.Reading {
		return safety.Reading{Value: ppm, Quality: safety.Uncertain, Reason: why}
	}
	type step struct {
		co2, t uint16
		want   safety.Reading
	}
	for name, steps := range map[string][]step{
		"no air is without CO2":            {{500, 1, good(500)}, {0, 2, bad(safety.OutOfRange)}, {500, 3, good(500)}},
		"a broken part jumps to the end":   {{500, 1, good(500)}, {40000, 2, bad(safety.OutOfRange)}},
		"gas that has risen is no silence": {{5200, 1, good(5200)}, {40000, 2, doubt(40000, safety.OutOfRange)}, {39000, 3, good(39000)}},
		"the same CO2 in a new sample":     {{500, 1, good(500)}, {500, 2, good(500)}},
		"one sample twice is in doubt":     {{500, 1, good(500)}, {500, 1, doubt(500, safety.Stale)}, {501, 1, good(501)}},
		"one sample for half a minute ends": {
			{500, 1, good(500)}, {500, 1, doubt(500, safety.Stale)}, {500, 1, doubt(500, safety.Stale)},
			{500, 1, doubt(500, safety.Stale)}, {500, 1, doubt(500, safety.Stale)}, {500, 1, bad(safety.Stuck)}, {500, 1, bad(safety.Stuck)}, {500, 2, good(500)},
		},
	} {
		a := &airSensor{}
		for i, s := range steps {
			if got := a.gas(scd41.Sample{CO2: s.co2, RawT: s.t, RawRH: 1000}); got != s.want {
				t.Errorf("%s: step %d: %+v, want %+v", name, i, got, s.want)
			}
			other := a.judge(20, s.t)
			if stuck := s.want.Reason == safety.Stuck; (other.Reason == safety.Stuck) != stuck {
				t.Errorf("%s: step %d: the temperature of the sample is %+v", name, i, other)
			}
		}
	}
	a := &airSensor{}
	for raw, want := range map[uint16]safety.Reason{0: safety.OutOfRange, 0xFFFF: safety.OutOfRange, 26214: ""} {
		if got := a.judge(25, raw); got.Reason != want {
			t.Errorf("raw temperature %d: %+v", raw, got)
		}
	}
}
