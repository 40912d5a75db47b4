package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"nirapod/safety"
)

// sensorsKey is the key of the engine's times; with a gateway after it, of the
// state of that gateway's channels. Points are hexadecimal, so it is no point.
const (
	sensorsKey = "sensors"
	ofGateway  = sensorsKey + "/"
)

// channels are the sensors of one gateway: what is read together is saved
// together, so that a snapshot costs what moved and not what there is.
type channels struct {
	gateway string
	sensors []*sensor // by id
	moved   bool      // since the last Snapshot; then listed in Engine.moved
	due     int64     // ms: until then none of them goes stale
	expects int64     // ms: until then none of them is missing

	together []*channels // whose readings come in one order with these
	own      bool        // the engine is this gateway's own: while time passes it runs
	run      string      // of the gateway, newest; "" = not known
}

// saved is a machine on disk. Times are ms; absent is never.
type saved struct {
	Meaning string       `json:"meaning"`
	Rule    string       `json:"rule"`
	Scope   string       `json:"scope"`
	State   string       `json:"state"`
	Before  string       `json:"before"`
	Since   *int64       `json:"since,omitempty"`
	Blind   *int64       `json:"blind,omitempty"`
	Gone    *int64       `json:"gone,omitempty"`
	Held    bool         `json:"held,omitempty"`
	Grade   safety.Grade `json:"grade,omitempty"`
	Flags   safety.Flags `json:"flags,omitempty"`
	Proved  bool         `json:"proved,omitempty"`
	Step    int          `json:"step,omitempty"`
	Firings *firings     `json:"firings,omitempty"`
	Turned  *int64       `json:"turned,omitempty"`
}

// Snapshot returns the states that changed since the last call, by key. It is
// to be stored in the same transaction as what else is known of the readings
// that were observed: a reading that the stored state has not seen must come
// through Observe again, and one that it has seen must not.
func (e *Engine) Snapshot() map[string][]byte {
	out := map[string][]byte{}
	for _, in := range e.changed {
		in.put(out)
	}
	if e.shifted {
		out[sensorsKey] = e.saveTimes()
	}
	for _, c := range e.moved {
		out[ofGateway+c.gateway] = c.save()
		c.putMinutes(out, false)
	}
	e.savePlace(out, false)
	e.saved()
	return out
}

// SnapshotAll returns all states, by key.
func (e *Engine) SnapshotAll() map[string][]byte {
	out := map[string][]byte{sensorsKey: e.saveTimes()}
	for _, in := range e.instances {
		in.put(out)
	}
	for _, c := range e.channels {
		out[ofGateway+c.gateway] = c.save()
		c.putMinutes(out, true)
	}
	e.savePlace(out, true)
	e.saved()
	return out
}

// saved says that a snapshot holds all that there is to save.
func (e *Engine) saved() {
	for _, in := range e.changed {
		in.dirty, in.listed = false, false
	}
	for _, c := range e.moved {
		c.moved = false
	}
	e.changed, e.moved, e.shifted = e.changed[:0], e.moved[:0], false
}

// note lists what the next Snapshot has to save of an instance.
func (e *Engine) note(in *instance) {
	if in.dirty && !in.listed {
		in.listed = true
		e.changed = append(e.changed, in)
	}
}

// move lists the channels of s for the next Snapshot.
func (e *Engine) move(s *sensor) {
	if s.channels != nil {
		e.moveAll(s.channels)
	}
}

func (e *Engine) moveAll(c *channels) {
	if !c.moved {
		c.moved = true
		e.moved = append(e.moved, c)
	}
}

func (in *instance) put(out map[string][]byte) {
	blob, err := json.Marshal(in.save())
	if err != nil {
		panic(err) // plain words and whole numbers always marshal
	}
	out[in.key.String()] = blob
}

func (in *instance) save() saved {
	return saved{
		Meaning: in.rule.fingerprint, Rule: in.rule.Name, Scope: in.scope(),
		State: in.state.String(), Before: in.before.String(),
		Since: moment(in.since), Blind: moment(in.blind), Gone: moment(in.gone),
		Held: in.held, Grade: in.grade.grade(), Flags: in.flags, Proved: in.proved,
		Step: int(in.step), Firings: in.firings,
		Turned: moment(in.turned),
	}
}

func moment(ms int64) *int64 {
	if ms == never {
		return nil
	}
	return &ms
}

func orNever(ms *int64) int64 {
	if ms == nil {
		return never
	}
	return *ms
}

// Dropped is a saved state that Restore did not take.
type Dropped struct {
	Key    string
	Rule   string
	Scope  string       // sensor or zone id
	State  safety.State // what it was
	Reason string
}

// Restore takes states that Snapshot returned, before the first Observe and
// Tick. State is kept only where the meaning of the rule is unchanged; what
// was dropped is returned in order of key, so that people can be told of an
// alarm among it.
func (e *Engine) Restore(states map[string][]byte) []Dropped {
	var out []Dropped
	keys := make([]string, 0, len(states))
	for key := range states {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if key == sensorsKey || strings.HasPrefix(key, ofGateway) {
			if err := e.loadSensors(key, states[key]); err != nil {
				out = append(out, Dropped{Key: key, Reason: err.Error()})
			}
			continue
		}
		if strings.HasPrefix(key, minutesKey) {
			if err := e.loadMinutes(states[key]); err != nil {
				out = append(out, Dropped{Key: key, Reason: err.Error()})
			}
			continue
		}
		if known, err := e.loadPlace(key, states[key]); known {
			if err != nil {
				out = append(out, Dropped{Key: key, Reason: err.Error()})
			}
			continue
		}
		var s saved
		if err := json.Unmarshal(states[key], &s); err != nil {
			out = append(out, Dropped{Key: key, Reason: "unreadable: " + err.Error()})
			continue
		}
		if reason := e.load(key, s); reason != "" {
			was, _ := safety.ParseState(s.State)
			out = append(out, Dropped{Key: key, Rule: s.Rule, Scope: s.Scope, State: was, Reason: reason})
		}
	}
	e.resumeTurns()
	return out
}

func (e *Engine) load(point string, s saved) (refusedBecause string) {
	in := e.points.at(point)
	if in == nil {
		return "the rule is no longer bound there"
	}
	if s.Meaning != in.rule.fingerprint {
		return "the meaning of the rule changed"
	}
	state, known := safety.ParseState(s.State)
	before, knownBefore := safety.ParseState(s.Before)
	if !known || !knownBefore || s.Step < 0 || s.Step > len(in.rule.Steps) {
		return "unreadable state"
	}
	in.machine = machine{
		state: state, before: before, since: orNever(s.Since), blind: orNever(s.Blind), gone: orNever(s.Gone),
		held: s.Held, grade: rankOf(s.Grade), flags: s.Flags, proved: s.Proved,
		step: uint8(s.Step), firings: s.Firings,
		turned: orNever(s.Turned),
	}
	e.watch(in)
	return ""
}

// saveTimes writes a version and the engine's times.
func (e *Engine) saveTimes() []byte { return appendMoments([]byte{1}, e.start, e.now) }

// Warm fills windows and last values after Restore, in time order per sensor,
// from Window before now on, without evaluating. A reading that the restored
// state has not seen is ignored: it was never evaluated and is to come
// through Observe.
func (e *Engine) Warm(r safety.Reading) {
	s, at := e.sensors[r.Sensor], r.At.UnixMilli()
	if s == nil || s.seen == never || at > s.seen {
		return
	}
	if last, ok := s.history.newest(); ok && at <= last.at {
		return
	}
	r = plausible(s.spec.Quantity, r)
	s.value, s.quality, s.reason, s.flags = r.Value, r.Quality, r.Reason, r.Flags
	if s.quality == safety.Bad {
		s.value = 0
		return
	}
	s.note(at)
}
