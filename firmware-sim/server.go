package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/firmware-sim/simbus"
)

const (
	// stuckFor is how long a bus that is stuck keeps a client waiting: an
	// adapter's own timeout, shorter than the client's.
	stuckFor = 200 * time.Millisecond
	// longestJump bounds a jump, whose physics are all worked out at once.
	longestJump = 24 * time.Hour
)

// Server runs a World in real time and carries its buses over TCP: each I2C bus
// by its name, "gpio", and "world" for World's clients. A client that speaks
// Modbus RTU instead is on the RS-485 line.
type Server struct {
	world *World
	log   *slog.Logger
	begun time.Time
	ahead atomic.Int64 // ns that jumps have added to the world's time
	line  line         // the RS-485 line

	mu    sync.Mutex
	buses map[string]*sync.Mutex // one transaction at a time; guarded by mu
}

// NewServer returns a server of w, whose time 0 is now.
func NewServer(w *World, log *slog.Logger) *Server {
	return &Server{world: w, log: log, begun: time.Now(), buses: make(map[string]*sync.Mutex)}
}

// Run serves clients on l, which it takes over, until ctx ends; it returns
// ctx.Err() then.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return simbus.ServeBeside(ctx, l, s.bus, s.serial, s.log) })
	g.Go(func() error { return s.keepUp(ctx) })
	return g.Wait()
}

// keepUp lets the world go on while nobody reads it, so that the next reader
// need not wait for hours of physics.
func (s *Server) keepUp(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			s.world.Advance(s.elapsed())
		}
	}
}

func (s *Server) elapsed() time.Duration {
	return time.Since(s.begun) + time.Duration(s.ahead.Load())
}

func (s *Server) jump(now, to time.Duration) error {
	if to < now || to > now+longestJump {
		return fmt.Errorf("cannot jump from %v to %v: only ahead, and at most by %v", now, to, longestJump)
	}
	s.ahead.Add(int64(to - now))
	s.world.Advance(s.elapsed())
	return nil
}

func (s *Server) bus(name string) (simbus.Handler, bool) {
	switch {
	case name == "gpio":
		return simbus.Pins(
			func(pin string) (bool, error) { return s.world.ReadPin(s.elapsed(), pin) },
			func(pin string, level bool) error { return s.world.WritePin(s.elapsed(), time.Now(), pin, level) },
		), true
	case name == "world":
		return s.control, true
	case validBus(name) && s.world.HasBus(name):
		return simbus.I2C(func(addr uint16, w []byte, n int) ([]byte, error) {
			return s.transact(name, addr, w, n)
		}), true
	}
	return nil, false
}

// transact holds the bus for one transaction; one that is stuck holds it for
// as long as an adapter would.
func (s *Server) transact(bus string, addr uint16, w []byte, n int) ([]byte, error) {
	s.mu.Lock()
	wire := s.buses[bus]
	if wire == nil {
		wire = new(sync.Mutex)
		s.buses[bus] = wire
	}
	s.mu.Unlock()
	wire.Lock()
	defer wire.Unlock()
	r, err := s.world.Transact(s.elapsed(), bus, addr, w, n)
	if errors.Is(err, simbus.ErrTimeout) {
		time.Sleep(stuckFor)
	}
	return r, err
}
