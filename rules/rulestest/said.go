package rulestest

import (
	"fmt"
	"maps"
	"slices"

	"nirapod/safety"
)

// Said is what was said, in order, of each point: all of it but who said it
// and under which number.
type Said map[string][]string

// Add adds transitions in the order in which they were told.
func (s Said) Add(trs ...safety.Transition) {
	for _, t := range trs {
		at := t.At.UTC().Format("15:04:05.000")
		s[t.Point] = append(s[t.Point], fmt.Sprintf("%s %s %s%s %s>%s %s/%s/%s flags %d %v", at, t.Rule, t.Zone, t.Sensor,
			t.From, t.To, t.Class, t.Severity, t.Grade, t.Flags, t.Values))
	}
}

// Differs returns where got is not want, in words, "" if it is the same.
func (s Said) Differs(got Said) string {
	points := map[string]bool{}
	for p := range s {
		points[p] = true
	}
	for p := range got {
		points[p] = true
	}
	for _, p := range slices.Sorted(maps.Keys(points)) {
		for i := range max(len(s[p]), len(got[p])) {
			switch {
			case i >= len(got[p]):
				return "missing: " + s[p][i]
			case i >= len(s[p]):
				return "too much: " + got[p][i]
			case s[p][i] != got[p][i]:
				return "got  " + got[p][i] + "\nwant " + s[p][i]
			}
		}
	}
	return ""
}

// Once returns s with each thing that was said of a point once.
func (s Said) Once() Said {
	out := Said{}
	for p, lines := range s {
		for _, line := range lines {
			if !slices.Contains(out[p], line) {
				out[p] = append(out[p], line)
			}
		}
	}
	return out
}
