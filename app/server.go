package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"nirapod/alerts"
	"nirapod/alerts/ledger"
	"nirapod/dashboard"
	"nirapod/internal/mqttconn"
	"nirapod/internal/yamlfile"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/state/sitefile"
	"nirapod/store"
	"nirapod/wire"
)

// Addresses are where a running server can be reached; "" where it does not
// listen.
type Addresses struct{ HTTP, Desk, Broker, Watch string }

// part is something that works until its context ends.
type part struct {
	name string
	run  func(context.Context) error
}

// Server is built by New and does its work in Run.
type Server struct {
	cfg     Config
	roles   Roles
	log     *slog.Logger
	metrics *prometheus.Registry
	addr    Addresses
	parts   []part
	closers []func() error // run last in, first out

	db     *state.DB
	series store.Store
	packs  []rules.Pack
	secret string                               // of the server's roles at the broker
	trust  *tls.Config                          // whom they accept as the broker; nil = the system's roots
	people *mqttconn.Conn                       // connection of the roles that serve people
	hear   func(factory string, payload []byte) // takes live values
	wakers []func()                             // who wants to know of new transitions
	ready  []func() error

	ledger    *ledger.Ledger
	alerts    *alerts.Alerts
	dashboard *dashboard.Server
}

// New builds every part of the roles and binds their listeners. page may be
// nil unless the dashboard is among them. On an error nothing stays open.
func New(ctx context.Context, cfg Config, roles Roles, page fs.FS, log *slog.Logger) (*Server, error) {
	s := &Server{cfg: cfg, roles: roles, log: log, metrics: prometheus.NewRegistry(), hear: func(string, []byte) {}}
	for _, step := range []struct {
		name  string
		when  bool
		build func(context.Context) error
	}{
		{"state", roles.needState(), s.openState},
		{"sites", roles.needState(), s.importSites},
		{"rules", roles[RoleIngest], s.noteRules},
		{"mosquitto", roles[RoleIngest], s.keepMosquitto},
		{"series", roles.needSeries(), s.openSeries},
		{"broker", roles[RoleBroker], s.buildBroker},
		{"broker connection", roles[RoleAlerts] || roles[RoleDashboard], s.buildPeople},
		{"desk", roles[RoleDesk], s.buildDesk},
		{"ingest", roles[RoleIngest], s.buildIngest},
		{"alerts", roles[RoleAlerts] || roles[RoleDashboard], s.buildAlerts},
		{"dashboard", roles[RoleDashboard], func(ctx context.Context) error { return s.buildDashboard(ctx, page) }},
	} {
		if !step.when {
			continue
		}
		if err := step.build(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", step.name, err), s.Close())
		}
	}
	return s, nil
}

// Addresses returns where the server listens.
func (s *Server) Addresses() Addresses { return s.addr }

// Run starts every part, waits until ctx ends or a part fails, and closes what
// was opened. It returns nil when ctx ended it.
func (s *Server) Run(ctx context.Context) error {
	g, within := errgroup.WithContext(ctx)
	for _, p := range s.parts {
		g.Go(func() error {
			if err := p.run(within); err != nil && within.Err() == nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			return within.Err()
		})
	}
	err := g.Wait()
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, s.Close())
}

// Close closes what New opened, for a server that was never run.
func (s *Server) Close() error {
	var errs []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		errs = append(errs, s.closers[last]())
		s.closers = s.closers[:last]
	}
	return errors.Join(errs...)
}

func (s *Server) openState(ctx context.Context) (err error) {
	if s.packs, err = s.cfg.Packs(); err != nil {
		return err
	}
	if s.db, err = state.Open(ctx, s.cfg.DataDir); err != nil {
		return err
	}
	s.closers = append(s.closers, s.db.Close)
	if s.ledger, err = ledger.Open(s.db, s.cfg.DataDir); err != nil {
		return err
	}
	if s.secret, err = secret(s.cfg.DataDir, serverSecret); err != nil {
		return err
	}
	s.trust, err = trust(s.cfg.Broker.CAFile)
	return err
}

func (s *Server) importSites(ctx context.Context) error {
	warnings, err := importSites(ctx, s.db, s.cfg)
	for _, w := range warnings {
		s.log.Warn("site file", "warning", w.Error())
	}
	return err
}

func (s *Server) keepMosquitto(ctx context.Context) error {
	warning, err := KeepMosquitto(ctx, s.db, s.cfg)
	if warning != "" {
		s.log.Warn("mosquitto", "warning", warning)
	}
	return err
}

// ImportSites makes the site files of cfg the registry in db.
func ImportSites(ctx context.Context, db *state.DB, cfg Config) error {
	_, err := importSites(ctx, db, cfg)
	return err
}

func importSites(ctx context.Context, db *state.DB, cfg Config) (warnings yamlfile.Mistakes, err error) {
	packs, err := cfg.Packs()
	if err != nil {
		return nil, err
	}
	for _, name := range cfg.Sites {
		data, err := os.ReadFile(name)
		if err != nil {
			return warnings, err
		}
		site, _, doubts, err := ReadSite(name, data, packs)
		warnings = append(warnings, doubts...)
		if err != nil {
			return warnings, err
		}
		if site.Factory.Demo && cfg.Mode == Production {
			return warnings, fmt.Errorf("%s: %s is a demonstration and this server is in mode production: %w", name, site.Factory.ID, safety.ErrInvalid)
		}
		if _, err := db.ImportSite(ctx, site, time.Now()); err != nil {
			return warnings, err
		}
	}
	return warnings, nil
}

// ReadSite reads a site file that packs are to watch; name is how messages call
// it. Mistakes of its own and what keeps packs from watching it come as err:
// nothing is imported that would be kept and not watched. changes are its own
// values for limits of the packs.
func ReadSite(name string, data []byte, packs []rules.Pack) (site safety.Site, changes []rules.Change, warnings yamlfile.Mistakes, err error) {
	site, warnings, err = sitefile.Parse(name, data)
	if err != nil {
		return site, nil, warnings, err
	}
	f, err := yamlfile.Parse(name, data, new(safety.Site))
	if err != nil {
		return site, nil, warnings, err
	}
	at := func(i int, field string) string { return fmt.Sprintf("factory.limits[%d].%s", i, field) }
	var mistakes, doubts []error
	_, changes = rules.Own(packs, site.Factory.Limits, func(i int, field, text string) {
		mistakes = append(mistakes, f.Errorf(at(i, field), "%s", text))
	})
	if len(mistakes) > 0 {
		return site, nil, warnings, yamlfile.Join(mistakes...)
	}
	for _, c := range changes {
		if c.Doubt != "" {
			doubts = append(doubts, f.Errorf(at(c.Index, "value"), "%v: %s", c, c.Doubt))
		}
	}
	more, _ := errors.AsType[yamlfile.Mistakes](yamlfile.Join(doubts...))
	warnings = append(warnings, more...)
	if err := bind(site, packs); err != nil {
		return site, changes, warnings, fmt.Errorf("%s: %w", name, err)
	}
	return site, changes, warnings, nil
}

func bind(site safety.Site, packs []rules.Pack) error {
	_, err := rules.New(packs, rules.PlantOf(site), rules.Server, safety.ServerSource)
	return err
}

// listen binds address; closing the server unbinds it if its part never ran.
func (s *Server) listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

// connection is one of the server's own connections to the broker.
func (s *Server) connection(role string) mqttconn.Config {
	address := s.cfg.Broker.URL
	if address == "" && s.cfg.Broker.CertFile != "" {
		address = "tls://" + s.addr.Broker
	} else if address == "" {
		address = "tcp://" + s.addr.Broker
	}
	return mqttconn.Config{URL: address, TLS: s.trust, ClientID: wire.ServerUser + ":" + role + "-" + rand.Text()[:8], Username: wire.ServerUser, Password: s.secret}
}
