package eval

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Held reports whether the result is what is wanted, and what not if not.
func (r Result) Held() (bool, string) {
	alarmed, warned := !math.IsNaN(r.Alarm), !math.IsNaN(r.PreAlarm)
	switch {
	case r.Expected == "nothing" && (alarmed || warned):
		return false, "an alarm where nothing happens"
	case r.Early > 0:
		return false, fmt.Sprintf("%d alarms before there was a reason", r.Early)
	case r.Expected == "alarm" && !alarmed:
		return false, "not detected"
	case r.Expected == "prealarm" && !alarmed && !warned:
		return false, "no pre-alarm"
	}
	return true, ""
}

// InTime reports whether the alarm came by when it was wanted.
func (r Result) InTime() bool { return math.IsNaN(r.Due) || r.Alarm <= r.Due }

// Median of what is known of a time over the results.
func (s Set) Median(of func(Result) float64) float64 {
	var values []float64
	for _, r := range s.Results {
		if v := of(r); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func alarm(r Result) float64 { return r.Alarm }
func due(r Result) float64   { return r.Due }

// Tables writes the sets for docs/evaluation.md.
func Tables(sets []Set) string {
	var b strings.Builder
	b.WriteString("| recordings | detected | median s | worst s | beside, median s | worst | false alarms per sensor-day | sensors with a fault |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range sets {
		b.WriteString(s.line())
	}
	for _, s := range sets {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", s.Title, s.Note)
		b.WriteString("| recording | wanted | alarm, s | by | pre-alarm, s | beside, s | early or false | faults |\n|---|---|---|---|---|---|---|---|\n")
		for _, r := range s.Results {
			b.WriteString(r.line())
		}
	}
	return b.String()
}

func (s Set) line() string {
	wanted, got, warned, early, days := 0, 0, 0, 0, 0.0
	worst, worstDue := math.NaN(), math.NaN()
	faulty := map[string]bool{}
	for _, r := range s.Results {
		early, days = early+r.Early, days+r.Days
		for _, f := range r.Faults {
			faulty[r.Name+f.Sensor] = true
		}
		if r.Expected == "nothing" {
			continue
		}
		wanted++
		switch {
		case !math.IsNaN(r.Alarm):
			got++
		case !math.IsNaN(r.PreAlarm):
			warned++
		}
		worst, worstDue = later(worst, r.Alarm), later(worstDue, r.Due)
	}
	detected := fmt.Sprintf("%d / %d", got, wanted)
	if warned > 0 {
		detected += fmt.Sprintf(" and %d as pre-alarm", warned)
	}
	rate := "-"
	if days > 0 {
		rate = fmt.Sprintf("%.3g (%d in %.3g)", float64(early)/days, early, days)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %d |\n", s.Title, detected,
		figure(s.Median(alarm)), figure(worst), figure(s.Median(due)), figure(worstDue), rate, len(faulty))
}

func later(a, b float64) float64 {
	if math.IsNaN(a) || b > a {
		return b
	}
	return a
}

func (r Result) line() string {
	var faults []string
	for _, f := range r.Faults {
		text := f.Sensor + " " + f.Rule
		if !math.IsInf(f.At, 0) {
			text += fmt.Sprintf(" from %s s", figure(f.At))
		}
		if f.Ended {
			text += ", ended"
		}
		faults = append(faults, text)
	}
	if len(faults) > 4 {
		faults = append(faults[:3], fmt.Sprintf("and %d more", len(r.Faults)-3))
	}
	by := r.By
	if by == "" {
		by = "-"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %d | %s |\n", r.Name, r.Expected, figure(r.Alarm), by,
		figure(r.PreAlarm), figure(r.Due), r.Early, strings.Join(faults, "; "))
}

func figure(s float64) string {
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return "-"
	}
	return fmt.Sprintf("%.4g", s)
}
