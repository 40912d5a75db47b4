// Package contact debounces switches: door contacts, call points, keys and
// buttons, sampled at short, roughly even intervals.
package contact

import "time"

const (
	// flaps within flapWindow make a contact chatter.
	flaps      = 10
	flapWindow = 10 * time.Second
)

// Input is one switch. It integrates samples: time at the new level counts up,
// time at the old one counts down, and the input changes when the balance
// reaches the hold time. It is not safe for concurrent use.
type Input struct {
	hold  time.Duration
	latch bool

	known   bool // a state has been reached at least once
	state   bool
	latched bool
	balance time.Duration // towards the other state, 0 to hold
	first   bool          // the level before any state is known
	at      time.Duration // of the newest sample
	sampled bool
	changes [flaps]time.Duration // of state, a ring
	next    int
	count   int
}

// New returns an input that changes after hold. With latch it stays operated,
// once operated, until Release.
func New(hold time.Duration, latch bool) *Input {
	return &Input{hold: hold, latch: latch}
}

// Observe takes one sample at a monotonic time and reports whether the state
// that Operated returns has changed, or has become known.
func (in *Input) Observe(operated bool, at time.Duration) (changed bool) {
	// However long the gap, no sample stands for more than a third of the hold
	// time: one sample never decides.
	elapsed := min(at-in.at, in.hold/3)
	if !in.sampled {
		in.sampled, in.first, elapsed = true, operated, 0
	}
	in.at = at
	if !in.known {
		return in.settle(operated, elapsed)
	}
	if operated == in.state {
		in.balance = max(0, in.balance-elapsed)
		return false
	}
	in.balance += elapsed
	if in.balance < in.hold {
		return false
	}
	in.balance, in.state = 0, operated
	in.changes[in.next] = at
	in.next = (in.next + 1) % flaps
	in.count = min(in.count+1, flaps)
	before := in.latched
	in.latched = in.latch && (in.latched || operated)
	return !in.latch || in.latched != before
}

// settle waits for the first state: one level for the whole hold time.
func (in *Input) settle(operated bool, elapsed time.Duration) bool {
	if operated != in.first {
		in.first, in.balance = operated, 0
		return false
	}
	in.balance += elapsed
	if in.balance < in.hold {
		return false
	}
	in.known, in.state, in.balance = true, operated, 0
	in.latched = in.latched || in.latch && operated
	return true
}

// Lost forgets what is not yet decided: call it when a sample could not be
// taken, so that a gap never counts as time at a level.
func (in *Input) Lost() { in.sampled, in.balance = false, 0 }

// Operated returns the debounced state; known is false until there is one.
func (in *Input) Operated() (operated, known bool) {
	return in.state || in.latched, in.known
}

// Latch makes a latching input operated from the start, as it was before a
// restart.
func (in *Input) Latch() { in.latched = in.latch }

// Release ends the latch and reports whether that changed the state: an input
// that is still operated stays so.
func (in *Input) Release() (changed bool) {
	changed = in.latched && !in.state
	in.latched = in.latch && in.state
	return changed
}

// Chatters reports that the contact changed more often than a person can make
// it: a loose wire or a worn switch.
func (in *Input) Chatters(now time.Duration) bool {
	return in.count == flaps && now-in.changes[in.next] < flapWindow
}
