package eol_test

import (
	"testing"
	"time"

	"nirapod/gateway-agent/device/eol"
)

// samples of one ratio, every 20 ms.
type run struct {
	ratio float64
	n     int
}

func TestLoop(t *testing.T) {
	const fast = eol.SamplePeriod
	cases := []struct {
		name string
		runs []run
		want string // state after each run; ? = undecided
	}{
		{"the worked ratios of the loop", []run{{0.681, 4}, {0.273, 3}, {0.686, 3}, {0.170, 3}}, "normal alarm normal alarm"},
		{"two samples are no alarm", []run{{0.681, 4}, {0.273, 2}, {0.681, 4}}, "normal normal normal"},
		{"three of four are", []run{{0.681, 4}, {0.273, 2}, {0.681, 1}, {0.273, 1}}, "normal normal normal alarm"},
		{"a cut wire is a fault after 2 s, not before", []run{{0.681, 4}, {0.998, 99}, {0.998, 3}}, "normal normal open"},
		{"a short is a fault, never an alarm", []run{{0.681, 4}, {0.013, 110}}, "normal short"},
		{"between the bands the line is degraded, on each side", []run{{0.681, 4}, {0.50, 110}, {0.681, 3}, {0.84, 110}, {0.681, 3}, {0.08, 110}}, "normal degraded normal degraded normal degraded"},
		{"a degraded line at start is no quiet loop", []run{{0.50, 99}, {0.50, 5}}, "? degraded"},
		{"alarm ends a fault at once", []run{{0.998, 110}, {0.273, 3}}, "open alarm"},
		{"a flickering wire is a fault", []run{{0.681, 4}, {0.998, 1}, {0.681, 1}, {0.998, 1}, {0.681, 1}, {0.998, 1}, {0.5, 1}, {0.998, 96}}, "normal normal normal normal normal normal normal open"},
		{"a band holds a little beyond its edge", []run{{0.70, 4}, {0.775, 4}, {0.785, 110}}, "normal normal degraded"},
		{"the edge is not widened from outside", []run{{0.775, 110}}, "degraded"},
		{"above the supply is no state of the loop", []run{{0.681, 4}, {1.3, 110}}, "normal degraded"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := eol.NewLoop(eol.Profiles["eol-4k7-1k"])
			var at time.Duration
			got := ""
			for i, r := range c.runs {
				for range r.n {
					l.Observe(r.ratio, at)
					at += fast
				}
				if i > 0 {
					got += " "
				}
				if s, ok := l.State(); ok {
					got += s.String()
				} else {
					got += "?"
				}
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestDoubtAsksForMoreSamples(t *testing.T) {
	l := eol.NewLoop(eol.Profiles["eol-4k7-1k"])
	for i := range 4 {
		l.Observe(0.681, time.Duration(i)*time.Second)
	}
	if l.Doubt() {
		t.Error("four normal samples leave a doubt")
	}
	l.Observe(0.998, 4*time.Second)
	if s, yes := l.Suspect(); !l.Doubt() || !yes || s != eol.Open {
		t.Errorf("one open sample: doubt %v, suspect %v %v, want both and open", l.Doubt(), s, yes)
	}
}
