package dashboard

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"nirapod/permit"
	"nirapod/safety"
	"nirapod/state"
)

func (s *Server) permits(c *fiber.Ctx) error {
	filter := state.PermitFilter{Open: c.QueryBool("open")}
	return pages(s, c, func(ctx context.Context, v *state.View, cursor string, limit int) (state.Page[safety.PermitRecord], error) {
		return v.Permits(ctx, filter, cursor, limit)
	})
}

func (s *Server) permit(c *fiber.Ctx) error {
	r, err := s.deps.DB.As(viewer(c)).Permit(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(r)
}

// isolate opens a permit for a sensor, and for others of its zone that the same
// work needs isolated.
func (s *Server) isolate(c *fiber.Ctx) error {
	var in struct {
		Work       safety.Work `json:"work"`
		Zone       string      `json:"zone_id"`
		Sensors    []string    `json:"sensor_ids"`
		Until      time.Time   `json:"until"`
		IssuedBy   string      `json:"issued_by"`
		AcceptedBy string      `json:"accepted_by"`
		Watch      string      `json:"watch"`
		Reason     string      `json:"reason"`
	}
	if err := c.BodyParser(&in); err != nil {
		return refuse(fiber.StatusBadRequest,
			`a sensor is isolated under a permit only: send {"zone_id", "work", "issued_by", "accepted_by", "watch", "until", "reason"} as JSON, and "sensor_ids" for others of the zone`)
	}
	factory, err := s.sensorOf(c)
	if err != nil {
		return err
	}
	sensors := []string{c.Params("id")}
	for _, id := range in.Sensors {
		if !slices.Contains(sensors, id) {
			sensors = append(sensors, id)
		}
	}
	r, err := s.deps.Permits.Open(c.UserContext(), factory, sessionOf(c).User.Name, permit.Request{
		Work: in.Work, Zone: in.Zone, Sensors: sensors, Until: in.Until, IssuedBy: in.IssuedBy, AcceptedBy: in.AcceptedBy, Watch: in.Watch, Reason: in.Reason,
	}, s.deps.Now())
	if err != nil {
		return err
	}
	s.Wake()
	return c.Status(fiber.StatusCreated).JSON(r)
}

// sensorOf returns the factory of the sensor that the path names, if the asker
// may see it.
func (s *Server) sensorOf(c *fiber.Ctx) (factory string, err error) {
	sites, err := s.deps.DB.As(viewer(c)).Sites(c.UserContext())
	if err != nil {
		return "", err
	}
	factory, found := owner(sites, c.Params("id"), "")
	if !found {
		return "", fmt.Errorf("sensor %q: %w", c.Params("id"), safety.ErrNotFound)
	}
	return factory, nil
}

func (s *Server) endPermit(c *fiber.Ctx) error {
	seen, err := s.deps.DB.As(viewer(c)).Permit(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	r, err := s.deps.Permits.End(c.UserContext(), seen.FactoryID, seen.ID, sessionOf(c).User.Name, s.deps.Now())
	if err != nil {
		return err
	}
	s.Wake()
	return c.JSON(r)
}

// tested takes the word that a sensor was tested after its permit.
func (s *Server) tested(c *fiber.Ctx) error {
	factory, err := s.sensorOf(c)
	if err != nil {
		return err
	}
	done, err := s.deps.Permits.Tested(c.UserContext(), factory, c.Params("id"), sessionOf(c).User.Name, s.deps.Now())
	if err != nil {
		return err
	}
	s.Wake()
	return c.JSON(state.Page[safety.PermitRecord]{Items: done})
}

// openPermits are those that a page shows: they stand, or ask for a test.
func openPermits(ctx context.Context, view *state.View) ([]safety.PermitRecord, error) {
	open := []safety.PermitRecord{}
	for cursor := ""; ; {
		page, err := view.Permits(ctx, state.PermitFilter{Open: true}, cursor, maxPage)
		if err != nil {
			return nil, err
		}
		open = append(open, page.Items...)
		if page.Next == nil {
			return open, nil
		}
		cursor = *page.Next
	}
}
