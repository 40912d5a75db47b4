package rules

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"

	"nirapod/safety"
)

// sensorsKey is the key of the one blob with the state of all channels.
// Points are hexadecimal, so it is no point.
const sensorsKey = "sensors"

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
}

// Snapshot returns the states that changed since the last call, by key. It is
// to be stored in the same transaction as what else is known of the readings
// that were observed: a reading that the stored state has not seen must come
// through Observe again, and one that it has seen must not.
func (e *Engine) Snapshot() map[string][]byte { return e.snapshot(false) }

// SnapshotAll returns all states, by key.
func (e *Engine) SnapshotAll() map[string][]byte { return e.snapshot(true) }

func (e *Engine) snapshot(all bool) map[string][]byte {
	out := map[string][]byte{}
	for _, in := range e.instances {
		if !all && !in.dirty {
			continue
		}
		in.dirty = false
		blob, err := json.Marshal(in.save())
		if err != nil {
			panic(err) // plain words and whole numbers always marshal
		}
		out[in.point] = blob
	}
	if all || e.moved {
		e.moved = false
		out[sensorsKey] = e.saveSensors()
	}
	return out
}

func (in *instance) save() saved {
	return saved{
		Meaning: in.rule.fingerprint, Rule: in.rule.Name, Scope: in.scope(),
		State: in.state.String(), Before: in.before.String(),
		Since: moment(in.since), Blind: moment(in.blind), Gone: moment(in.gone),
		Held: in.held, Grade: in.grade, Flags: in.flags, Proved: in.proved,
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
		if key == sensorsKey {
			if err := e.loadSensors(states[key]); err != nil {
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
	return out
}

func (e *Engine) load(point string, s saved) (refusedBecause string) {
	in := e.points[point]
	if in == nil {
		return "the rule is no longer bound there"
	}
	if s.Meaning != in.rule.fingerprint {
		return "the meaning of the rule changed"
	}
	state, known := safety.ParseState(s.State)
	before, knownBefore := safety.ParseState(s.Before)
	if !known || !knownBefore {
		return "unreadable state"
	}
	in.machine = machine{
		state: state, before: before, since: orNever(s.Since), blind: orNever(s.Blind), gone: orNever(s.Gone),
		held: s.Held, grade: s.Grade, flags: s.Flags, proved: s.Proved,
	}
	e.watch(in)
	return ""
}

// saveSensors writes the channels' states: a version, the engine's times, then
// per sensor its id and what cannot be had from its readings again.
func (e *Engine) saveSensors() []byte {
	b := make([]byte, 0, 32+48*len(e.order))
	b = append(b, 1)
	b = appendMoments(b, e.start, e.now)
	for _, s := range e.order {
		b = binary.AppendUvarint(b, uint64(len(s.spec.ID)))
		b = append(b, s.spec.ID...)
		b = append(b, bit(s.stale)|bit(s.quarantine.on)<<1, byte(s.badPolls))
		b = appendMoments(b, s.at, s.heard, s.quarantine.agreeing, s.quarantine.from, s.quarantine.to)
	}
	return b
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// appendMoments writes ms since 1970, plus one; 0 is never.
func appendMoments(b []byte, moments ...int64) []byte {
	for _, ms := range moments {
		if ms == never {
			ms = -1
		}
		b = binary.AppendVarint(b, ms+1)
	}
	return b
}

var errBlob = errors.New("unreadable state of the channels")

func (e *Engine) loadSensors(b []byte) error {
	if len(b) == 0 || b[0] != 1 {
		return errBlob
	}
	b = b[1:]
	if b = readMoments(b, &e.start, &e.now); b == nil {
		return errBlob
	}
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) || uint64(len(b)-size)-n < 2 {
			return errBlob
		}
		s := e.sensors[string(b[size:size+int(n)])]
		b = b[size+int(n):]
		marks, polls := b[0], b[1]
		if s == nil {
			s = &sensor{} // gone from the site
		}
		s.stale, s.quarantine.on, s.badPolls = marks&1 != 0, marks&2 != 0, min(int(polls), maxBadPolls)
		if b = readMoments(b[2:], &s.at, &s.heard, &s.quarantine.agreeing, &s.quarantine.from, &s.quarantine.to); b == nil {
			return errBlob
		}
		s.seen = s.at
	}
	return nil
}

func readMoments(b []byte, into ...*int64) []byte {
	for _, ms := range into {
		v, size := binary.Varint(b)
		if size <= 0 {
			return nil
		}
		*ms, b = v-1, b[size:]
		if v == 0 {
			*ms = never
		}
	}
	return b
}

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
