package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/gateway-agent/forward"
	"nirapod/gateway-agent/spool"
	"nirapod/safety"
	"nirapod/wire"
)

const (
	// reopenSpool is how long after a failure the spool is opened again.
	reopenSpool = 5 * time.Second
	// watchUplink is how often it is asked whether the server commits.
	watchUplink = 5 * time.Second
)

// report keeps the spool and sends what is in it until ctx ends. Nothing that
// goes wrong here stops the agent: records wait in memory meanwhile.
func (a *Agent) report(ctx context.Context) error {
	broken := a.fault(partReport)
	for {
		err := a.reportOnce(ctx, broken)
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		broken(true)
		a.log.Error("spool or uplink cannot be opened", "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(reopenSpool):
		}
	}
}

func (a *Agent) reportOnce(ctx context.Context, broken func(bool)) error {
	sp, err := spool.Open(filepath.Join(a.cfg.DataDir, "spool"), spool.Config{Run: a.run, Boot: a.clock.Boot()}, a.log)
	if err != nil {
		return err
	}
	broken(false)
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error { return a.journal.run(inner, sp) })
	g.Go(func() error { return sp.Run(inner) })
	g.Go(func() error { return a.uplink(inner, sp) })
	err = g.Wait()
	if ctx.Err() != nil {
		err = nil // told to stop: what each part returned is that
	}
	return errors.Join(err, sp.Close())
}

// uplink forwards, once there is a password, and a certificate if one is named.
func (a *Agent) uplink(ctx context.Context, sp *spool.Spool) error {
	broken := a.fault(partUplink)
	password, trust, err := a.cfg.Broker.way()
	if err != nil {
		broken(true)
		a.log.Error("no way to the broker", "err", err)
	}
	for err != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(reopenSpool):
		}
		password, trust, err = a.cfg.Broker.way()
	}
	f, err := forward.New(a.forwarding(password, trust), sp, a.log)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.Run(ctx) })
	g.Go(func() error { return a.watch(ctx, f, broken) })
	return g.Wait()
}

func (a *Agent) forwarding(password string, trust *tls.Config) forward.Config {
	units := map[string]safety.Unit{}
	for _, s := range a.cfg.Sensors {
		units[s.ID] = s.Quantity.Unit()
	}
	return forward.Config{
		Factory: a.cfg.Factory, Gateway: a.cfg.Gateway, URL: a.cfg.Broker.URL, Password: password, TLS: trust,
		Run: a.run, Boot: a.clock.Boot(), Units: units,
		Mono: a.clock.Mono, Wall: a.clock.Wall, Birth: a.birth,
		Command: func(c wire.Command) {
			select {
			case a.core.commands <- c:
			default:
				a.log.Warn("command dropped: too many at once", "id", c.ID)
			}
		},
	}
}

// watch raises a fault while the server does not commit, and announces the
// gateway again when there is a new anchor.
func (a *Agent) watch(ctx context.Context, f *forward.Forwarder, broken func(bool)) error {
	t := time.NewTicker(watchUplink)
	defer t.Stop()
	stalled := false
	newest := newestAnchor(a.clock.Anchors())
	broken(false)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		if s := f.Stalled(); s != stalled {
			stalled = s
			broken(s)
			a.log.Warn("uplink changed", "stalled", s)
		}
		if id := newestAnchor(a.clock.Anchors()); id != newest {
			newest = id
			f.Announce()
		}
	}
}

func newestAnchor(as []wire.Anchor) string {
	if len(as) == 0 {
		return ""
	}
	return as[len(as)-1].ID
}

// birth says what this gateway is.
func (a *Agent) birth() wire.Birth {
	mono := a.clock.Mono()
	at, _ := a.clock.Wall(mono)
	b := wire.Birth{
		Version: a.version, Mono: mono, Clock: a.clock.State(), At: at, Anchors: a.clock.Anchors(),
		Flags: a.cfg.flags(), Rules: a.core.engine.Version(),
	}
	for _, s := range a.cfg.Sensors {
		b.Sensors = append(b.Sensors, wire.BirthSensor{ID: s.ID, Quantity: s.Quantity, PeriodMS: s.Period.Milliseconds()})
	}
	return b
}
