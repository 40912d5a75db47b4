package ingest

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/wire"
)

// load reads all that an earlier process made durable.
func (i *Ingest) load(ctx context.Context) error {
	c := newCore(i.cfg.Production, i.metrics, i.log)
	c.firstOf = i.db.FirstAnchor
	i.core = c
	var err error
	if i.epoch, err = i.db.Epoch(ctx); err != nil {
		return err
	}
	own, err := i.db.EngineStates(ctx, "")
	if err != nil {
		return err
	}
	c.marks.restore(own)
	before := c.marks.saved // warm from here: the gateways' backlog begins there
	i.began = time.Now()
	i.clock = startClock(c.marks.saved, i.began.Round(0), 0)
	i.now() // says whether it is in doubt
	progress, err := i.db.ProgressAll(ctx)
	if err != nil {
		return err
	}
	for _, p := range progress {
		key := trackKey{p.Factory, p.Gateway, p.Run, wire.Stream(p.Stream)}
		c.tracks[key] = newTrack(key, spans{p.Upto, p.Ranges})
	}
	if err := i.reloadFrom(ctx, before); err != nil {
		return err
	}
	return i.loadGateways(ctx)
}

func (i *Ingest) loadGateways(ctx context.Context) error {
	all, err := i.db.Gateways(ctx)
	if err != nil {
		return err
	}
	for _, status := range all {
		if i.core.reg.gateway(status.Factory, status.ID) == nil {
			continue
		}
		g := i.core.gateway(gatewayKey{status.Factory, status.ID}, i.now())
		status.Refused = nil                                                  // counted by the state
		g.status, g.written, g.born = status, status.At, status.Version != "" // only a birth says the version
	}
	return nil
}

// reload takes a new version of the registry, if there is one.
func (i *Ingest) reload(ctx context.Context) error {
	version, err := i.db.RegistryVersion(ctx)
	if err != nil || version == i.core.reg.version {
		return err
	}
	// What the engines know must be durable before they are replaced.
	if err := i.flush(ctx); err != nil {
		return err
	}
	return i.reloadFrom(ctx, i.now())
}

func (i *Ingest) reloadFrom(ctx context.Context, warmFrom time.Time) error {
	version, err := i.db.RegistryVersion(ctx)
	if err != nil {
		return err
	}
	sites, err := i.db.Sites(ctx)
	if err != nil {
		return err
	}
	next := newRegistry(version, sites)
	for factory, s := range next.sites {
		old := i.core.reg.sites[factory]
		if old != nil && reflect.DeepEqual(plant(old), plant(s)) {
			continue
		}
		if err := i.bind(ctx, s, warmFrom); err != nil {
			return err
		}
	}
	for factory := range i.core.engines {
		if next.sites[factory] == nil {
			delete(i.core.engines, factory)
		}
	}
	i.core.reg = next
	i.core.dismiss(i.now())
	return nil
}

// bind gives a site its engine. A site that the rules do not fit is that
// factory's trouble alone: people are told, and the rules of the site that it
// was, if this process knows them, stay.
func (i *Ingest) bind(ctx context.Context, s *site, warmFrom time.Time) error {
	factory := s.Factory.ID
	saved, err := i.db.EngineStates(ctx, factory)
	if err != nil {
		return err
	}
	ofRules := i.core.faults.restore(factory, saved)
	engine, err := newWatch(i.cfg.Rules, plant(s))
	i.core.serverFault(faultKey{factory, faultUnbound, ""}, err != nil, i.now())
	if err != nil {
		i.log.Error("the rules do not fit the site", "factory", factory, "old_rules_stay", i.core.engines[factory] != nil, "err", err)
		return nil
	}
	if err := i.warm(ctx, factory, engine, ofRules, warmFrom); err != nil {
		return fmt.Errorf("rules of factory %s: %w", factory, err)
	}
	i.core.engines[factory] = engine
	return nil
}

// warm makes an engine what it was: states from the state, windows from the
// series store.
func (i *Ingest) warm(ctx context.Context, factory string, engine *watch, states map[string][]byte, warmFrom time.Time) error {
	if err := i.forget(ctx, factory, engine, engine.Restore(states)); err != nil {
		return err
	}
	now := i.now()
	if warmFrom.IsZero() || warmFrom.After(now) {
		warmFrom = now
	}
	q := store.Query{
		Factory: factory, From: warmFrom.Add(-engine.Window() - timeEvery - maxFuture), To: now.Add(maxFuture + time.Millisecond),
	}
	return i.series.Query(ctx, q, func(sample store.Sample) error {
		engine.Warm(sample.Reading)
		return nil
	})
}

// forget removes states of rules that are not what they were. A rule whose
// meaning changed starts anew and says by itself how things are; one that is
// bound there no longer never will, and that is told.
func (i *Ingest) forget(ctx context.Context, factory string, engine *watch, dropped []rules.Dropped) error {
	if len(dropped) == 0 {
		return nil
	}
	b := state.Batch{Engine: map[string]map[string][]byte{factory: {}}}
	for _, d := range dropped {
		b.Engine[factory][d.Key] = nil
		if d.Rule == "" || d.State == safety.Inactive {
			continue
		}
		if !engine.Watches(d.Key) {
			b.Transitions = append(b.Transitions, i.unwatched(factory, d))
		}
		i.log.Warn("a rule changed while it was active", "factory", factory, "rule", d.Rule,
			"scope", d.Scope, "state", d.State.String(), "reason", d.Reason)
	}
	return i.db.CommitBatch(ctx, b)
}

// unwatched says that what a rule said at a place does not hold any more.
func (i *Ingest) unwatched(factory string, d rules.Dropped) safety.Transition {
	t := safety.Transition{
		Factory: factory, Source: safety.ServerSource, Point: d.Key, Pack: faultPack, Rule: d.Rule, RuleVersion: faultVersion,
		Hazard: safety.HazardSystem, Class: safety.ClassFault, Severity: safety.Warning, Clause: "no longer watched: " + d.Reason,
		From: d.State, To: safety.Unknown, At: i.now(), Values: map[string]float64{safety.Unwatched: 1},
	}
	for _, p := range i.cfg.Rules {
		for _, r := range p.Rules {
			if r.Name == d.Rule {
				t.Pack, t.Hazard, t.Class, t.Severity = p.Name, r.Hazard, r.Class, r.Severity
			}
		}
	}
	return t
}
