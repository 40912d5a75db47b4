package forward

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// ident names a record.
type ident struct {
	run    string
	stream wire.Stream
	seq    uint64
}

// server stores what it decodes and answers with commits.
type server struct {
	t     testing.TB
	epoch string

	mu     sync.Mutex
	stored map[ident]string // guarded by mu
	gone   map[ident]string // guarded by mu
	passed map[string]spans // by run and stream, guarded by mu
	packs  []wire.Pack      // guarded by mu
	silent bool             // guarded by mu
}

func newTestServer(t testing.TB) *server {
	return &server{t: t, epoch: "e1", stored: map[ident]string{}, gone: map[ident]string{}, passed: map[string]spans{}}
}

// content is what identity must always stand for: it does not change between
// sendings.
func content(p wire.Pack, r wire.Record) string {
	when := fmt.Sprint(r.At.UnixMilli())
	if p.Clock == wire.Unsynced {
		when = fmt.Sprintf("%s+%d", p.Boot, p.Mono+r.Offset.Milliseconds())
	}
	if t := r.Transition; t != nil {
		return fmt.Sprint(when, " ", t.Rule, " ", t.From, " ", t.To, " ", t.Values)
	}
	q := r.Reading
	return fmt.Sprint(when, " ", q.Sensor, " ", q.Value, " ", q.Quality, " ", q.Reason, " ", q.Flags)
}

// receive stores a message's pack and returns the commit, false if there is
// none to send.
func (s *server) receive(topic string, payload []byte) (wire.Commit, bool) {
	where, err := wire.ParseTopic(topic)
	if err != nil {
		s.t.Errorf("topic %s: %v", topic, err)
		return wire.Commit{}, false
	}
	if where.Kind != wire.KindPack {
		return wire.Commit{}, false
	}
	p, err := wire.Decode(where, payload)
	if err != nil {
		s.t.Errorf("pack on %s: %v", topic, err)
		return wire.Commit{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.packs = append(s.packs, p)
	key := p.Run + "/" + string(p.Stream)
	for i, r := range p.Records {
		id := ident{p.Run, p.Stream, p.First + uint64(i)}
		is := content(p, r)
		if was, repeated := s.stored[id]; repeated && was != is {
			s.t.Errorf("%v was %q and is %q", id, was, is)
		}
		s.stored[id] = is
		s.passed[key] = s.passed[key].add(safety.Span{From: id.seq, To: id.seq})
	}
	for _, g := range p.Gone {
		for n := g.Span.From; n <= g.Span.To; n++ {
			s.gone[ident{p.Run, p.Stream, n}] = g.Reason
		}
		s.passed[key] = s.passed[key].add(g.Span)
	}
	c := wire.Commit{Run: p.Run, Stream: p.Stream, Epoch: s.epoch}
	for _, x := range s.passed[key] {
		if x.From == 1 {
			c.Upto = x.To
		} else if len(c.Ranges) < wire.MaxRanges {
			c.Ranges = append(c.Ranges, x)
		}
	}
	return c, !s.silent
}

func (s *server) count(stream wire.Stream) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for id := range s.stored {
		if id.stream == stream {
			n++
		}
	}
	return n
}

func (s *server) sent(stream wire.Stream) []wire.Pack {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []wire.Pack
	for _, p := range s.packs {
		if p.Stream == stream {
			out = append(out, p)
		}
	}
	return out
}

func (s *server) silence(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = yes
}

const (
	testBoot = "8071aab6-5a8b-445b-865e-7a2c9134fe05"
	oldBoot  = "d2b7c0a4-0c1e-4f0e-8d5a-3a7f5f1f2b60"
)

func runName(n int) string { return fmt.Sprintf("%016x", n) }

// testConfig is a gateway whose clocks run with time.Now, which was booted
// at began. wall false: the clock is not set.
func testConfig(run int, began time.Time, wall bool) Config {
	return Config{
		Factory: "padma", Gateway: "gw-1", Run: runName(run), Boot: testBoot,
		Units: map[string]safety.Unit{"store-heat": "Cel"},
		Mono:  func() int64 { return time.Since(began).Milliseconds() },
		Wall: func(mono int64) (time.Time, string) {
			if !wall {
				return time.Time{}, ""
			}
			return began.Add(time.Duration(mono) * time.Millisecond).UTC().Truncate(time.Millisecond), "a1"
		},
		Birth: func() wire.Birth {
			return wire.Birth{Version: "test", Clock: wire.Unsynced,
				Sensors: []wire.BirthSensor{{ID: "store-heat", Quantity: safety.Temperature, PeriodMS: 1000}}}
		},
		Command: func(wire.Command) {},
	}
}
