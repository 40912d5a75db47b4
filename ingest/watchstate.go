package ingest

import (
	"encoding/json"
	"strings"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

// Warm fills windows after Restore. What the ordered engine has not seen yet
// waits for its turn again.
func (w *watch) Warm(r safety.Reading) {
	w.prompt.Warm(r)
	if _, shared := w.shared[r.Sensor]; !shared {
		return
	}
	if w.ordered.Awaits(r) {
		w.waiting = append(w.waiting, r)
		return
	}
	w.ordered.Warm(r)
}

// savedPoint is a point on disk.
type savedPoint struct {
	Told  string    `json:"told"`
	Reset time.Time `json:"reset,omitzero"`
}

// Snapshot returns what changed since the last call, by key.
func (w *watch) Snapshot() map[string][]byte {
	out := w.prompt.Snapshot()
	if w.ordered == nil {
		return out
	}
	for key, blob := range w.ordered.Snapshot() {
		out[orderedPrefix+key] = blob
	}
	for id := range w.changed {
		p := w.points[id]
		blob, err := json.Marshal(savedPoint{p.told.String(), p.reset})
		if err != nil {
			panic(err) // a word and a time always marshal
		}
		out[toldPrefix+id] = blob
	}
	clear(w.changed)
	if w.acted {
		w.acted = false
		out[actsKey] = encoded(w.acts)
	}
	if w.began {
		w.began = false
		out[runsKey] = encoded(w.runs)
	}
	return out
}

// encoded returns nothing for none, which removes them.
func encoded[T any](waiting []T) []byte {
	if len(waiting) == 0 {
		return nil
	}
	blob, err := json.Marshal(waiting)
	if err != nil {
		panic(err) // words and times always marshal
	}
	return blob
}

// Restore takes what Snapshot returned. An ordered engine that was none before
// begins as the prompt one stands.
func (w *watch) Restore(states map[string][]byte) []rules.Dropped {
	prompt, ordered, told := map[string][]byte{}, map[string][]byte{}, map[string][]byte{}
	for key, blob := range states {
		if key == actsKey || key == runsKey {
			continue
		}
		if name, ok := strings.CutPrefix(key, orderedPrefix); ok {
			ordered[name] = blob
		} else if id, ok := strings.CutPrefix(key, toldPrefix); ok {
			told[id] = blob
		} else {
			prompt[key] = blob
		}
	}
	dropped := w.prompt.Restore(prompt)
	if w.ordered == nil {
		for _, key := range []string{actsKey, runsKey} {
			if len(states[key]) > 0 {
				dropped = append(dropped, rules.Dropped{Key: key, Reason: "no rule is over several gateways any more"})
			}
		}
		return append(dropped, forgotten(orderedPrefix, ordered, told)...)
	}
	w.points = map[string]*point{}
	for key, waiting := range map[string]any{actsKey: &w.acts, runsKey: &w.runs} {
		if blob := states[key]; len(blob) > 0 && json.Unmarshal(blob, waiting) != nil {
			dropped = append(dropped, rules.Dropped{Key: key, Reason: "unreadable"})
		}
	}
	if len(ordered) == 0 {
		w.ordered.Restore(prompt) // what it does not watch is dropped, and stands in prompt
	}
	for _, d := range w.ordered.Restore(ordered) {
		dropped = append(dropped, rules.Dropped{Key: orderedPrefix + d.Key, Reason: d.Reason})
	}
	for id, blob := range told {
		var s savedPoint
		wrong := json.Unmarshal(blob, &s)
		state, known := safety.ParseState(s.Told)
		if wrong != nil || !known || !w.ordered.Watches(id) {
			dropped = append(dropped, rules.Dropped{Key: toldPrefix + id, Reason: "not over several gateways any more"})
			continue
		}
		w.points[id] = &point{told: state, reset: s.Reset}
	}
	w.compare()
	for _, p := range w.points { // what was told and nobody says any more ends in its turn
		if p.told == safety.Firing && !p.prompt.on && !p.ordered.on {
			p.ended = w.ordered.Elapsed().Add(time.Millisecond)
		}
	}
	return dropped
}

func forgotten(prefix string, ordered, told map[string][]byte) (out []rules.Dropped) {
	for key := range ordered {
		out = append(out, rules.Dropped{Key: prefix + key, Reason: "no rule is over several gateways any more"})
	}
	for id := range told {
		out = append(out, rules.Dropped{Key: toldPrefix + id, Reason: "no rule is over several gateways any more"})
	}
	return out
}
