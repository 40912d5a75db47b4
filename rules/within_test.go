package rules_test

import (
	"strings"
	"testing"
	"time"

	"nirapod/safety"
)

// Two of three heads that saw smoke within the same minute, not at the same
// instant: what docs/rules.md says of k of n within a time.
func TestTwoHeadsWithinAMinute(t *testing.T) {
	const text = `
  - {name: two, hazard: fire, class: alarm, severity: alarm, scope: zone, runs: [server], clause: c,
     when: 'count(smoke, .max("60s") == 1) >= 2'}
`
	for _, c := range []struct {
		name   string
		apart  int // s between the two puffs
		fires  bool
		single bool
	}{
		{"forty seconds apart", 40, true, false},
		{"seventy seconds apart", 70, false, false},
		{"one head alone", 40, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			heads := []safety.Sensor{sensorOf("a", safety.Smoke), sensorOf("b", safety.Smoke), sensorOf("c", safety.Smoke)}
			e := engineOf(t, packOf(t, text), heads...)
			var fired []string
			for second := range 200 {
				for _, h := range heads {
					r := safety.Reading{Sensor: h.ID, Quality: safety.Good, At: start.Add(time.Duration(second) * time.Second)}
					if h.ID == "a" && second == 60 || h.ID == "b" && second == 60+c.apart && !c.single {
						r.Value = 1
					}
					for _, tr := range e.Observe(r) {
						if tr.To == safety.Firing {
							fired = append(fired, tr.At.Sub(start).String())
						}
					}
				}
			}
			want := ""
			if c.fires {
				want = (time.Duration(60+c.apart) * time.Second).String()
			}
			if got := strings.Join(fired, " "); got != want {
				t.Errorf("fired at %q, want %q", got, want)
			}
		})
	}
}
