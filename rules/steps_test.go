package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

// told plays a series, one sample a second, and returns what was told:
// second, state and severity.
func told(t *testing.T, e *rules.Engine, series string) string {
	t.Helper()
	var out []string
	for i, w := range strings.Fields(series) {
		at := start.Add(time.Duration(i) * time.Second)
		var got []safety.Transition
		if r, ok := word(t, "s", w, at); ok {
			got = e.Observe(r)
		}
		for _, tr := range append(got, e.Tick(at.Add(990*time.Millisecond))...) {
			out = append(out, fmt.Sprintf("%d:%s/%s", i, short(tr.To.String()), tr.Severity))
		}
	}
	return strings.Join(out, " ")
}

func TestSteps(t *testing.T) {
	for _, c := range []struct{ name, fields, series, want string }{
		{"a step is told while it fires", "when: value >= low", "60 150 150 60 1", "0:F/warning 1:F/alarm 4:i/alarm"},
		{"it may fire at the step at once", "when: value >= low", "150 60 1", "0:F/alarm 2:i/alarm"},
		{"it is not told twice", "when: value >= low", "60 150 60 150 1", "0:F/warning 1:F/alarm 4:i/alarm"},
		{"the next alarm begins below", "when: value >= low", "150 1 60", "0:F/alarm 1:i/alarm 2:F/warning"},
		{"a hold holds the step too", "when: value >= low\n    for: 2s", "150 150 150", "0:p/warning 2:F/alarm"},
		{"blindness takes no step back", "when: value >= low", "150 nack 60 1", "0:F/alarm 1:?/alarm 2:F/alarm 3:i/alarm"},
		{"a doubtful value goes up", "when: value >= low", "60 ~150", "0:F/warning 1:F/alarm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(head, "severity: alarm", "severity: warning", 1) + "    steps: [{severity: alarm, when: value >= limit}]\n    " + c.fields + "\n"
			e := engineOf(t, packOf(t, text), sensorOf("s", safety.CO))
			if got := told(t, e, c.series); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.series, got, c.want)
			}
		})
	}
}

func TestFlapping(t *testing.T) {
	text := strings.Replace(head, "hazard: gas", "hazard: system", 1)
	for _, c := range []struct{ name, fields, series, want string }{
		{"twice within is no flapping yet", "", "300 1 300 1 1 1 1 1 1", "F i F i i i i i i"},
		{"the third time it stays", "", "300 1 300 1 300 1 1 1 1 1 1 1 1 1 1 1", "F i F i F F F F F F F F F F F i"},
		{"each return begins the while anew", "", "300 1 300 1 300 1 1 1 300 1 1 1 1 1 1 1 1 1 1 1 1", "F i F i F F F F F F F F F F F F F F F i i"},
		{"a slow coming and going is none", "", "300 1x8 300 1x8 300 1", strings.TrimSpace("F " + strings.Repeat("i ", 8) + "F " + strings.Repeat("i ", 8) + "F i")},
		{"a longer keep_firing_for stays longer", "keep_firing_for: 1s\n    ", "300 1 1 300 1 1 300 1 1", "F F i F F i F F F"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := engineOf(t, packOf(t, text+"    flapping: {times: 3, within: 10s}\n    "+c.fields+"when: value >= limit\n"), sensorOf("s", safety.CO))
			series := strings.ReplaceAll(c.series, "1x8", strings.TrimSpace(strings.Repeat("1 ", 8)))
			if got := short(states(t, e, series)); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", series, got, c.want)
			}
		})
	}
}

func TestStepsAndFlappingThatAreRefused(t *testing.T) {
	for _, c := range []struct{ name, fields, want string }{
		{"a step down", "steps: [{severity: warning, when: value >= limit}]", "p.yml:13:24: a step goes up: warning is not above alarm"},
		{"an unknown step", "steps: [{severity: dire, when: value >= limit}]", `severity "dire"`},
		{"no steps", "steps: []", "want a list of 1 to 3"},
		{"a mistake in a step", "steps: [{severity: evacuate, when: value >= limiT}]", "p.yml:13:49: rule r: steps[0]: unknown name limiT"},
		{"a step that reads nothing", "steps: [{severity: evacuate, when: steam_prone}]", "steps[0]: it reads no sensor"},
		{"a step to evacuate by any sensor", "steps: [{severity: evacuate, when: value >= limit}]", "evacuate needs a call point"},
		{"flapping of gas", "flapping: {times: 3, within: 10m}", "p.yml:13:15: fire and gas are told each time"},
		{"flapping once", "flapping: {times: 1, within: 10m}", `times "1": want a whole number from 2 to 20`},
		{"flapping without a time", "flapping: {times: 3}", "flapping: within is missing"},
		{"flapping of what latches", "flapping: {times: 3, within: 10m}\n    latch: true", "what latches does not flap"},
	} {
		err := loadText(sound + "    " + c.fields + "\n")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", c.name, err, c.want)
		}
	}
}
