package agent

import (
	"errors"
	"time"

	"nirapod/gateway-agent/annunciate"
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
	}
	c.continues = found
	if p := c.ann.Phase(); p != annunciate.Quiet {
		c.log.Warn("continuing", "phase", p.String())
	}
}

// restoreRules takes up the rules where the run before ended. Where only one
// of rules and annunciator is known, they must not disagree: rules that think
// an alarm has been told begin anew, and what only the annunciator knows may be
// reset by a person.
func (c *core) restoreRules(dir string) {
	var saved savedRules
	found, err := recall(dir, rulesFile, &saved)
	if err != nil {
		c.log.Error("states of the rules are lost", "err", err)
	}
	wall, _ := c.clock.Wall(c.clock.Mono())
	if wall.IsZero() {
		wall = time.Now()
	}
	c.epoch = newEpoch(c.clock.Mono(), wall, saved.Newest)
	if found && c.continues {
		for _, d := range c.engine.Restore(saved.States) {
			c.log.Warn("state of a rule is dropped", "rule", d.Rule, "scope", d.Scope,
				"was", d.State.String(), "reason", d.Reason)
			c.ann.Forget(d.Key)
		}
	} else {
		for _, p := range c.ann.State().Points {
			if !p.Manual {
				c.ann.Forget(p.ID)
			}
		}
	}
	c.states = c.engine.SnapshotAll()
	c.keepRules(c.clock.Mono(), true)
	c.keepAnnunciator(c.ann.State())
}
