package dashboard

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"nirapod/state"
)

// endpoint is one row of the access table: who may knock at which door. The
// table drives the router and the test that knows of no other door.
type endpoint struct {
	method, path string
	roles        []state.Role // who may; nobody is in by default
	handle       fiber.Handler
}

var (
	everyone  = []state.Role{state.Committee, state.Officer, state.Installer}
	papers    = []state.Role{state.Committee, state.Officer}
	committee = []state.Role{state.Committee}
	onSite    = []state.Role{state.Committee, state.Installer}
	officer   = []state.Role{state.Officer}
)

// endpoints is the whole API behind a login.
func (s *Server) endpoints() []endpoint {
	return []endpoint{
		{fiber.MethodPost, "/logout", everyone, s.logout},
		{fiber.MethodGet, "/me", everyone, s.me},
		{fiber.MethodGet, "/snapshot", everyone, s.snapshot},
		{fiber.MethodGet, "/stream", everyone, s.stream},
		{fiber.MethodGet, "/factories", everyone, s.factories},
		{fiber.MethodGet, "/zones", everyone, s.zones},
		{fiber.MethodGet, "/sensors", everyone, s.sensors},
		{fiber.MethodGet, "/gateways", everyone, s.gateways},
		{fiber.MethodGet, "/readings", everyone, s.readings},
		{fiber.MethodGet, "/alerts", everyone, s.alerts},
		{fiber.MethodGet, "/alerts/:id", everyone, s.alert},
		{fiber.MethodPost, "/alerts/:id/ack", committee, s.acknowledge},
		{fiber.MethodPost, "/alerts/:id/reset", committee, s.reset},
		{fiber.MethodPost, "/sounders/:id/silence", committee, s.silence},
		{fiber.MethodGet, "/permits", everyone, s.permits},
		{fiber.MethodGet, "/permits/:id", everyone, s.permit},
		{fiber.MethodPost, "/permits/:id/end", onSite, s.endPermit},
		{fiber.MethodPost, "/sensors/:id/isolate", onSite, s.isolate},
		{fiber.MethodPost, "/sensors/:id/tested", onSite, s.tested},
		{fiber.MethodGet, "/incidents", papers, s.incidents},
		{fiber.MethodGet, "/incidents/:id", papers, s.incident},
		{fiber.MethodGet, "/incidents/:id/timeline", papers, s.timeline},
		{fiber.MethodGet, "/incidents/:id/evidence.zip", papers, s.evidence},
		{fiber.MethodGet, "/notices", papers, s.notices},
		{fiber.MethodGet, "/notices/:id.json", papers, s.notice},
		{fiber.MethodGet, "/notices/:id.html", papers, s.noticePaper},
		{fiber.MethodGet, "/notices/:id.pdf", papers, s.noticePDF},
		{fiber.MethodGet, "/notices/:id", papers, s.notice},
		{fiber.MethodGet, "/desk/queue", officer, s.deskQueue},
		{fiber.MethodGet, "/desk/heads", officer, s.deskHeads},
		{fiber.MethodGet, "/desk/cases/:id", officer, s.deskCase},
		{fiber.MethodPost, "/desk/cases/:id/seen", officer, s.deskSeen},
	}
}

// allow refuses sessions whose role is not among roles.
func allow(roles []state.Role) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !slices.Contains(roles, sessionOf(c).User.Role) {
			return refuse(fiber.StatusForbidden, "your role may not do this")
		}
		return c.Next()
	}
}
