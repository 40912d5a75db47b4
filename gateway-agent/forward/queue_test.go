package forward

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/gateway-agent/spool"
	"nirapod/safety"
	"nirapod/wire"
)

// The model: a gateway with a spool, a channel that loses, repeats and
// reorders in both directions, and a server that stores, crashes and forgets.

const (
	modelWindow = 4
	modelBatch  = 5
	modelRanges = 3                // in a commit
	modelDelay  = 60 * time.Second // a message in the channel is never older
)

type modelRun struct {
	id       string
	current  bool
	from, to uint64 // held
	gone     spans
}

// held reports whether n is a record that the gateway has.
func (r *modelRun) held(n uint64) bool {
	return r.from <= n && n <= r.to && !r.gone.covers(safety.Span{From: n, To: n})
}

type packet struct {
	run  string
	span safety.Span
	gone spans
	at   time.Time
}

type answer struct {
	commit wire.Commit
	at     time.Time
}

// modelServer is what one epoch of the server holds, by run.
type modelServer struct {
	records map[string]spans // durable
	passed  map[string]spans // durable or declared gone
}

func newServer() *modelServer {
	return &modelServer{records: map[string]spans{}, passed: map[string]spans{}}
}

type world struct {
	now      time.Time
	q        *queue
	runs     []*modelRun
	nextRun  int
	up       []packet
	down     []answer
	received []packet // by the server, not yet durable
	epoch    string
	epochs   map[string]*modelServer
	released map[string]map[string]spans // by epoch that committed, by run
	obeyed   map[string]bool             // epochs that this process has deleted for
}

func newWorld() *world {
	w := &world{now: time.Unix(1e9, 0), epochs: map[string]*modelServer{}, released: map[string]map[string]spans{}}
	w.reset()
	w.restart()
	return w
}

// reset replaces the server's state by an empty one.
func (w *world) reset() {
	w.received = nil
	w.epoch = fmt.Sprintf("e%d", len(w.epochs))
	w.epochs[w.epoch] = newServer()
	w.released[w.epoch] = map[string]spans{}
}

// restart begins a new process of the agent on the same spool.
func (w *world) restart() {
	for _, r := range w.runs {
		r.current = false
	}
	w.runs = slices.DeleteFunc(w.runs, func(r *modelRun) bool { return r.from > r.to })
	w.nextRun++
	w.runs = append(w.runs, &modelRun{id: fmt.Sprintf("%016x", w.nextRun), current: true, from: 1})
	w.q = &queue{window: modelWindow, batch: modelBatch, gather: time.Second, retired: map[string]bool{},
		jitter: func(d time.Duration) time.Duration { return d }}
	w.obeyed = map[string]bool{}
	w.hold()
}

func (w *world) hold() {
	var xs []spool.Extent
	for _, r := range w.runs {
		xs = append(xs, spool.Extent{Run: r.id, From: r.from, To: r.to, Current: r.current})
	}
	w.q.hold(w.now, xs)
}

func (w *world) run(id string) *modelRun {
	for _, r := range w.runs {
		if r.id == id {
			return r
		}
	}
	return nil
}

// pump sends all that the queue wants to send now.
func (w *world) pump(t *rapid.T) {
	for range 10 * modelWindow {
		w.hold()
		s, ok, _ := w.q.next(w.now)
		if !ok {
			return
		}
		r := w.run(s.extent.Run)
		p := packet{run: r.id, span: s.span, at: w.now}
		p.span.To = min(p.span.To, p.span.From+modelBatch-1)
		if p.span.From < r.from || p.span.To > r.to {
			t.Fatalf("asked to send %v of %+v", p.span, r)
		}
		for n := p.span.From; n <= p.span.To; n++ {
			if !r.held(n) {
				p.gone = p.gone.add(safety.Span{From: n, To: n})
			}
		}
		w.checkFresh(t, p)
		w.q.launch(w.now, r.id, p.span)
		w.up = append(w.up, p)
		flying := 0
		for _, r := range w.q.runs {
			flying += len(r.flights)
		}
		if flying > modelWindow {
			t.Fatalf("%d packs in flight", flying)
		}
	}
	t.Fatalf("the queue sends without end")
}

// checkFresh fails if p was already in flight, or committed.
func (w *world) checkFresh(t *rapid.T, p packet) {
	for _, r := range w.q.runs {
		if r.Run != p.run {
			continue
		}
		taken := r.covered
		for _, f := range r.flights {
			taken = taken.add(f.span)
		}
		if gap, ok := taken.gap(p.span); !ok || gap != p.span {
			t.Fatalf("sends %v, of which %v is in flight or committed", p.span, taken)
		}
	}
}

// answer gives one of the server's commits to the gateway, which then deletes
// what it may.
func (w *world) answer(t *rapid.T, c wire.Commit) {
	before, heard := w.q.epoch, w.q.heard
	covered := w.q.commit(w.now, c)
	if len(covered) == 0 {
		return
	}
	if c.Epoch != before && w.obeyed[c.Epoch] && w.now.Sub(heard) < stallAfter {
		t.Fatalf("epoch %s was replaced by %s, which was heard %v ago, and is obeyed", c.Epoch, before, w.now.Sub(heard))
	}
	w.obeyed[c.Epoch] = true
	r := w.run(c.Run)
	gap, open := covered.gap(safety.Span{From: r.from, To: r.to})
	upto := r.to
	if open {
		upto = gap.From - 1
	}
	durable := w.epochs[c.Epoch].records[c.Run]
	for n := r.from; n <= upto; n++ {
		one := safety.Span{From: n, To: n}
		if r.held(n) && !durable.covers(one) {
			t.Fatalf("record %d of %s is deleted on commit %+v and is not durable there", n, r.id, c)
		}
		w.released[c.Epoch][c.Run] = w.released[c.Epoch][c.Run].add(one)
	}
	r.from = max(r.from, upto+1)
	if !r.current && r.from > r.to {
		w.runs = slices.DeleteFunc(w.runs, func(x *modelRun) bool { return x == r })
	}
	w.hold()
}

// store makes all that the server received durable, and then commits it.
func (w *world) store() {
	s := w.epochs[w.epoch]
	touched := map[string]bool{}
	for _, p := range w.received {
		touched[p.run] = true
		for n := p.span.From; n <= p.span.To; n++ {
			one := safety.Span{From: n, To: n}
			if !p.gone.covers(one) {
				s.records[p.run] = s.records[p.run].add(one)
			}
			s.passed[p.run] = s.passed[p.run].add(one)
		}
	}
	w.received = nil
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		c := wire.Commit{Run: id, Epoch: w.epoch}
		for _, x := range s.passed[id] {
			if x.From == 1 {
				c.Upto = x.To
			} else if len(c.Ranges) < modelRanges {
				c.Ranges = append(c.Ranges, x)
			}
		}
		w.down = append(w.down, answer{c, w.now})
	}
}

func take[T any](t *rapid.T, from *[]T) (x T, ok bool) {
	if len(*from) == 0 {
		return x, false
	}
	i := rapid.IntRange(0, len(*from)-1).Draw(t, "which")
	x = (*from)[i]
	if !rapid.Bool().Draw(t, "repeat later") {
		*from = slices.Delete(slices.Clone(*from), i, i+1)
	}
	return x, true
}

func (w *world) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"accept": func(t *rapid.T) {
			w.runs[len(w.runs)-1].to += uint64(rapid.IntRange(1, 12).Draw(t, "records"))
			w.pump(t)
		},
		"thin": func(t *rapid.T) {
			r := rapid.SampledFrom(w.runs).Draw(t, "run")
			if r.from <= r.to {
				from := rapid.Uint64Range(r.from, r.to).Draw(t, "from")
				r.gone = r.gone.add(safety.Span{From: from, To: rapid.Uint64Range(from, r.to).Draw(t, "to")})
			}
		},
		"tick": func(t *rapid.T) {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 20_000).Draw(t, "ms")) * time.Millisecond)
			w.up = slices.DeleteFunc(w.up, func(p packet) bool { return w.now.Sub(p.at) > modelDelay })
			w.down = slices.DeleteFunc(w.down, func(a answer) bool { return w.now.Sub(a.at) > modelDelay })
			w.pump(t)
		},
		"connection": func(t *rapid.T) {
			w.q.connect(rapid.Bool().Draw(t, "online"))
			w.pump(t)
		},
		"up": func(t *rapid.T) {
			if p, ok := take(t, &w.up); ok {
				w.received = append(w.received, p)
			}
		},
		"up again": func(t *rapid.T) {
			if p, ok := take(t, &w.up); ok {
				w.received = append(w.received, p)
			}
		},
		"lose": func(t *rapid.T) { take(t, &w.up); take(t, &w.down) },
		"down": func(t *rapid.T) {
			if a, ok := take(t, &w.down); ok {
				w.answer(t, a.commit)
				w.pump(t)
			}
		},
		"store":        func(*rapid.T) { w.store() },
		"crash server": func(*rapid.T) { w.received = nil },
		"reset server": func(t *rapid.T) {
			if rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
				w.reset()
			}
		},
		"restart agent": func(t *rapid.T) {
			if rapid.IntRange(0, 3).Draw(t, "rarely") == 0 {
				w.restart()
			}
		},
	}
}

// heal ends all faults and gives the world time.
func (w *world) heal(t *rapid.T) {
	w.q.connect(true)
	for range 2000 {
		w.now = w.now.Add(time.Second)
		w.pump(t)
		w.received, w.up = append(w.received, w.up...), nil
		w.store()
		for len(w.down) > 0 {
			a := w.down[0]
			w.down = w.down[1:]
			w.answer(t, a.commit)
		}
		if !w.q.uncommitted() {
			return
		}
	}
	t.Fatalf("after 2000 s without faults something is still uncommitted: %+v, epoch %s, queue %+v", w.runs, w.epoch, w.q)
}

func TestWhateverHappensNothingIsLostDoubledOrDeletedTooEarly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		accepted := map[string]uint64{}
		gone := map[string]spans{}
		actions := w.actions()
		actions[""] = func(*rapid.T) {
			for _, r := range w.runs {
				accepted[r.id] = max(accepted[r.id], r.to)
				gone[r.id] = r.gone
			}
		}
		t.Repeat(actions)
		w.heal(t)
		for run, last := range accepted {
			for n := uint64(1); n <= last; n++ {
				one := safety.Span{From: n, To: n}
				ok := w.epochs[w.epoch].records[run].covers(one) || gone[run].covers(one)
				for epoch, runs := range w.released {
					// What an earlier state of the server held and lost is not the gateway's.
					ok = ok || epoch != w.epoch && runs[run].covers(one)
				}
				if !ok {
					t.Fatalf("record %d of run %s is lost", n, run)
				}
			}
		}
	})
}
