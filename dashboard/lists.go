package dashboard

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
)

const (
	maxPage     = 200
	maxReadings = 20_000
)

// parts serves a list that is one part of all the asker's pictures.
func parts[T any](s *Server, c *fiber.Ctx, part func(picture) []T) error {
	drawn, _, err := s.pictures(c.UserContext(), s.deps.DB.As(viewer(c)), s.deps.Now())
	if err != nil {
		return err
	}
	return c.JSON(state.Page[T]{Items: collect(drawn, part)})
}

func (s *Server) factories(c *fiber.Ctx) error {
	return parts(s, c, func(p picture) []factoryView { return []factoryView{p.factory} })
}

func (s *Server) zones(c *fiber.Ctx) error {
	return parts(s, c, func(p picture) []zoneView { return p.zones })
}

func (s *Server) sensors(c *fiber.Ctx) error {
	return parts(s, c, func(p picture) []sensorView { return p.sensors })
}

func (s *Server) gateways(c *fiber.Ctx) error {
	return parts(s, c, func(p picture) []gatewayView { return p.gateways })
}

// readings serves the history of one sensor, from inclusive, to exclusive.
func (s *Server) readings(c *fiber.Ctx) error {
	from, errFrom := time.Parse(time.RFC3339, c.Query("from"))
	to, errTo := time.Parse(time.RFC3339, c.Query("to"))
	if errFrom != nil || errTo != nil || !to.After(from) {
		return refuse(fiber.StatusBadRequest, "from and to: want RFC 3339 times, from before to")
	}
	sites, err := s.deps.DB.As(viewer(c)).Sites(c.UserContext())
	if err != nil {
		return err
	}
	factory, found := owner(sites, c.Query("sensor"), c.Query("factory"))
	if !found {
		return fmt.Errorf("sensor %q: %w", c.Query("sensor"), safety.ErrNotFound)
	}
	items := []readingView{}
	q := store.Query{Factory: factory, Sensors: []string{c.Query("sensor")}, From: from, To: to}
	err = s.deps.Series.Query(c.UserContext(), q, func(sample store.Sample) error {
		if len(items) == maxReadings {
			return refuse(fiber.StatusBadRequest, fmt.Sprintf("more than %d readings: ask for a shorter time", maxReadings))
		}
		items = append(items, viewReading(sample.Reading))
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(state.Page[readingView]{Items: items})
}

// owner finds the factory of a sensor among the asker's sites; sensor ids are
// unique only within a factory, so an officer may have to name it.
func owner(sites []safety.Site, sensor, factory string) (string, bool) {
	for _, site := range sites {
		if factory != "" && site.Factory.ID != factory {
			continue
		}
		for _, s := range site.Sensors {
			if s.ID == sensor {
				return site.Factory.ID, true
			}
		}
	}
	return "", false
}

func (s *Server) alerts(c *fiber.Ctx) error {
	filter := state.AlertFilter{State: safety.AlertState(c.Query("state")), Class: safety.Class(c.Query("class")), Incident: c.Query("incident")}
	return pages(s, c, func(ctx context.Context, v *state.View, cursor string, limit int) (state.Page[safety.Alert], error) {
		return v.Alerts(ctx, filter, cursor, limit)
	})
}

func (s *Server) incidents(c *fiber.Ctx) error {
	filter := state.IncidentFilter{State: c.Query("state")}
	return pages(s, c, func(ctx context.Context, v *state.View, cursor string, limit int) (state.Page[safety.Incident], error) {
		return v.Incidents(ctx, filter, cursor, limit)
	})
}

func (s *Server) notices(c *fiber.Ctx) error {
	filter := state.NoticeFilter{Status: safety.NoticeStatus(c.Query("status"))}
	return pages(s, c, func(ctx context.Context, v *state.View, cursor string, limit int) (state.Page[safety.Notice], error) {
		return v.Notices(ctx, filter, cursor, limit)
	})
}

// pages serves one page of a list, as limit and cursor ask.
func pages[T any](s *Server, c *fiber.Ctx, read func(ctx context.Context, v *state.View, cursor string, limit int) (state.Page[T], error)) error {
	limit := 0
	if word := c.Query("limit"); word != "" {
		var err error
		if limit, err = strconv.Atoi(word); err != nil || limit < 1 || limit > maxPage {
			return refuse(fiber.StatusBadRequest, fmt.Sprintf("limit %q: want 1 to %d", word, maxPage))
		}
	}
	found, err := read(c.UserContext(), s.deps.DB.As(viewer(c)), c.Query("cursor"), limit)
	if err != nil {
		return err
	}
	return c.JSON(found)
}
