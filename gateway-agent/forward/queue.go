package forward

import (
	"slices"
	"time"

	"nirapod/gateway-agent/spool"
	"nirapod/safety"
	"nirapod/wire"
)

const (
	firstTimeout = 5 * time.Second
	lastTimeout  = time.Minute
	stallAfter   = 2 * time.Minute // without progress while something is uncommitted
)

// queue decides what of one stream is sent next. What is to be sent is what is
// held, less what is committed, less what is in flight: nothing else is
// remembered, so a lost packet, a repeated commit or a server that forgot
// cannot put it out of step. It does no I/O and knows no clock.
type queue struct {
	window int           // packs in flight
	batch  uint64        // so many new records are not kept waiting
	gather time.Duration // how long fewer are
	jitter func(time.Duration) time.Duration

	online   bool
	epoch    string
	retired  map[string]bool // epochs that another one has replaced
	heard    time.Time       // newest commit in epoch
	runs     []*run          // oldest first
	progress time.Time       // newest commit of anything, or since when there is something uncommitted
}

// run is one run of the stream.
type run struct {
	spool.Extent
	covered spans    // committed in this epoch
	flights []flight // uncommitted packs that were sent
	sent    uint64   // highest number that this process has sent
	fresh   time.Time
	oldest  uint64        // of the numbers in flight
	since   time.Time     // since when oldest is the oldest
	timeout time.Duration // the next one
	retryAt time.Time
}

type flight struct {
	span safety.Span
	at   time.Time
}

// step is what to send: numbers of run, from its first on.
type step struct {
	extent spool.Extent
	span   safety.Span
}

// hold tells the queue what the spool holds.
func (q *queue) hold(now time.Time, extents []spool.Extent) {
	before := q.runs
	q.runs = make([]*run, 0, len(extents))
	for _, x := range extents {
		i := slices.IndexFunc(before, func(r *run) bool { return r.Run == x.Run })
		r := &run{timeout: firstTimeout}
		if i >= 0 {
			r = before[i]
		}
		if x.To > r.To && x.To >= x.From && r.fresh.IsZero() {
			r.fresh = now
		}
		r.Extent = x
		q.runs = append(q.runs, r)
	}
	if q.progress.IsZero() && q.uncommitted() {
		q.progress = now
	}
}

// connect tells the queue that there is a new connection, or none. Either way
// nothing is known of what was in flight.
func (q *queue) connect(online bool) {
	q.online = online
	for _, r := range q.runs {
		r.land(nil)
	}
}

// land leaves only the given packs in flight, and begins the timeouts anew.
func (r *run) land(flights []flight) {
	r.flights, r.timeout = flights, firstTimeout
	if len(flights) == 0 {
		r.oldest, r.since = 0, time.Time{}
	}
}

// commit takes the server's word. It returns what is committed of the run, nil
// if the commit says nothing that counts: an unknown run, or an epoch that was
// replaced. Epochs have no order, so a late message of the old one looks like
// a new one; but only the living one is heard again, and after two minutes of
// silence any is believed.
func (q *queue) commit(now time.Time, c wire.Commit) spans {
	i := slices.IndexFunc(q.runs, func(r *run) bool { return r.Run == c.Run })
	if i < 0 || q.retired[c.Epoch] && now.Sub(q.heard) < stallAfter {
		return nil
	}
	if c.Epoch != q.epoch {
		q.enter(c.Epoch)
	}
	q.heard = now
	r := q.runs[i]
	// Nobody can hold what was not sent. A run of an earlier process may have
	// been sent by it.
	most := r.To
	if r.Current {
		most = min(most, r.sent)
	}
	before := r.covered
	r.covered = r.covered.add(safety.Span{From: 1, To: min(c.Upto, most)})
	for _, x := range c.Ranges {
		r.covered = r.covered.add(safety.Span{From: x.From, To: min(x.To, most)})
	}
	if slices.Equal(before, r.covered) {
		return r.covered
	}
	q.progress = now
	if !q.uncommitted() {
		q.progress = time.Time{}
	}
	r.flights = slices.DeleteFunc(r.flights, func(f flight) bool { return r.covered.covers(f.span) })
	r.follow(now, q.jitter)
	return r.covered
}

// enter begins an epoch: what was committed in the last one may be forgotten.
func (q *queue) enter(epoch string) {
	if q.epoch != "" {
		q.retired[q.epoch] = true
	}
	delete(q.retired, epoch)
	q.epoch = epoch
	for _, r := range q.runs {
		r.covered = nil
		r.land(nil)
	}
}

// follow restarts the timeouts if the oldest number in flight is another.
func (r *run) follow(now time.Time, jitter func(time.Duration) time.Duration) {
	if len(r.flights) == 0 {
		r.land(nil)
		return
	}
	oldest := r.flights[0].span.From
	for _, f := range r.flights {
		oldest = min(oldest, f.span.From)
	}
	if gap, ok := r.covered.gap(safety.Span{From: oldest, To: r.To}); ok {
		oldest = gap.From
	}
	if r.oldest != oldest {
		r.oldest, r.since, r.timeout = oldest, now, firstTimeout
		r.retryAt = now.Add(jitter(r.timeout))
	}
}

// next returns what to send now, or false and when to ask again at the latest
// (the zero time: when something happens).
func (q *queue) next(now time.Time) (s step, ok bool, again time.Time) {
	if !q.online {
		return step{}, false, time.Time{}
	}
	sooner := func(t time.Time) {
		if again.IsZero() || t.Before(again) {
			again = t
		}
	}
	all, old := 0, 0
	for _, r := range q.runs {
		r.expire(now, q.jitter)
		if len(r.flights) > 0 {
			sooner(r.retryAt)
		}
		all += len(r.flights)
		if !r.Current {
			old += len(r.flights)
		}
	}
	for _, r := range q.runs {
		if all >= q.window || !r.Current && old >= q.window/2 {
			continue
		}
		span, found := r.unsent()
		if !found {
			continue
		}
		if wait := r.fresh.Add(q.gather); r.Current && span.From > r.sent && span.To-span.From+1 < q.batch && now.Before(wait) {
			sooner(wait)
			continue
		}
		return step{extent: r.Extent, span: span}, true, time.Time{}
	}
	return step{}, false, again
}

// expire takes packs out of flight whose commit is overdue: the oldest, and
// all others that have had their time. Packs that were sent a moment ago are
// not sent again because an old one was lost.
func (r *run) expire(now time.Time, jitter func(time.Duration) time.Duration) {
	if len(r.flights) == 0 || now.Before(r.retryAt) {
		return
	}
	r.flights = slices.DeleteFunc(r.flights, func(f flight) bool {
		return f.span.From <= r.oldest || now.Sub(f.at) >= firstTimeout
	})
	r.timeout = min(2*r.timeout, lastTimeout)
	r.retryAt = now.Add(jitter(r.timeout))
}

// unsent returns the first stretch that is neither committed nor in flight.
func (r *run) unsent() (safety.Span, bool) {
	taken := r.covered
	for _, f := range r.flights {
		taken = taken.add(f.span)
	}
	return taken.gap(safety.Span{From: r.From, To: r.To})
}

// launch notes that span of run is in flight.
func (q *queue) launch(now time.Time, id string, span safety.Span) {
	i := slices.IndexFunc(q.runs, func(r *run) bool { return r.Run == id })
	if i < 0 {
		return
	}
	r := q.runs[i]
	first := len(r.flights) == 0
	r.flights = append(r.flights, flight{span: span, at: now})
	r.sent = max(r.sent, span.To)
	r.fresh = time.Time{}
	if r.sent < r.To {
		r.fresh = now
	}
	if r.oldest == 0 || span.From < r.oldest {
		r.oldest, r.since = span.From, now
	}
	if first {
		r.retryAt = now.Add(q.jitter(r.timeout))
	}
}

// uncommitted reports whether anything is held that is not committed.
func (q *queue) uncommitted() bool {
	return slices.ContainsFunc(q.runs, func(r *run) bool {
		_, open := r.covered.gap(safety.Span{From: r.From, To: r.To})
		return open
	})
}

// stalled reports whether the server has not committed for two minutes
// although something is uncommitted: nothing at all, or not the oldest of what
// was sent.
func (q *queue) stalled(now time.Time) bool {
	if !q.uncommitted() {
		return false
	}
	return now.Sub(q.progress) >= stallAfter || slices.ContainsFunc(q.runs, func(r *run) bool {
		return r.oldest > 0 && now.Sub(r.since) >= stallAfter
	})
}
