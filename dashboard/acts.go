package dashboard

import (
	"context"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
	"nirapod/state"
)

func (s *Server) alert(c *fiber.Ctx) error {
	a, err := s.deps.DB.As(viewer(c)).Alert(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(a)
}

func (s *Server) incident(c *fiber.Ctx) error {
	i, err := s.deps.DB.As(viewer(c)).Incident(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(i)
}

// paper is the notice of the path with the head of the ledger that holds it.
func (s *Server) paper(c *fiber.Ctx) (safety.Notice, error) {
	n, err := s.deps.DB.As(viewer(c)).Notice(c.UserContext(), c.Params("id"))
	if err != nil {
		return n, err
	}
	n.LedgerHead, err = s.deps.Head(c.UserContext(), n.FactoryID)
	return n, err
}

func (s *Server) notice(c *fiber.Ctx) error {
	n, err := s.paper(c)
	if err != nil {
		return err
	}
	return c.JSON(n)
}

// noticePaper is the notice as a page to print.
func (s *Server) noticePaper(c *fiber.Ctx) error {
	n, err := s.paper(c)
	if err != nil {
		return err
	}
	language := c.Query("lang", sessionOf(c).User.Language)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	// The paper carries its own style and no script. Only our page may frame it.
	c.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; font-src data:; frame-ancestors 'self'; base-uri 'none'")
	return s.deps.Paper(c.Response().BodyWriter(), n, language)
}

// noticePDF is the notice as a file of A4 pages. The file name is not the
// asker's text but the id of a notice that exists.
func (s *Server) noticePDF(c *fiber.Ctx) error {
	n, err := s.paper(c)
	if err != nil {
		return err
	}
	language := c.Query("lang", sessionOf(c).User.Language)
	if err := s.deps.Print(c.Response().BodyWriter(), n, language); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/pdf")
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf("inline; filename=%q", "notice-"+n.ID+".pdf"))
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return nil
}

func (s *Server) acknowledge(c *fiber.Ctx) error { return s.act(c, s.deps.Acknowledge) }

func (s *Server) reset(c *fiber.Ctx) error { return s.act(c, s.deps.Reset) }

// act lets a person act on an alert that they may see.
func (s *Server) act(c *fiber.Ctx, do func(context.Context, state.User, string, time.Time) (safety.Alert, error)) error {
	ctx, id := c.UserContext(), c.Params("id")
	if _, err := s.deps.DB.As(viewer(c)).Alert(ctx, id); err != nil {
		return err
	}
	a, err := do(ctx, sessionOf(c).User, id, s.deps.Now())
	if err != nil {
		return err
	}
	s.Wake()
	return c.JSON(a)
}

// silence refuses to silence an evacuation sounder from afar: nobody may stop
// an evacuation who does not stand in it.
func (s *Server) silence(c *fiber.Ctx) error {
	sites, err := s.deps.DB.As(viewer(c)).Sites(c.UserContext())
	if err != nil {
		return err
	}
	for _, site := range sites {
		for _, out := range site.Outputs {
			if out.ID != c.Params("id") {
				continue
			}
			if out.Kind == "evacuate" {
				return refuse(fiber.StatusForbidden, fmt.Sprintf(
					"%s is an evacuation sounder: it is silenced only on site, with the panel key at gateway %s, and not in its first 5 minutes", out.ID, out.Gateway))
			}
			return refuse(fiber.StatusConflict, fmt.Sprintf(
				"%s falls silent when somebody acknowledges: press the button at gateway %s, or acknowledge the alarm", out.ID, out.Gateway))
		}
	}
	return fmt.Errorf("sounder %q: %w", c.Params("id"), safety.ErrNotFound)
}
