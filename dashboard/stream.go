package dashboard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
	"nirapod/state"
)

const (
	beatPeriod    = 5 * time.Second
	writeDeadline = 10 * time.Second // a browser that takes nothing for so long is gone
	resumePage    = 500
)

// stream is the live stream of one browser (text/event-stream). It first sends
// what changed after Last-Event-ID, or after the cursor of the snapshot that the
// browser has just fetched (?after=): nothing falls between the two.
func (s *Server) stream(c *fiber.Ctx) error {
	view := s.deps.DB.As(viewer(c))
	factories, err := view.Factories(c.UserContext())
	if err != nil {
		return err
	}
	client := s.hub.join(factories, slices.Contains(papers, sessionOf(c).User.Role))
	if client == nil {
		return refuse(fiber.StatusServiceUnavailable, "the server is stopping")
	}
	missed, err := s.missed(c, client)
	if err != nil {
		s.hub.leave(client)
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-cache, no-transform")
	c.Set("X-Accel-Buffering", "no")
	conn, token := c.Context().Conn(), tokenHash(presentedToken(c))
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer s.hub.leave(client)
		s.pump(w, conn, missed, client.events, func() bool { return s.stillIn(token) })
	})
	return nil
}

// missed returns the events after Last-Event-ID, oldest first.
func (s *Server) missed(c *fiber.Ctx, to *client) ([]event, error) {
	word := c.Get("Last-Event-ID", c.Query("after"))
	if word == "" {
		return nil, nil
	}
	last, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return nil, refuse(fiber.StatusBadRequest, "after: want the cursor of a snapshot")
	}
	changes, err := s.deps.DB.ChangesAfter(c.UserContext(), last, resumePage)
	if err != nil {
		return nil, err
	}
	if len(changes) == resumePage {
		return []event{{name: "refresh", data: []byte("{}")}}, nil
	}
	changes = slices.DeleteFunc(changes, func(ch state.Change) bool { return !to.sees(ch.Factory, ch.Kind) })
	return changeEvents(changes), nil
}

// stillIn reports whether a login has not ended; trouble with the state is not
// the end of one.
func (s *Server) stillIn(token [32]byte) bool {
	ctx, cancel := context.WithTimeout(context.Background(), beatPeriod)
	defer cancel()
	_, err := s.deps.DB.Session(ctx, token, s.deps.Now())
	return !errors.Is(err, safety.ErrNotFound)
}

// pump writes until the client is cut off, its login ends or a write fails.
func (s *Server) pump(w *bufio.Writer, conn net.Conn, first []event, events <-chan event, stillIn func() bool) {
	beat := time.NewTicker(beatPeriod)
	defer beat.Stop()
	if writeEvent(w, conn, s.timeEvent("hello")) != nil {
		return
	}
	for _, e := range first {
		if writeEvent(w, conn, e) != nil {
			return
		}
	}
	for {
		select {
		case e, open := <-events:
			if !open || writeEvent(w, conn, e) != nil {
				return
			}
		case <-beat.C:
			if !stillIn() || writeEvent(w, conn, s.timeEvent("beat")) != nil {
				return
			}
		}
	}
}

func (s *Server) timeEvent(name string) event {
	return event{name: name, data: fmt.Appendf(nil, `{"server_time":%q}`, s.deps.Now().UTC().Format(timeFormat))}
}

func writeEvent(w *bufio.Writer, conn net.Conn, e event) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeDeadline)); err != nil {
		return err
	}
	if e.id > 0 {
		fmt.Fprintf(w, "id: %d\n", e.id)
	}
	fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.name, e.data)
	return w.Flush()
}

// follow turns changes in the state after cursor into events until ctx ends. It
// is woken by Wake and looks by itself once a second.
func (s *Server) follow(ctx context.Context, cursor int64) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		next, err := s.forward(ctx, cursor)
		if (err != nil) != failing {
			failing = err != nil
			s.log.Warn("following the state", "failing", failing, "err", err)
		}
		cursor = next
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// forward sends everything after cursor and returns the new cursor.
func (s *Server) forward(ctx context.Context, cursor int64) (int64, error) {
	for {
		changes, err := s.deps.DB.ChangesAfter(ctx, cursor, resumePage)
		if err != nil {
			return cursor, err
		}
		for i, e := range changeEvents(changes) {
			s.hub.send(changes[i].Factory, e)
			cursor = changes[i].ID
		}
		if len(changes) < resumePage {
			return cursor, nil
		}
	}
}

// changeEvents are the rows as they are now; a row that changed twice in
// between is sent once.
func changeEvents(changes []state.Change) []event {
	events := make([]event, len(changes))
	for i, ch := range changes {
		events[i] = event{id: ch.ID, name: ch.Kind, data: ch.Doc}
	}
	return events
}
