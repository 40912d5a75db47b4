package dashboard

import (
	"context"
	_ "embed" // the API's description
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"golang.org/x/sync/errgroup"

	"nirapod/permit"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/wire"
)

const (
	maxBody         = 64 << 10
	readTimeout     = 10 * time.Second
	shutdownTimeout = 2 * time.Second
	timeFormat      = "2006-01-02T15:04:05.000Z07:00"
)

//go:embed openapi.yaml
var openAPI []byte

// Config says where and how to serve.
type Config struct {
	Listener net.Listener // bound by the caller, closed by Run
	Secure   bool         // the page is reached over HTTPS only: cookies say so
	// Where officers' pages read DIFE's desk, and the bearer token of an
	// officers' program there; "" = no desk.
	DeskURL, DeskToken string
}

// Deps is what the dashboard needs of others. All functions are safe for
// concurrent use.
type Deps struct {
	DB     *state.DB
	Series store.Store
	Page   fs.FS
	// Acknowledge and Reset act on an alert for a person. They wrap
	// safety.ErrNotFound and safety.ErrConflict.
	Acknowledge func(ctx context.Context, by state.User, alert string, at time.Time) (safety.Alert, error)
	Reset       func(ctx context.Context, by state.User, alert string, at time.Time) (safety.Alert, error)
	Permits     *permit.Office
	// Delays are the times to acknowledge (V1) and to investigate (V2) at a site.
	Delays func(site safety.Site, at time.Time) (v1, v2 time.Duration)
	// Paper writes a notice as a page to print, in language bn or en.
	Paper func(w io.Writer, n safety.Notice, language string) error
	// Print writes a notice as a PDF of A4 pages, in language bn or en.
	Print func(w io.Writer, n safety.Notice, language string) error
	// Head returns the short head of a factory's ledger as it is now.
	Head func(ctx context.Context, factory string) (string, error)
	// Evidence writes an incident's evidence as an archive. full asks for the
	// texts that name people, with the purpose. It wraps safety.ErrNotFound,
	// safety.ErrForbidden and safety.ErrInvalid.
	Evidence func(ctx context.Context, w io.Writer, by state.User, incident string, full bool, purpose string) error
	Ready    func() error // nil when every part of the process works
	Metrics  http.Handler
	Now      func() time.Time
}

// Server serves the HTTP API, the live stream and the page.
type Server struct {
	cfg   Config
	deps  Deps
	log   *slog.Logger
	app   *fiber.App
	desk  *deskClient
	hub   *hub
	limit *loginLimit
	wake  chan struct{}
}

// New returns a server that does nothing until Run.
func New(cfg Config, deps Deps, log *slog.Logger) *Server {
	s := &Server{cfg: cfg, deps: deps, log: log, desk: newDeskClient(cfg), hub: newHub(), limit: newLoginLimit(), wake: make(chan struct{}, 1)}
	s.app = fiber.New(fiber.Config{
		Immutable: true, DisableStartupMessage: true, AppName: "nirapod",
		BodyLimit: maxBody, ReadTimeout: readTimeout, ErrorHandler: answerErrors(log),
	})
	s.app.Use(recover.New(), secureHeaders)
	s.app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok\n") })
	s.app.Get("/readyz", s.ready)
	s.app.Get("/metrics", loopbackOnly, adaptor.HTTPHandler(deps.Metrics))
	s.app.Get("/api/openapi.yaml", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, "application/yaml")
		return c.Send(openAPI)
	})
	api := s.app.Group("/api/v1")
	api.Post("/login", s.login)
	for _, e := range s.endpoints() {
		api.Add(e.method, e.path, s.authenticate, allow(e.roles), e.handle)
	}
	s.app.All("/api/*", s.authenticate, func(*fiber.Ctx) error { return fiber.ErrNotFound })
	s.app.Use(servePage(deps.Page))
	return s
}

// Run serves until ctx ends. Live streams are closed first: a browser would
// otherwise hold the shutdown up.
func (s *Server) Run(ctx context.Context) error {
	if err := s.warm(ctx); err != nil {
		return err
	}
	// Read before the first stream opens: what changes from then on is sent.
	cursor, err := s.deps.DB.LastChange(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.follow(ctx, cursor) })
	g.Go(func() error { return s.app.Listener(s.cfg.Listener) })
	g.Go(func() error {
		<-ctx.Done()
		s.hub.close()
		return errors.Join(ctx.Err(), s.app.ShutdownWithTimeout(shutdownTimeout))
	})
	return g.Wait()
}

// Wake makes the server look for changes in the state now.
func (s *Server) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Live takes the newest values of a factory from the broker.
func (s *Server) Live(factory string, live wire.Live) {
	readings := make([]safety.Reading, len(live.Readings))
	items := make([]readingView, len(live.Readings))
	for i, r := range live.Readings {
		readings[i], items[i] = r.Reading, viewReading(r.Reading)
	}
	s.hub.take(factory, readings)
	data, err := json.Marshal(fiber.Map{"factory_id": factory, "at": live.At, "items": items})
	if err != nil {
		s.log.Error("live values", "factory", factory, "err", err)
		return
	}
	s.hub.send(factory, event{name: "readings", data: data})
}

// warmSpan is how far back the first snapshot looks for newest values.
const warmSpan = 10 * time.Minute

// warm fills the newest values from the series, so that the first snapshot
// after a restart is not blind.
func (s *Server) warm(ctx context.Context) error {
	sites, err := s.deps.DB.Sites(ctx)
	if err != nil {
		return err
	}
	now := s.deps.Now()
	for _, site := range sites {
		q := store.Query{Factory: site.Factory.ID, From: now.Add(-warmSpan), To: now.Add(time.Minute)}
		err := s.deps.Series.Query(ctx, q, func(sample store.Sample) error {
			s.hub.take(site.Factory.ID, []safety.Reading{sample.Reading})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) ready(c *fiber.Ctx) error {
	if err := s.deps.Ready(); err != nil {
		return refuse(fiber.StatusServiceUnavailable, err.Error())
	}
	return c.SendString("ready\n")
}

func loopbackOnly(c *fiber.Ctx) error {
	// What comes through a proxy on this machine comes from elsewhere.
	addr, ok := c.Context().RemoteAddr().(*net.TCPAddr)
	if !ok || !addr.IP.IsLoopback() || c.Get(fiber.HeaderXForwardedFor) != "" || c.Get("Forwarded") != "" {
		return fiber.ErrNotFound
	}
	return c.Next()
}
