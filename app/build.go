package app

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"nirapod/alerts"
	"nirapod/alerts/notice"
	"nirapod/dashboard"
	"nirapod/desk"
	"nirapod/ingest"
	"nirapod/internal/broker"
	"nirapod/internal/mqttconn"
	"nirapod/internal/password"
	"nirapod/permit"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

// Files of the data directory.
const (
	serverSecret   = "server.secret"
	deskSecret     = "desk.secret"
	officersSecret = "desk-officers.secret"
)

func (s *Server) buildBroker(context.Context) error {
	var secure *tls.Config
	if s.cfg.Broker.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.cfg.Broker.CertFile, s.cfg.Broker.KeyFile)
		if err != nil {
			return err
		}
		secure = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	b, err := broker.New(broker.Config{
		TLS: secure, Listen: s.cfg.Broker.Listen, StoreDir: filepath.Join(s.cfg.DataDir, "broker"), Auth: s.admit,
	}, s.log.With("part", "broker"))
	if err != nil {
		return err
	}
	s.addr.Broker = b.Addr()
	s.parts = append(s.parts, part{"broker", b.Run})
	s.closers = append(s.closers, b.Close)
	return nil
}

// admit answers for everybody who knocks at the broker.
func (s *Server) admit(username, pw string) ([]wire.Permission, bool) {
	if username == wire.ServerUser {
		return wire.ServerACL(), equal(pw, s.secret)
	}
	c, err := s.db.GatewayCredential(context.Background(), username)
	if err != nil {
		if !errors.Is(err, safety.ErrNotFound) {
			s.log.Error("gateway cannot be looked up", "username", username, "err", err)
		}
		return nil, false
	}
	return wire.GatewayACL(c.Factory, c.Gateway), password.Verify(c.Hash, pw)
}

// buildPeople makes the connection of the roles that serve people: live values
// and wakes come in, commands to gateways go out.
func (s *Server) buildPeople(context.Context) error {
	s.people = mqttconn.New(s.connection("people"), s.log.With("part", "people"))
	s.people.Subscribe(wire.LiveFilter(), 0, func(m mqttconn.Message) {
		if t, err := wire.ParseTopic(m.Topic); err == nil {
			s.hear(t.Factory, m.Payload)
		}
	})
	s.people.Subscribe(wire.WakeFilter(), 0, func(mqttconn.Message) {
		for _, wake := range s.wakers {
			wake()
		}
	})
	s.parts = append(s.parts, part{"broker connection", s.people.Run})
	return nil
}

func (s *Server) buildDesk(ctx context.Context) error {
	token, err := s.deskToken()
	if err != nil {
		return err
	}
	officers, err := s.officersToken()
	if err != nil {
		return err
	}
	l, err := s.listen(s.cfg.Desk.Listen)
	if err != nil {
		return err
	}
	d, err := desk.New(ctx, desk.Config{
		Listener: l, Dir: filepath.Join(s.cfg.DataDir, "desk"), Senders: []desk.Sender{{Name: "nirapod", Token: token}},
		Officers: []desk.Officer{{Name: "dashboard", Token: officers, OneOffice: true}},
	}, s.log.With("part", "desk"))
	if err != nil {
		return err
	}
	s.addr.Desk = l.Addr().String()
	s.parts = append(s.parts, part{"desk", d.Run})
	return nil
}

func (s *Server) deskToken() (string, error) {
	if s.cfg.Desk.TokenFile != "" {
		return readSecret(s.cfg.Desk.TokenFile)
	}
	return secret(s.cfg.DataDir, deskSecret)
}

func (s *Server) officersToken() (string, error) {
	if s.cfg.Desk.OfficersTokenFile != "" {
		return readSecret(s.cfg.Desk.OfficersTokenFile)
	}
	return secret(s.cfg.DataDir, officersSecret)
}

// deskURL is where the desk is reached, "" if nobody said.
func (s *Server) deskURL() string {
	if s.cfg.Desk.URL == "" && s.addr.Desk != "" {
		return "http://" + s.addr.Desk
	}
	return s.cfg.Desk.URL
}

func (s *Server) buildIngest(context.Context) error {
	in := ingest.New(ingest.Config{
		Broker: s.connection("ingest"), Production: s.cfg.Mode == Production, Rules: s.packs,
	}, s.db, s.series, s.metrics, s.log.With("part", "ingest"))
	s.parts = append(s.parts, part{"ingest", in.Run})
	s.ready = append(s.ready, in.Ready)
	return nil
}

// buildAlerts builds the role, which runs here only if it is among the roles:
// a dashboard apart from it still acknowledges through the state.
func (s *Server) buildAlerts(context.Context) error {
	latched := map[string]bool{}
	for _, p := range s.packs {
		for _, r := range p.Rules {
			latched[r.Name] = r.Latch
		}
	}
	token, err := s.deskToken()
	if err != nil {
		return err
	}
	receivers, err := s.cfg.Receivers.Build()
	if err != nil {
		return err
	}
	a, err := alerts.New(alerts.Config{DeskURL: s.deskURL(), DeskToken: token, Receivers: receivers}, alerts.Deps{
		DB: s.db, Latched: func(rule string) bool { return latched[rule] }, Command: s.command, Changed: s.changed, Ledger: s.ledger,
	}, s.log.With("part", "alerts"))
	if err != nil {
		return err
	}
	s.alerts = a
	if s.roles[RoleAlerts] {
		s.parts = append(s.parts, part{"alerts", a.Run})
		s.wakers = append(s.wakers, a.Wake)
	}
	return nil
}

// command publishes a command to a gateway and returns once the broker has it.
func (s *Server) command(ctx context.Context, factory, gateway string, c wire.Command) error {
	payload, err := wire.EncodeCommand(c)
	if err != nil {
		return err
	}
	return s.people.Publish(ctx, mqttconn.Message{Topic: wire.CmdTopic(factory, gateway).String(), Payload: payload, QoS: 1})
}

// changed wakes the dashboard of this process; one in another process looks by
// itself every second.
func (s *Server) changed() {
	if s.dashboard != nil {
		s.dashboard.Wake()
	}
}

func (s *Server) buildDashboard(_ context.Context, page fs.FS) error {
	officers, err := s.officersToken()
	if err != nil {
		return err
	}
	l, err := s.listen(s.cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	s.addr.HTTP = l.Addr().String()
	byName := func(act func(context.Context, string, string, time.Time) (safety.Alert, error)) func(context.Context, state.User, string, time.Time) (safety.Alert, error) {
		return func(ctx context.Context, by state.User, id string, at time.Time) (safety.Alert, error) {
			return act(ctx, by.Name, id, at)
		}
	}
	d := dashboard.New(dashboard.Config{
		Listener: l, Secure: s.cfg.HTTP.Secure, DeskURL: s.deskURL(), DeskToken: officers,
	}, dashboard.Deps{
		DB: s.db, Series: s.series, Page: page,
		Acknowledge: byName(s.alerts.Acknowledge), Reset: byName(s.alerts.Reset),
		Permits: permit.NewOffice(s.db, s.packs),
		Delays:  alerts.Delays, Paper: notice.HTML, Print: notice.PDF, Ready: s.isReady, Now: time.Now,
		Head: s.head, Evidence: s.evidence,
		Metrics: promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}),
	}, s.log.With("part", "dashboard"))
	s.hear = func(factory string, payload []byte) {
		live, err := wire.DecodeLive(payload)
		if err != nil {
			s.log.Warn("live values", "factory", factory, "err", err)
			return
		}
		d.Live(factory, live)
	}
	s.dashboard = d
	s.parts = append(s.parts, part{"dashboard", d.Run})
	return nil
}

// isReady returns the first reason why the server cannot do its work yet.
func (s *Server) isReady() error {
	if s.people != nil && !s.people.Online() {
		return errors.New("no connection to the broker")
	}
	for _, check := range s.ready {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}
