package dashboard

import (
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
	"nirapod/state"
)

// evidence serves an incident's evidence as an archive; full=true with a purpose
// asks for the texts that name people.
func (s *Server) evidence(c *fiber.Ctx) error {
	ctx := c.UserContext()
	incident, err := s.deps.DB.As(viewer(c)).Incident(ctx, c.Params("id"))
	if err != nil {
		return err
	}
	full := c.Query("full", "false")
	if full != "true" && full != "false" {
		return refuse(fiber.StatusBadRequest, "full: want true or false")
	}
	err = s.deps.Evidence(ctx, c.Response().BodyWriter(), sessionOf(c).User, incident.ID, full == "true", c.Query("purpose"))
	if err != nil {
		c.Response().ResetBody()
		return err
	}
	c.Set(fiber.HeaderContentType, "application/zip")
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", "evidence-"+incident.ID+".zip"))
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return nil
}

// deskHeads serves the heads of the factories' ledgers that DIFE's desk holds
// for the officer's office, with every fault found in them.
func (s *Server) deskHeads(c *fiber.Ctx) error {
	var page state.Page[safety.HeldHead]
	if err := s.askDesk(c, question{method: fiber.MethodGet, path: "/v1/heads", query: url.Values{}}, &page); err != nil {
		return err
	}
	office := sessionOf(c).User.Office
	for _, found := range page.Items {
		if found.Office != office {
			s.log.Error("the desk answered with another office's ledger", "asked", office, "got", found.Office, "factory", found.FactoryID)
			return errNoDesk
		}
	}
	return c.JSON(page)
}
