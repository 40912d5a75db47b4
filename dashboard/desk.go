package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
	"nirapod/state"
)

// caseFile is a case with its filings whole.
type caseFile struct {
	Case    safety.Case `json:"case"`
	Filings []caseDoc   `json:"filings"`
}

type caseDoc struct {
	safety.CaseFiling
	Doc json.RawMessage `json:"doc"` // the filing as it arrived
}

// deskQueue serves the cases of the officer's office, what presses most first.
func (s *Server) deskQueue(c *fiber.Ctx) error {
	var page state.Page[safety.Case]
	query := url.Values{}
	if cursor := c.Query("cursor"); cursor != "" {
		query.Set("cursor", cursor)
	}
	err := s.askDesk(c, question{method: fiber.MethodGet, path: "/v1/cases", query: query}, &page)
	if err != nil {
		return err
	}
	if err := s.within(c, page.Items...); err != nil {
		return err
	}
	return c.JSON(page)
}

func (s *Server) deskCase(c *fiber.Ctx) error {
	path, err := casePath(c)
	if err != nil {
		return err
	}
	var file caseFile
	err = s.askDesk(c, question{method: fiber.MethodGet, path: path, query: which(c)}, &file)
	if err != nil {
		return err
	}
	if err := s.within(c, file.Case); err != nil {
		return err
	}
	return c.JSON(file)
}

// deskSeen tells the desk that this officer has looked at a case. The answer
// says who was first.
func (s *Server) deskSeen(c *fiber.Ctx) error {
	path, err := casePath(c)
	if err != nil {
		return err
	}
	var seen safety.Case
	body := fiber.Map{"officer": sessionOf(c).User.Name}
	err = s.askDesk(c, question{method: fiber.MethodPost, path: path + "/seen", query: which(c), body: body}, &seen)
	if err != nil {
		return err
	}
	if err := s.within(c, seen); err != nil {
		return err
	}
	return c.JSON(seen)
}

// askDesk asks for the officer's own office, never for more.
func (s *Server) askDesk(c *fiber.Ctx, q question, answer any) error {
	q.office = sessionOf(c).User.Office
	err := s.desk.ask(c.UserContext(), q, answer)
	if away := errors.Is(err, errNoDesk); s.desk.away.Swap(away) != away {
		s.log.Warn("DIFE's desk", "failing", away, "err", err)
	}
	return err
}

// within refuses an answer that is of another office, whatever the desk meant.
func (s *Server) within(c *fiber.Ctx, cases ...safety.Case) error {
	office := sessionOf(c).User.Office
	for _, found := range cases {
		if found.Office != office {
			s.log.Error("the desk answered with another office's case", "asked", office, "got", found.Office, "incident", found.IncidentID)
			return errNoDesk
		}
	}
	return nil
}

// casePath is where the desk keeps the case of the path. An incident's id is
// letters and digits; anything else names none.
func casePath(c *fiber.Ctx) (string, error) {
	id := c.Params("id")
	for _, r := range id {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return "", fmt.Errorf("case: %w", safety.ErrNotFound)
		}
	}
	return "/v1/cases/" + id, nil
}

// which passes on whether the real case or the exercise is meant.
func which(c *fiber.Ctx) url.Values {
	if word := c.Query("exercise"); word != "" {
		return url.Values{"exercise": {word}}
	}
	return url.Values{}
}
