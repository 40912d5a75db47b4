package sim

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// line is the TCP side of a converter to RS-485. An answer that comes in time
// goes to the client that asked. One that comes late goes to whoever connected
// last: the converter passes on what it hears, and RTU frames have no number
// that would tell whose it is.
type line struct {
	mu      sync.Mutex
	clients []io.Writer // in the order in which they came; guarded by mu
}

func (l *line) join(w io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clients = append(l.clients, w)
}

func (l *line) leave(w io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clients = slices.DeleteFunc(l.clients, func(c io.Writer) bool { return c == w })
}

func (l *line) answer(w io.Writer, reply []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := w.Write(reply)
	return err
}

// late passes a reply on when nobody waits for it any more.
func (l *line) late(reply []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.clients); n > 0 {
		_, _ = l.clients[n-1].Write(reply) // a client that is gone misses nothing it wants
	}
}

// serial speaks Modbus RTU with one client until its stream ends.
func (s *Server) serial(r *bufio.Reader, w io.Writer) error {
	s.line.join(w)
	defer s.line.leave(w)
	frame := make([]byte, rtuRequest)
	for {
		if _, err := io.ReadFull(r, frame); errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			return err
		}
		reply, after := s.world.Serial(s.elapsed(), frame)
		switch {
		case reply == nil:
			_, _ = r.Discard(r.Buffered()) // what cannot fail: it is there; units fall back into step at the next silence
		case after > 0:
			time.AfterFunc(after, func() { s.line.late(reply) })
		default:
			if err := s.line.answer(w, reply); err != nil {
				return err
			}
		}
	}
}
