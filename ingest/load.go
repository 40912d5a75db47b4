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
	if i.clock.wrong {
		i.saidClock()
	}
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
		engine, err := i.engine(ctx, s, warmFrom)
		switch {
		case err != nil && old == nil:
			return err
		case err != nil:
			i.log.Error("rules cannot be bound to the new site; the rules of the old one stay", "factory", factory, "err", err)
		default:
			i.core.engines[factory] = engine
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

// engine builds the engine of a site as it was: states from the state, windows
// from the series store.
func (i *Ingest) engine(ctx context.Context, s *site, warmFrom time.Time) (*rules.Engine, error) {
	factory := s.Factory.ID
	engine, err := rules.New(i.cfg.Rules, plant(s), rules.Server, safety.ServerSource)
	if err != nil {
		return nil, fmt.Errorf("rules of factory %s: %w", factory, err)
	}
	saved, err := i.db.EngineStates(ctx, factory)
	if err != nil {
		return nil, err
	}
	if err := i.forget(ctx, factory, engine.Restore(i.core.faults.restore(factory, saved))); err != nil {
		return nil, err
	}
	now := i.now()
	if warmFrom.IsZero() || warmFrom.After(now) {
		warmFrom = now
	}
	q := store.Query{
		Factory: factory, From: warmFrom.Add(-engine.Window() - timeEvery - maxFuture), To: now.Add(maxFuture + time.Millisecond),
	}
	err = i.series.Query(ctx, q, func(sample store.Sample) error {
		engine.Warm(sample.Reading)
		return nil
	})
	return engine, err
}

// forget removes states of rules that are not what they were.
func (i *Ingest) forget(ctx context.Context, factory string, dropped []rules.Dropped) error {
	if len(dropped) == 0 {
		return nil
	}
	gone := map[string][]byte{}
	for _, d := range dropped {
		gone[d.Key] = nil
		if d.State == safety.Firing || d.State == safety.Pending {
			i.log.Warn("a rule changed while it was active: it starts anew", "factory", factory, "rule", d.Rule,
				"scope", d.Scope, "state", d.State.String(), "reason", d.Reason)
		}
	}
	return i.db.CommitBatch(ctx, state.Batch{Engine: map[string]map[string][]byte{factory: gone}})
}
