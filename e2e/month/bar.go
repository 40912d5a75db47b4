package month

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"nirapod/firmware-sim/factory"
	"nirapod/safety"
)

// The bar of safety requirement 21. Ten thousand factories send 14 signals an
// hour if each sends one a month: so that is what one may send. Pre-alarms are
// held to one on every single day; with the alarms that staff look into and
// reset, to one a day over the month. A fire that is told later than V1 and V2 may
// last together (10 min, EN 54-2, recalled) is not found.
const (
	signalsAMonth = 1
	preAlarmsADay = 1
	daysOfAMonth  = 30
	atLatest      = 10 * time.Minute
)

// Missed says in words what does not hold, nothing if all does.
func (v *Verdict) Missed() []string {
	wrong := slices.Concat(v.missedFires(), v.missedQuiet())
	slices.Sort(wrong)
	return wrong
}

func (v *Verdict) missedFires() (wrong []string) {
	for _, f := range v.Fires {
		place := f.Name + " in " + f.Zone
		switch {
		case f.Alarm < 0 || f.Alarm > atLatest:
			wrong = append(wrong, fmt.Sprintf("%s: not found within %v", place, atLatest))
		case f.Sounder < 0 || f.Sounder > atLatest:
			wrong = append(wrong, fmt.Sprintf("%s: no evacuation within %v", place, atLatest))
		case f.Signal < 0:
			wrong = append(wrong, place+": no signal")
		}
	}
	return wrong
}

func (v *Verdict) missedQuiet() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, r := range v.Sounders {
		say("evacuation without a fire: %v", r)
	}
	for _, r := range v.Notices {
		say("notice without a fire: %v", r)
	}
	for _, r := range v.Signals {
		if r.Severity == safety.Evacuate {
			say("a confirmed signal without a fire: %v", r)
		}
	}
	if most := max(1, v.Days*signalsAMonth/daysOfAMonth); len(v.Signals) > most {
		say("%d signals without a fire in %d days, at most %d: %v", len(v.Signals), v.Days, most, v.Signals)
	}
	if day, n := worstDay(v.PreAlarms); n > preAlarmsADay {
		say("%s: %d pre-alarms without a fire, at most %d: %v", day, n, preAlarmsADay, v.PreAlarms)
	}
	if calls := len(v.PreAlarms) + len(v.Alarms); calls > preAlarmsADay*v.Days {
		say("staff called %d times without a fire in %d days, at most %d a day: %v %v", calls, v.Days, preAlarmsADay, v.PreAlarms, v.Alarms)
	}
	return wrong
}

// worstDay returns the day on which most was raised, and how much.
func worstDay(list []Raised) (day string, most int) {
	days := map[string]int{}
	for _, r := range list {
		days[r.At.In(factory.Dhaka).Format(time.DateOnly)]++
	}
	for _, d := range slices.Sorted(maps.Keys(days)) {
		if days[d] > most {
			day, most = d, days[d]
		}
	}
	return day, most
}
