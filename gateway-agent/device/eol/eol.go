// Package eol decodes a supervised detector loop with an end-of-line resistor:
// from the loop voltage as a share of its supply to normal, alarm or the kind
// of wire fault. What lies between two bands is a degraded line, a fault, and
// never rounded to a neighbour.
package eol

import "time"

// State is what a loop says. The zero value is Degraded, so that a forgotten
// field never looks quiet.
type State uint8

// The states.
const (
	Degraded State = iota
	Short
	Alarm
	Normal
	Open
)

var names = [...]string{"degraded", "short", "alarm", "normal", "open"}

func (s State) String() string { return names[s] }

// band is a closed range of the ratio.
type band struct {
	state     State
	low, high float64
}

// Profile is one way to build a loop.
type Profile struct {
	Name  string
	bands []band // rising, with gaps between them
}

// Profiles are the loops that can be configured. 2k2 pull-up in all of them:
// 4k7 at the end of the line, alarm contacts switch 1k across it, two or more
// alarms at once give the low end of the alarm band.
var Profiles = map[string]Profile{
	"eol-4k7-1k": {
		Name: "eol-4k7-1k",
		bands: []band{
			{Short, 0, 0.06},
			{Alarm, 0.10, 0.40},
			{Normal, 0.60, 0.76},
			{Open, 0.92, 1.10},
		},
	},
}

const (
	// hysteresis is how far beyond its band a state holds.
	hysteresis = 0.02
	// votes of window samples decide on an alarm.
	votes  = 3
	window = 4
	// faultHold is how long a fault must last before it is one.
	faultHold = 2 * time.Second
)

// SamplePeriod is the time between samples while a loop is in doubt.
const SamplePeriod = 20 * time.Millisecond

// Loop decides on the state of one loop, sample by sample. It is not safe for
// concurrent use.
type Loop struct {
	profile Profile
	last    [window]State // newest last
	seen    int
	state   State
	settled bool          // state has been decided at least once
	sound   time.Duration // when alarm or normal last had its votes, or the first sample
}

// NewLoop returns a loop that has not decided yet.
func NewLoop(p Profile) *Loop { return &Loop{profile: p} }

// Observe takes one sample: the loop voltage over the supply voltage, at a
// monotonic time that never goes back.
//
// Three of the last four samples in the alarm band are an alarm, three in the
// normal band are normal. A line on which neither has had its votes for 2 s is
// faulty, also one that flickers. An alarm ends a fault as soon as it has its
// votes.
func (l *Loop) Observe(ratio float64, at time.Duration) {
	if l.seen == 0 {
		l.sound = at
	}
	s := l.classify(ratio)
	copy(l.last[:], l.last[1:])
	l.last[window-1] = s
	l.seen = min(l.seen+1, window)
	switch {
	case l.count(Alarm) >= votes:
		l.state, l.settled, l.sound = Alarm, true, at
	case l.count(Normal) >= votes:
		l.state, l.settled, l.sound = Normal, true, at
	case at-l.sound >= faultHold:
		l.state, l.settled = fault(s), true
	}
}

func fault(s State) State {
	if s == Short || s == Open {
		return s
	}
	return Degraded
}

// State returns the state decided last; ok is false before the first decision.
func (l *Loop) State() (s State, ok bool) { return l.state, l.settled }

// Doubt reports that the newest samples do not all say what State says: more
// samples are wanted every SamplePeriod, and State holds for a moment only.
func (l *Loop) Doubt() bool {
	if !l.settled {
		return true
	}
	for _, s := range l.last[window-l.seen:] {
		if s != l.state {
			return true
		}
	}
	return false
}

// Suspect returns the fault that the newest sample looks like, while State
// still is alarm or normal or has not been decided.
func (l *Loop) Suspect() (s State, yes bool) {
	newest := l.last[window-1]
	sound := !l.settled || l.state == Alarm || l.state == Normal
	return fault(newest), sound && newest != Alarm && newest != Normal
}

func (l *Loop) count(s State) int {
	n := 0
	for _, v := range l.last[window-l.seen:] {
		if v == s {
			n++
		}
	}
	return n
}

// classify puts a ratio in a band; the band of the present state is wider by
// the hysteresis.
func (l *Loop) classify(ratio float64) State {
	for _, b := range l.profile.bands {
		margin := 0.0
		if l.settled && b.state == l.state {
			margin = hysteresis
		}
		if ratio >= b.low-margin && ratio <= b.high+margin {
			return b.state
		}
	}
	return Degraded
}
