package rules

import (
	"slices"
	"time"

	"nirapod/safety"
)

// Spanning returns the ids of the sensors, sorted, about which readings of
// several gateways have a say: a rule reads them with sensors of another gateway,
// or they are each other's neighbours, also by way of third ones.
func (e *Engine) Spanning() []string {
	parent := map[*sensor]*sensor{}
	root := func(s *sensor) *sensor {
		for parent[s] != nil {
			s = parent[s]
		}
		return s
	}
	join := func(first *sensor, others []*sensor) {
		for _, o := range others {
			if a, b := root(first), root(o); a != b {
				parent[a] = b
			}
		}
	}
	for _, in := range e.instances {
		if reads := in.reads(); len(reads) > 0 {
			join(reads[0], reads[1:])
		}
		if in.rule.uses.missing { // which all that its gateway reads has a say in
			for _, s := range in.reads() {
				join(s, s.channels.sensors)
			}
		}
	}
	for _, s := range e.order {
		join(s, s.peers)
	}
	gateway, several := map[*sensor]string{}, map[*sensor]bool{}
	for _, s := range e.order {
		r := root(s)
		if g, known := gateway[r]; known && g != s.spec.Gateway {
			several[r] = true
		}
		gateway[r] = s.spec.Gateway
	}
	var out []string
	for _, s := range e.order {
		if several[root(s)] {
			out = append(out, s.spec.ID)
		}
	}
	slices.Sort(out)
	return out
}

// Stands returns how a point stands, as a transition to its state from that
// state, and whether it has fired and nothing has ended it. ok is false where no
// rule is bound.
func (e *Engine) Stands(point string) (t safety.Transition, active, ok bool) {
	in := e.points.at(point)
	if in == nil {
		return t, false, false
	}
	found := evidence{grade: in.grade.grade(), flags: in.flags}
	if found.grade == "" {
		found.grade = in.best().grade()
	}
	return e.told(in, in.state, in.state, max(e.now, e.start), found), in.active(), true
}

// Points returns the points of all bound rules, in the order of rule and scope.
func (e *Engine) Points() []string {
	out := make([]string, len(e.instances))
	for i, in := range e.instances {
		out[i] = in.key.String()
	}
	return out
}

// Awaits reports whether a reading is newer than its sensor's newest, or, of a
// sensor that never spoke, not older than the newest Tick.
func (e *Engine) Awaits(r safety.Reading) bool {
	s, at := e.sensors[r.Sensor], r.At.UnixMilli()
	switch {
	case s == nil:
		return false
	case s.at == never:
		return e.now == never || at >= e.now
	}
	return at > s.at
}

// Elapsed returns the newest time that the engine was told, zero before the first Tick.
func (e *Engine) Elapsed() time.Time {
	if e.now == never {
		return time.Time{}
	}
	return time.UnixMilli(e.now).UTC()
}
