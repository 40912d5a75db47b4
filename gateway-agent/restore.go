package agent

import (
	"errors"
	"time"

	"nirapod/gateway-agent/annunciate"
	"nirapod/safety"
)

var errPhase = errors.New("unknown phase")

// restoreOutputs takes up the annunciator where the run before ended.
func (c *core) restoreOutputs(dir string) {
	var saved savedAnnunciator
	found, err := recall(dir, annunciatorFile, &saved)
	if err == nil && saved.State.Phase > annunciate.Silenced {
		found, err = false, errPhase
	}
	if err != nil {
		c.log.Error("state of the outputs is lost", "err", err)
	}
	if found {
		c.ann.Restore(c.moment(c.clock.Mono()), saved.State, saved.Boot == c.clock.Boot())
		c.count = saved.Count
	}
	if p := c.ann.Phase(); p != annunciate.Quiet {
		c.log.Warn("continuing", "phase", p.String())
	}
}

// restoreRules takes up the rules where the run before ended.
func (c *core) restoreRules(dir string) {
	var saved savedRules
	found, err := recall(dir, rulesFile, &saved)
	if err != nil {
		c.log.Error("states of the rules are lost", "err", err)
		saved = savedRules{}
	}
	wall, _ := c.clock.Wall(c.clock.Mono())
	if wall.IsZero() {
		wall = time.Now()
	}
	var unseen []safety.Reading
	newest := saved.Newest
	if found {
		for _, d := range c.engine.Restore(saved.States) {
			c.log.Warn("state of a rule is dropped", "rule", d.Rule, "scope", d.Scope,
				"was", d.State.String(), "reason", d.Reason)
		}
		unseen, newest = c.warm(saved.Newest)
	}
	c.epoch = newEpoch(c.clock.Mono(), wall, newest)
	c.agree(c.count > saved.Count)
	for _, r := range unseen {
		c.transitions(c.epoch.mono(r.At), c.engine.Observe(r))
	}
	c.restorePermits(saved.Permits)
	c.count = max(c.count, saved.Count)
	c.states = c.engine.SnapshotAll()
	c.keepAnnunciator(c.ann.State())
	c.keepRules(c.clock.Mono(), true)
}

// warm fills the windows of the rules, whose state was kept at kept, and returns
// what the run before observed after that, and the newest time of the rules.
func (c *core) warm(kept time.Time) (unseen []safety.Reading, newest time.Time) {
	readings, err := c.journal.recent.load()
	if err != nil {
		c.log.Error("windows of the rules may have gaps", "err", err)
	}
	newest = kept
	for _, r := range readings {
		c.engine.Warm(r)
		if r.At.After(kept.Add(-2 * keepEvery)) { // of what the state has seen, Observe says nothing again
			unseen = append(unseen, r)
		}
		if r.At.After(newest) {
			newest = r.At
		}
	}
	return unseen, newest
}

// agree makes rules and annunciator say the same: after a crash or a loss of
// power one of the two files may be older than the other, or missing. Rules
// that think an alarm has been told would be silent for good, and an alarm that
// they do not know no person could end.
//
// What only the rules know has ended since, by the rules and by a person, if
// the annunciator's file is newer: the rule begins anew and fires again if its
// condition holds. Else nobody may have been told: it is told now. What only
// the annunciator knows stays on record for a person to end; its rule begins
// anew, so that the server hears how it stands as well.
func (c *core) agree(newerAnnunciator bool) {
	mono := c.clock.Mono()
	lost := map[string]bool{}
	for _, point := range c.ann.Believes() {
		lost[point] = true
	}
	for _, t := range c.engine.Firing() {
		switch known := lost[t.Point]; {
		case known:
			delete(lost, t.Point)
		case !annunciate.Concerns(t):
		case newerAnnunciator:
			c.log.Warn("saved states disagree: an alarm that had ended is watched for anew", "rule", t.Rule, "zone", t.Zone, "sensor", t.Sensor)
			c.engine.Forget(t.Point)
		default:
			c.log.Warn("saved states disagree: an alarm is told again", "rule", t.Rule, "zone", t.Zone, "sensor", t.Sensor)
			c.ann.Transition(c.moment(mono), t)
		}
	}
	for point := range lost {
		c.log.Warn("saved states disagree: an alarm that the rules do not know is left to people", "point", point)
		c.ann.Forget(point)
		c.engine.Forget(point)
	}
}
