package ingest

import (
	"slices"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

const (
	// gapPatience is how long a gap in stream r may hold up what came after it:
	// longer than a gateway takes to resend (5 s).
	gapPatience = 10 * time.Second
	// maxHeld bounds the records of all gateways that wait behind gaps. When it
	// is reached the gap that waits longest is given up.
	maxHeld = 100_000
	// maxPieces bounds the ranges of one run and stream. A pack that would make
	// more is left to be sent again.
	maxPieces = 256
)

type trackKey struct {
	factory, gateway, run string
	stream                wire.Stream
}

// track follows one stream of one run of a gateway.
type track struct {
	key     trackKey
	durable spans // in the state
	taken   spans // durable, or decided in the batch under way

	// In the batch: records that wait for series store and state, those of them
	// that the store has been given, and records that wait for the state only
	// (refused, gone, transitions).
	stored, flying, settled []safety.Span
	commit                  bool // tell the gateway with the next flush

	next  uint64 // stream r: the record that comes next in order
	held  []arrival
	since time.Time // when the first held pack arrived
}

// arrival is a pack, placed in time when it arrived.
type arrival struct {
	pack  wire.Pack
	times []time.Time
}

func newTrack(key trackKey, durable spans) *track {
	return &track{key: key, durable: durable, taken: durable.clone(), next: durable.last() + 1}
}

// skip takes the declared gaps of p into the batch and returns how many
// records are newly gone.
func (t *track) skip(p wire.Pack) (gone uint64) {
	for _, g := range p.Gone {
		for _, span := range t.taken.without(g.Span) {
			gone += span.To - span.From + 1
			t.settled = append(t.settled, span)
			t.taken.add(span)
		}
		if g.Span.From <= t.next && t.next <= g.Span.To {
			t.next = g.Span.To + 1
		}
	}
	return gone
}

// known reports whether the pack brings nothing new.
func (t *track) known(p wire.Pack) bool {
	if len(p.Records) == 0 {
		return true
	}
	if len(t.taken.without(safety.Span{From: p.First, To: p.Last()})) == 0 {
		return true
	}
	return slices.ContainsFunc(t.held, func(a arrival) bool {
		return a.pack.First == p.First && len(a.pack.Records) == len(p.Records)
	})
}

// full reports whether the pack would make too many ranges.
func (t *track) full(p wire.Pack) bool {
	return len(t.taken.ranges)+len(t.held) >= maxPieces && !t.taken.has(p.First-1) && !t.taken.has(p.Last()+1)
}

// hold keeps a pack that came before its turn.
func (t *track) hold(a arrival, now time.Time) {
	if len(t.held) == 0 {
		t.since = now
	}
	i, _ := slices.BinarySearchFunc(t.held, a.pack.First, func(h arrival, first uint64) int {
		return int(int64(h.pack.First) - int64(first))
	})
	t.held = slices.Insert(t.held, i, a)
}

// early reports whether the pack has to wait for records before it.
func (t *track) early(p wire.Pack) bool { return p.First > t.next }

// ready takes out the held pack whose turn it is. With patience spent the gap
// before the first is given up: what is late in it becomes history.
func (t *track) ready(now time.Time) (arrival, bool) {
	if len(t.held) == 0 {
		return arrival{}, false
	}
	if t.early(t.held[0].pack) && now.Sub(t.since) < gapPatience {
		return arrival{}, false
	}
	first := t.held[0]
	t.held = slices.Delete(t.held, 0, 1)
	return first, true
}

// passed says that all up to seq was dealt with in order.
func (t *track) passed(seq uint64) { t.next = max(t.next, seq+1) }
