package agent

import (
	"nirapod/gateway-agent/spool"
	"nirapod/safety"
)

// part is a part of the gateway itself that can break. It ends the name of the
// rule under which people are told.
type part string

const (
	partSounder part = "sounder"
	partOutputs part = "outputs" // all others
	partStates  part = "saved-states"
	partSpool   part = "spool"
	partReport  part = "spool-open"
	partUplink  part = "uplink"
)

const (
	partPack    = "gateway"
	partRule    = "gateway-fault/"
	partVersion = "1" // of the meaning of the faults
)

var partClauses = map[part]string{
	partSounder: "an evacuation sounder cannot be driven",
	partOutputs: "a buzzer, beacon or lamp cannot be driven",
	partStates:  "what a restart needs cannot be saved",
	partSpool:   "measured values cannot be saved until they are sent",
	partReport:  "the store of unsent values, or the way to the server, cannot be opened",
	partUplink:  "the server does not take what the gateway sends",
}

// transition is what a part's change means to people. Its scope is the gateway.
func (p part) transition(c *Config, from, to safety.State) safety.Transition {
	rule := partRule + string(p)
	return safety.Transition{
		Factory: c.Factory, Source: c.Gateway, Point: safety.PointID(c.Factory, rule, c.Gateway),
		Pack: partPack, Rule: rule, RuleVersion: partVersion, Hazard: safety.HazardSystem,
		Class: safety.ClassFault, Severity: safety.Warning, Clause: partClauses[p],
		From: from, To: to, Flags: c.flags(),
	}
}

// fault says that a part is broken, or sound.
type fault struct {
	part   part
	broken bool
}

// part tells people here and at the server that a part broke or is sound again.
// At a start nothing is known, so that the first word ends what the run before
// said last.
func (c *core) part(f fault) {
	from, to := c.parts[f.part], safety.Inactive
	if f.broken {
		to = safety.Firing
	}
	if from == to {
		return
	}
	c.parts[f.part] = to
	mono := c.clock.Mono()
	t := f.part.transition(c.cfg, from, to)
	t.At = c.epoch.at(mono)
	c.ann.Fault(t.Point, f.broken, f.part == partSounder)
	c.act()
	c.journal.transitions(spool.Record{Stamp: c.stamp(mono), Transition: &t})
}

// health tells of the first state of a part and of each change.
type health struct {
	tell   func(broken bool)
	told   bool
	broken bool
}

// report takes the newest state and returns whether it is worth a log line.
func (h *health) report(err error) (changed bool) {
	before := *h
	h.told, h.broken = true, err != nil
	if !before.told || before.broken != h.broken {
		h.tell(h.broken)
	}
	return before.broken != h.broken
}
