package rules

import (
	"math"
	"strings"
	"time"

	"nirapod/safety"
)

const (
	never       = math.MinInt64 // no such moment, ms
	stalePolls  = 3
	minStale    = 3 * time.Second
	maxBadPolls = 16 // counting further would make every bad poll a new state to save
)

// trust says what a sensor's newest word may do.
type trust uint8

const (
	none      trust = iota // no value
	raiseOnly              // may make a condition true, never false
	full
)

// sensor is the engine's view of one channel.
type sensor struct {
	spec   safety.Sensor
	zone   *place
	class  int // index in classes, noClass
	suffix string

	staleAfter int64 // ms
	at         int64 // newest evaluated reading
	value      float64
	quality    safety.Quality
	reason     safety.Reason
	flags      safety.Flags
	stale      bool
	missing    bool  // silent while its gateway runs (missing.go)
	from       int64 // since when that silence is counted; never: since the engine began
	badPolls   int
	heard      int64 // first trusted reading after what another fault told of
	quarantine quarantine
	peers      []*sensor // itself among them

	channels  *channels
	history   *history
	counters  []*counter
	tracks    []*track // minutes, by the engine's numbering; nil where no rule asks
	real      [2]int64 // newest sample without flag 1<<i
	seen      int64    // at in the restored state: Warm goes no further
	papers    papers
	mains     *supply // of its gateway; nil where nothing tells of it
	isolation isolation
	instances []*instance
	metas     []*instance // rules about the rules that read this sensor
}

// classes are the EN 54-5 classes a limit may be tabled by.
var classes = [...]string{"A1", "A2", "B", "C", "D", "E", "F", "G"}

const noClass = -1

// parseClass splits "A1R" into its class and suffix.
func parseClass(s string) (class int, suffix string) {
	base := strings.TrimRight(s, "RS")
	if len(s)-len(base) > 1 {
		return noClass, ""
	}
	for i, name := range classes {
		if name == base {
			return i, s[len(base):]
		}
	}
	return noClass, ""
}

func newSensor(spec safety.Sensor, zone *place, slots *slots) *sensor {
	s := &sensor{spec: spec, zone: zone, at: never, from: never, seen: never, heard: never, papers: papersOf(spec), isolation: armed}
	s.class, s.suffix = parseClass(spec.Class)
	s.real = [2]int64{never, never}
	s.quarantine = sound
	s.staleAfter = max(minStale, stalePolls*spec.Period).Milliseconds()
	s.history = newHistory(spec.Period, slots.lengths, slots.needed[spec.Quantity])
	return s
}

// staleAt returns the last moment at which silence is still an ordinary pause.
func (s *sensor) staleAt(start int64) int64 {
	if s.at == never {
		return start + s.staleAfter
	}
	return s.at + s.staleAfter
}

// take makes r the sensor's newest word. at is later than s.at.
func (s *sensor) take(r safety.Reading, at int64) {
	r = plausible(s.spec.Quantity, r)
	silent := s.stale || s.at != never && at > s.at+s.staleAfter
	told := silent || s.excused()
	s.at, s.stale, s.from, s.missing = at, false, at, false
	s.value, s.quality, s.reason, s.flags = r.Value, r.Quality, r.Reason, r.Flags
	s.countBad()
	s.quarantine.observe(s, at, silent)
	s.minute(at)
	if s.quality == safety.Bad {
		s.value = 0
		return
	}
	if (told || s.heard == never) && s.trust(false) == full {
		s.heard = at
	}
	s.note(at)
}

// excused reports whether something other than blindness is known of the channel.
func (s *sensor) excused() bool {
	return s.at == never || s.quarantine.on || s.badPolls > 1 ||
		s.quality == safety.Bad && (s.reason == safety.Warming || s.reason == safety.Inhibit)
}

func (s *sensor) countBad() {
	switch {
	case s.quality != safety.Bad:
		s.badPolls = 0
	case s.reason == safety.Warming || s.reason == safety.Inhibit:
	default:
		s.badPolls = min(s.badPolls+1, maxBadPolls)
	}
}

// note keeps the newest value for windows.
func (s *sensor) note(at int64) {
	for i := range s.real {
		if s.flags&(1<<i) == 0 {
			s.real[i] = at
		}
	}
	s.history.add(at, s.value, s.quality != safety.Good || s.quarantine.covers(at))
}

// trust of the newest reading. late is true while a reading is evaluated that
// was already stale when it came.
func (s *sensor) trust(late bool) trust {
	switch {
	case s.at == never || s.quality == safety.Bad || s.stale && !late || s.quarantine.on && s.outvoted():
		return none
	case late || s.quality == safety.Uncertain || s.quarantine.on:
		return raiseOnly
	}
	return full
}

// windowFlags are the flags that all samples of the window share.
func (s *sensor) windowFlags(w *window) safety.Flags {
	var f safety.Flags
	for i, at := range s.real {
		if at <= s.at-w.length {
			f |= 1 << i
		}
	}
	return f
}
