package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

// retold is how long after its end a gateway is still told what became of a
// permit: one that was away learns then that its sensors have been tested.
const retold = 7 * 24 * time.Hour

// permits gives what people did about permits to the engines. The cursor and
// what the engines know then become durable together, so that each act is given
// once, whenever this process is killed.
func (i *Ingest) permits(ctx context.Context, now time.Time) {
	acts, err := i.db.PermitActsAfter(ctx, i.core.marks.permits, 100)
	if err != nil {
		return // the next write says so
	}
	for _, a := range acts {
		i.core.permit(a, now)
	}
}

// permit gives one act to the engine of its factory.
func (c *core) permit(a state.PermitAct, now time.Time) {
	c.marks.permits, c.marks.permitsNew, c.batch.acted = a.ID, true, true
	var ts []safety.Transition
	err := errors.New("the server's rules do not fit the site: import one that they fit and open another permit")
	if engine := c.engines[a.Factory]; engine != nil {
		ts, err = engine.Act(a)
	}
	c.transitions(ts)
	if a.Kind == state.PermitOpened {
		c.batch.permits = append(c.batch.permits, outcome(a, err, now))
	}
	if err != nil {
		c.log.Error("what was done about a permit has no effect", "factory", a.Factory, "permit", a.Permit.ID, "kind", string(a.Kind), "err", err)
	}
	if s := c.reg.sites[a.Factory]; s != nil {
		for _, g := range s.Gateways {
			c.untold[gatewayKey{a.Factory, g.ID}] = true
		}
	}
}

func outcome(a state.PermitAct, err error, now time.Time) state.PermitOutcome {
	o := state.PermitOutcome{ID: a.Permit.ID, At: now}
	if err != nil {
		o.Refused = err.Error()
	}
	return o
}

// ruleIsolated is the rule of pack system by which a gateway says that it
// isolates a sensor.
const ruleIsolated = "sensor-isolated"

// permitTaken notes the word of a gateway that it took a permit: until then its
// own alarms see the sensor.
func (c *core) permitTaken(t safety.Transition) {
	if t.Rule == ruleIsolated && t.To == safety.Firing {
		c.batch.taken = append(c.batch.taken, state.PermitTaken{Factory: t.Factory, Gateway: t.Source, Sensor: t.Sensor, At: t.At})
	}
}

// act gives an act to one engine. It holds from when the person did it: what an
// engine has seen before stays judged as it was.
func act(e *rules.Engine, a state.PermitAct) ([]safety.Transition, error) {
	at := maxTime(a.At, e.Elapsed())
	switch a.Kind {
	case state.PermitOpened:
		return e.Permit(a.Permit, at)
	case state.PermitEnded:
		return e.EndPermit(a.Permit.ID, at), nil
	case state.PermitTested:
		return e.SelfTested(a.Sensor, at), nil
	}
	return nil, fmt.Errorf("act %q: %w", a.Kind, safety.ErrInvalid)
}

// tellPermits tells gateways that have just come, or whose permits changed, all
// that they have to know of them: the broker may have lost what they were told
// before. Until the state and the broker take it, it is tried again.
func (i *Ingest) tellPermits(ctx context.Context, now time.Time) {
	if i.core.batch.acted {
		return // nothing is told before it is durable
	}
	for key := range i.core.untold {
		if i.core.reg.gateway(key.factory, key.id) != nil {
			records, err := i.db.PermitsSince(ctx, key.factory, now.Add(-retold))
			if err != nil {
				return // the next write says so
			}
			for _, cmd := range permitCommands(records, i.core.reg.sites[key.factory], key.id, now) {
				i.out.command(key.factory, key.id, cmd)
			}
		}
		delete(i.core.untold, key)
	}
}

// permitCommands is what a gateway has to know of permits now. Their ids are
// always the same, so that it does each once.
func permitCommands(records []safety.PermitRecord, s *site, gateway string, now time.Time) (out []wire.Command) {
	newest := map[string]string{} // permit by sensor
	for _, r := range records {
		for _, id := range r.Sensors {
			if r.AppliedAt != nil && r.Refused == "" {
				newest[id] = r.ID
			}
		}
	}
	for _, r := range records {
		if r.AppliedAt == nil || r.Refused != "" {
			continue
		}
		p := r.Permit
		p.Sensors = slices.DeleteFunc(slices.Clone(p.Sensors), func(id string) bool { return s.sensors[id].Gateway != gateway })
		if len(p.Sensors) == 0 {
			continue
		}
		switch {
		case r.Stands(now):
			out = append(out, wire.Command{ID: r.ID, Kind: wire.CommandPermit, Permit: &p, By: r.OpenedBy, Expires: r.Until})
		case r.EndedAt != nil && now.Before(r.Until):
			out = append(out, wire.Command{ID: r.ID + "-end", Kind: wire.CommandPermitEnd, PermitID: r.ID, By: r.EndedBy, Expires: r.Until})
		}
		cmd := testedCommand(r, func(id string) bool { return s.sensors[id].Gateway == gateway && newest[id] == r.ID })
		if len(cmd.Sensors) > 0 {
			out = append(out, cmd)
		}
	}
	return out
}

func testedCommand(r safety.PermitRecord, mine func(string) bool) wire.Command {
	cmd := wire.Command{Kind: wire.CommandTested, PermitID: r.ID, Expires: r.End().Add(retold)}
	for _, t := range r.Tested {
		if mine(t.Sensor) {
			cmd.Sensors, cmd.By = append(cmd.Sensors, t.Sensor), t.By
		}
	}
	cmd.ID = fmt.Sprintf("%s-tested-%d", r.ID, len(cmd.Sensors))
	return cmd
}
