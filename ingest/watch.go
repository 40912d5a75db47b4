package ingest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
)

const (
	// watermark is how long rules over several gateways wait for readings that
	// are still under way (design, rules).
	watermark = 5 * time.Second
	// maxOrdering bounds the readings of a factory that wait for their turn.
	// Beyond it the oldest half is taken as it is.
	maxOrdering = 100_000

	orderedPrefix = "ordered/" // states of watch.ordered
	toldPrefix    = "told/"    // and of watch.points
	actsKey       = "acts"     // and watch.acts
	runsKey       = "runs"     // and watch.runs
)

// watch is what watches one factory. One gateway's readings come in order: the
// prompt engine evaluates them at once. Where readings of several gateways have a
// say, the order of arrival is not the order of what happened. There a second
// engine takes them in order, a watermark later, and is exact. What it says is
// told; but an alarm of the prompt engine is told at once, and is over only when
// both say so. So disorder may raise an alarm early, never late, and takes none back.
type watch struct {
	prompt  *rules.Engine
	ordered *rules.Engine     // nil: no rule is about several gateways
	shared  map[string]string // the sensors of ordered, and their gateways
	points  map[string]*point
	waiting []safety.Reading  // for ordered
	changed map[string]bool   // points since the last Snapshot
	acts    []state.PermitAct // for ordered, oldest first
	acted   bool              // acts changed since the last Snapshot
	runs    []newRun          // for ordered, by gateway oldest first
	began   bool              // runs changed since the last Snapshot
}

// point is a point of the ordered engine.
type point struct {
	told            safety.State
	prompt, ordered word
	ended           time.Time // the prompt engine's alarm was over then, and ordered is not there yet
	reset           time.Time // a person reset it then, and ordered is not there yet
}

// word is what one engine says of a point; on: it fired and nothing ended it.
type word struct {
	state safety.State
	on    bool
}

func (w *word) hear(to safety.State) {
	w.state, w.on = to, to == safety.Firing || to == safety.Unknown && w.on
}

func newWatch(packs []rules.Pack, p rules.Plant) (*watch, error) {
	prompt, err := rules.New(packs, p, rules.Server, safety.ServerSource)
	if err != nil {
		return nil, err
	}
	w := &watch{prompt: prompt, shared: map[string]string{}, points: map[string]*point{}, changed: map[string]bool{}}
	spanning := prompt.Spanning()
	if len(spanning) == 0 {
		return w, nil
	}
	several := p
	several.Sensors, several.Together = nil, true
	for _, s := range p.Sensors {
		if slices.Contains(spanning, s.ID) {
			w.shared[s.ID] = s.Gateway
			several.Sensors = append(several.Sensors, s)
		}
	}
	if w.ordered, err = rules.New(packs, several, rules.Server, safety.ServerSource); err != nil {
		return nil, err
	}
	w.compare()
	return w, nil
}

// compare takes over how all points stand; nothing was told of those that are new.
func (w *watch) compare() {
	for _, id := range w.ordered.Points() {
		if w.points[id] == nil {
			w.points[id] = &point{}
			t, _, _ := w.prompt.Stands(id)
			w.points[id].told, w.changed[id] = t.To, true
		}
		p := w.points[id]
		t, on, _ := w.prompt.Stands(id)
		p.prompt = word{t.To, on}
		t, on, _ = w.ordered.Stands(id)
		p.ordered = word{t.To, on}
	}
}

// newRun is a run of a gateway, and when its first reading was measured.
type newRun struct {
	Gateway string    `json:"gateway"`
	Run     string    `json:"run"`
	At      time.Time `json:"at"`
}

// Begin says that the next reading, of at, is of a run of a gateway, and the
// first if it is a new one.
func (w *watch) Begin(gateway, run string, at time.Time) {
	if w.prompt.Begin(gateway, run, at) && w.ordered != nil {
		w.runs, w.began = append(w.runs, newRun{gateway, run, at}), true
	}
}

// beginInTurn gives the ordered engine the runs of a gateway that began by a moment.
func (w *watch) beginInTurn(gateway string, upto time.Time) {
	w.runs = slices.DeleteFunc(w.runs, func(n newRun) bool {
		due := n.Gateway == gateway && !n.At.After(upto)
		if due {
			w.ordered.Begin(n.Gateway, n.Run, n.At)
			w.began = true
		}
		return due
	})
}

func (w *watch) Observe(r safety.Reading) []safety.Transition {
	out := w.hearPrompt(w.prompt.Observe(r))
	if _, shared := w.shared[r.Sensor]; shared {
		w.waiting = append(w.waiting, r)
		if len(w.waiting) > maxOrdering {
			sortReadings(w.waiting)
			out = append(out, w.take(w.waiting[maxOrdering/2].At)...)
		}
	}
	return out
}

// Tick lets time pass up to now, a watermark later for what is ordered.
func (w *watch) Tick(now time.Time) []safety.Transition {
	out := w.hearPrompt(w.prompt.Tick(now))
	if w.ordered == nil {
		return out
	}
	upto := now.Add(-watermark)
	out = append(out, w.actInTurn(upto)...)
	out = append(out, w.take(upto)...)
	out = append(out, w.hearOrdered(w.ordered.Tick(upto))...)
	for _, id := range w.ordered.Points() {
		p := w.points[id]
		if !p.reset.IsZero() && !p.reset.After(upto) {
			out = append(out, w.hearOrdered(w.ordered.Reset(id, p.reset))...)
			p.reset, w.changed[id] = time.Time{}, true
		}
		if !p.ended.IsZero() && !p.ended.After(upto) {
			p.ended = time.Time{}
			t, _, _ := w.ordered.Stands(id)
			out = w.tell(out, p, t)
		}
	}
	return out
}

// take gives the ordered engine what waits and happened by upto.
func (w *watch) take(upto time.Time) (out []safety.Transition) {
	sortReadings(w.waiting)
	n := 0
	for ; n < len(w.waiting) && !w.waiting[n].At.After(upto); n++ {
		r := w.waiting[n]
		w.beginInTurn(w.shared[r.Sensor], r.At)
		out = append(out, w.hearOrdered(w.ordered.Observe(r))...)
	}
	w.waiting = slices.Delete(w.waiting, 0, n)
	return out
}

func sortReadings(rs []safety.Reading) {
	slices.SortFunc(rs, func(a, b safety.Reading) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Sensor, b.Sensor))
	})
}

// Reset is a person's reset of a latched point.
func (w *watch) Reset(id string, at time.Time) []safety.Transition {
	out := w.hearPrompt(w.prompt.Reset(id, at))
	if p := w.points[id]; p != nil {
		p.reset, w.changed[id] = at, true
	}
	return out
}

// Act is what a person did about a permit. Its error is the prompt engine's.
func (w *watch) Act(a state.PermitAct) ([]safety.Transition, error) {
	ts, err := act(w.prompt, a)
	if err != nil {
		return nil, err
	}
	if w.ordered != nil {
		w.acts, w.acted = append(w.acts, a), true
	}
	return w.hearPrompt(ts), nil
}

// actInTurn gives the ordered engine the acts up to a moment, each after what
// happened before it.
func (w *watch) actInTurn(upto time.Time) (out []safety.Transition) {
	for len(w.acts) > 0 && !w.acts[0].At.After(upto) {
		a := w.acts[0]
		w.acts, w.acted = w.acts[1:], true
		out = append(out, w.take(a.At)...)
		for _, part := range w.shares(a) {
			ts, err := act(w.ordered, part)
			if err == nil { // it watches less than the prompt one, which took it
				out = append(out, w.hearOrdered(ts)...)
			}
		}
	}
	return out
}

// shares is what of an act concerns the ordered engine: a permit falls apart
// into one for each sensor, since it does not know all of them.
func (w *watch) shares(a state.PermitAct) (out []state.PermitAct) {
	if a.Kind != state.PermitOpened {
		return []state.PermitAct{a}
	}
	for _, id := range a.Permit.Sensors {
		if _, shared := w.shared[id]; shared {
			part := a
			part.Permit.Sensors = []string{id}
			out = append(out, part)
		}
	}
	return out
}

func (w *watch) hearPrompt(ts []safety.Transition) []safety.Transition {
	if w.ordered == nil {
		return ts
	}
	var out []safety.Transition
	for _, t := range ts {
		p := w.points[t.Point]
		if p == nil {
			out = append(out, t)
			continue
		}
		was := p.prompt.on
		p.prompt.hear(t.To)
		switch {
		case t.Class != safety.ClassAlarm:
			continue
		case p.prompt.on:
			p.ended = time.Time{}
		case was:
			p.ended = t.At
		}
		if t.From == t.To && p.told == t.To { // stronger
			out = append(out, t)
		}
		out = w.tell(out, p, t)
	}
	return out
}

func (w *watch) hearOrdered(ts []safety.Transition) (out []safety.Transition) {
	for _, t := range ts {
		p := w.points[t.Point]
		p.ordered.hear(t.To)
		if t.From == t.To && p.told == t.To && (!p.prompt.on || t.Class != safety.ClassAlarm) {
			out = append(out, t)
		}
		out = w.tell(out, p, t)
	}
	return out
}

// tell adds t to out as the step from what was told of p to what is to be told.
func (w *watch) tell(out []safety.Transition, p *point, t safety.Transition) []safety.Transition {
	next := p.ordered.state
	ahead := t.Class == safety.ClassAlarm && (p.prompt.on || !p.ended.IsZero())
	switch {
	case ahead && p.prompt.on && p.prompt.state == safety.Firing, ahead && !p.ended.IsZero() && !p.ordered.on:
		next = safety.Firing
	case ahead && !p.ordered.on:
		next = safety.Unknown
	}
	if next == p.told {
		return out
	}
	t.From, t.To = p.told, next
	p.told, w.changed[t.Point] = next, true
	return append(out, t)
}

func (w *watch) Window() time.Duration { return w.prompt.Window() }

func (w *watch) Watches(id string) bool { return w.prompt.Watches(id) }
