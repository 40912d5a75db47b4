package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"nirapod/gateway-agent/clock"
	"nirapod/rules"
	"nirapod/safety"
)

// Agent is one gateway. New builds it, Run runs it.
type Agent struct {
	cfg     Config
	version string
	log     *slog.Logger
	run     string // random, names this process's records

	clock   *clock.Clock
	core    *core
	outputs *outputs
	journal *journal
	keeper  *keeper
	devices []func(context.Context) error
	close   []io.Closer
}

// New builds an agent from a checked configuration and, before anything that
// can fail, drives the outputs as the run before left them: a crash must not
// silence a sounder. It opens nothing else that is wired: buses open at their
// first use. version is shown to people.
func New(cfg Config, version string, log *slog.Logger) (*Agent, error) {
	a := &Agent{cfg: cfg, version: version, log: log.With("gateway", cfg.Gateway)}
	if err := a.build(); err != nil {
		return nil, errors.Join(err, a.shut())
	}
	return a, nil
}

func (a *Agent) build() error {
	var err error
	if a.clock, err = clock.New(a.cfg.Clock, a.log); err != nil {
		return err
	}
	a.core = newCore(&a.cfg, a.clock, a.log)
	a.core.restoreOutputs(a.stateDir())
	if err := a.wire(); err != nil {
		return err
	}
	a.outputs.set(a.core.ann.Outputs())
	if err := errors.Join(a.outputs.assert()); err != nil {
		a.log.Error("outputs cannot be driven yet", "err", err)
	}

	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return err
	}
	a.run = hex.EncodeToString(id[:])
	if err := os.MkdirAll(a.stateDir(), 0o700); err != nil {
		a.log.Error("states cannot be kept", "err", err) // and the agent goes on
	}
	a.keeper = newKeeper(a.stateDir(), a.fault(partStates), a.log)
	if a.core.engine, err = a.cfg.engine(a.log); err != nil {
		return err
	}
	a.journal = newJournal(newRecent(a.stateDir(), a.core.engine.Window()), a.keepRules, a.fault(partSpool), a.log)
	a.core.keeper, a.core.journal = a.keeper, a.journal
	a.core.restoreRules(a.stateDir())
	return nil
}

func (a *Agent) stateDir() string { return filepath.Join(a.cfg.DataDir, "state") }

// fault returns what a part calls at its first state, when it breaks and when it
// is sound again.
func (a *Agent) fault(p part) func(bool) {
	return func(broken bool) {
		select {
		case a.core.faults <- fault{p, broken}:
		default: // the core is far behind; the part's own log line stands
		}
	}
}

func (a *Agent) keepRules(data []byte, sync bool) { a.keeper.keep(rulesFile, data, sync) }

// engine binds the rule packs to what is wired here.
func (c *Config) engine(log *slog.Logger) (*rules.Engine, error) {
	fsys := rules.Shipped
	if c.RulesDir != "" {
		fsys = os.DirFS(c.RulesDir)
	}
	packs, err := rules.Load(fsys, "*.yml")
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	engine, err := rules.New(packs, c.plant(), rules.Gateway, c.Gateway)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	for _, why := range engine.Unbound() {
		log.Debug("rule is not bound", "why", why)
	}
	return engine, nil
}

// Check reports what would keep an agent with this configuration from
// starting, beyond what Load finds: rules that cannot be loaded or bound. undecided
// says, for people, what rules for gateways cannot be decided here, and why.
func (c *Config) Check(log *slog.Logger) (undecided []string, err error) {
	engine, err := c.engine(log)
	if err != nil {
		return nil, err
	}
	return engine.Unbound(), nil
}

// plant is what the rules see of the configuration.
func (c *Config) plant() rules.Plant {
	p := rules.Plant{Factory: c.Factory, Zones: c.Zones, Hazards: c.Hazards, Limits: c.Limits}
	for _, s := range c.Sensors {
		p.Sensors = append(p.Sensors, safety.Sensor{
			ID: s.ID, Gateway: c.Gateway, Zone: s.Zone, Quantity: s.Quantity, Grade: s.Grade, Class: s.Class,
			Period: s.Period, LifeSafety: s.LifeSafety, Group: s.Group,
		})
	}
	return p
}

// Run reads, judges, sounds and reports until ctx ends; it returns ctx.Err()
// then. The outputs stay as they are. Run may be called once.
func (a *Agent) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, a.shut()) }()
	a.log.Info("running", "version", a.version, "run", a.run, "mode", string(a.cfg.Mode),
		"sensors", len(a.cfg.Sensors), "rules", a.core.engine.Version())
	g, ctx := errgroup.WithContext(ctx)
	for _, part := range append(a.devices, a.outputs.run, a.core.run, a.keeper.run, a.clock.Run, a.report) {
		g.Go(func() error { return part(ctx) })
	}
	return g.Wait()
}

func (a *Agent) shut() error {
	var errs []error
	for _, c := range a.close {
		errs = append(errs, c.Close())
	}
	a.close = nil
	return errors.Join(errs...)
}
