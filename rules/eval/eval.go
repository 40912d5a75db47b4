// Package eval judges the rules on real fires and real days without one: it
// replays recordings with the maps in maps/ and the packs as they are, and
// says what was detected, when, and what was not a fire. The recordings are
// not part of the project; docs/evaluation.md holds the result.
package eval

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"nirapod/rules"
	"nirapod/rules/replay"
	"nirapod/safety"
)

//go:embed maps/*.yaml
var maps embed.FS

// Result is what the rules made of one recording. Times are seconds from
// ignition, NaN where it did not happen.
type Result struct {
	Name     string
	Alarm    float64         // first alarm or evacuate
	By       string          // the rule that raised it
	Alarmed  map[string]bool // sensors with an alarm of their own
	PreAlarm float64         // first pre-alarm about the hazard
	Due      float64         // by when it is wanted, NaN: no bar
	Expected string          // what is wanted: alarm, prealarm or nothing
	Early    int             // alarms and pre-alarms before ignition, or all where nothing happens
	Faults   []Fault         // of sensors, in the order in which they began
	Days     float64         // sensor-days without the hazard
}

// Fault is a fault of one sensor: from when, and whether it ended.
type Fault struct {
	Sensor string
	At     float64
	Rule   string
	Ended  bool
}

// Set is one kind of recordings.
type Set struct {
	Title   string
	Note    string
	Results []Result
}

// event is one line of a replay.
type event struct {
	T        json.RawMessage
	Pack     string
	Rule     string
	Class    safety.Class
	Sensor   string
	From, To string
	Severity safety.Severity
	at       float64 // s
}

func (e event) raises(severities ...safety.Severity) bool {
	if e.To != safety.Firing.String() || e.Class != safety.ClassAlarm || e.Pack != "fire" && e.Pack != "gas" {
		return false
	}
	return slices.Contains(severities, e.Severity)
}

type evaluator struct {
	packs []rules.Pack
	data  fs.FS
}

// Run replays all recordings in data, the folder that holds nist-exp and the
// others.
func Run(packs []rules.Pack, data fs.FS) ([]Set, error) {
	e := evaluator{packs, data}
	var out []Set
	for _, set := range []func() (Set, error){e.homes, e.hangars, e.rooms, e.holds, e.garages, e.quiet, e.steam} {
		s, err := set()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Title, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// replay plays one recording through one map.
func (e *evaluator) replay(mapName, name string, open func() (io.ReadCloser, error)) ([]event, replay.Summary, error) {
	text, err := maps.ReadFile("maps/" + mapName)
	if err != nil {
		return nil, replay.Summary{}, err
	}
	m, err := replay.ParseMap(mapName, text)
	if err != nil {
		return nil, replay.Summary{}, err
	}
	var out bytes.Buffer
	sum, err := replay.Run(e.packs, m, []replay.Source{{Name: name, Open: open}}, &out, func(string) {})
	if err != nil {
		return nil, sum, err
	}
	var events []event
	for line := range bytes.Lines(out.Bytes()) {
		var ev event
		if err := json.Unmarshal(line, &ev); err != nil {
			return nil, sum, err
		}
		if ev.Rule == "" {
			continue
		}
		if ev.at, err = seconds(ev.T); err != nil {
			return nil, sum, err
		}
		events = append(events, ev)
	}
	return events, sum, nil
}

func seconds(t json.RawMessage) (float64, error) {
	text := strings.Trim(string(t), `"`)
	if len(text) == len(t) {
		var v float64
		err := json.Unmarshal(t, &v)
		return v, err
	}
	at, err := time.Parse(time.RFC3339, text)
	return float64(at.UnixMilli()) / 1000, err
}

func (e *evaluator) file(mapName, name string) ([]event, replay.Summary, error) {
	return e.replay(mapName, name, func() (io.ReadCloser, error) { return e.data.Open(name) })
}

// judge makes a result of what was told, with ignition at a time of the
// recording's own; +Inf where nothing ever happens.
func judge(name string, events []event, ignition float64) Result {
	r := Result{Name: name, Alarm: math.NaN(), PreAlarm: math.NaN(), Due: math.NaN(), Alarmed: map[string]bool{}}
	for _, ev := range events {
		since := ev.at - ignition
		if ev.raises(safety.Alarm, safety.Evacuate) {
			r.Alarmed[ev.Sensor] = true
		}
		switch {
		case ev.Class == safety.ClassFault:
			r.fault(ev, since)
		case ev.raises(safety.Alarm, safety.Evacuate, safety.PreAlarm) && since < -clockError:
			if ev.From != ev.To {
				r.Early++
			}
		case ev.raises(safety.Alarm, safety.Evacuate) && math.IsNaN(r.Alarm):
			r.Alarm, r.By = since, ev.Rule
		case ev.raises(safety.PreAlarm) && math.IsNaN(r.PreAlarm):
			r.PreAlarm = since
		}
	}
	return r
}

// clockError is how far the clocks of a recording's events and readings may
// be apart, s.
const clockError = 2

func (r *Result) fault(ev event, since float64) {
	switch ev.To {
	case safety.Firing.String():
		r.Faults = append(r.Faults, Fault{Sensor: ev.Sensor, At: since, Rule: ev.Rule})
	case safety.Inactive.String():
		for i := range r.Faults {
			if f := &r.Faults[i]; f.Sensor == ev.Sensor && f.Rule == ev.Rule {
				f.Ended = true
			}
		}
	}
}
