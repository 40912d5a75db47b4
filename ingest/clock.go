package ingest

import "time"

// maxStep is the largest step of the wall clock that is taken for a correction.
const maxStep = time.Hour

// doubtHeld is how long gateways have to come and agree after a long stop,
// before people are told that nobody does.
const doubtHeld = 15 * time.Second

// clock is ingest time: the wall clock, made fit to judge others by. It never
// goes back, follows corrections of at most maxStep, and keeps its pace through
// a larger step until a person has looked: such a step would refuse a week of
// readings, or let one from the future close the store to all others.
type clock struct {
	now  time.Time     // what was last told
	wall time.Time     // the wall clock then, as far as it is believed
	mono time.Duration // the process's monotonic clock then
	// doubt is set at a start that is longer after the newest ingest time of an
	// earlier process than a reading may be old: that may be a long stop, or a
	// clock that runs ahead, which would refuse all that gateways kept. It stays
	// until one who knows the time agrees, or nobody does.
	doubt bool
	// wrong is set in doubt, and from a step larger than maxStep on, until the wall clock is
	// within maxStep again or the process is started anew.
	wrong bool
}

// startClock begins at the wall clock, or at saved, the newest ingest time of
// an earlier process, if the wall clock is behind that.
func startClock(saved, wall time.Time, mono time.Duration) *clock {
	c := &clock{now: wall, wall: wall, mono: mono}
	c.doubt = !saved.IsZero() && wall.Sub(saved) > maxAge
	c.wrong = c.doubt
	if wall.Before(saved) {
		c.now = saved
		if c.wrong = saved.Sub(wall) > maxStep; c.wrong {
			c.wall = saved
		}
	}
	return c
}

// at returns ingest time at a moment at which the monotonic clock says mono and
// the wall clock says wall.
func (c *clock) at(mono time.Duration, wall time.Time) time.Time {
	elapsed := max(mono-c.mono, 0)
	c.mono += elapsed
	expected := c.wall.Add(elapsed)
	step := wall.Sub(expected)
	jumped := step > maxStep || step < -maxStep
	c.wrong = c.doubt || jumped
	if jumped {
		wall = expected
	}
	c.wall = wall
	// After a step back time goes at half its pace until it is true again: if
	// it stood still, silence would not be noticed.
	if slow := c.now.Add(elapsed / 2); wall.Before(slow) {
		c.now = slow
	} else {
		c.now = wall
	}
	return c.now
}

// witness is what a gateway with a synced clock said about the time.
type witness int

const (
	noWitness witness = iota
	agrees
	disagrees // by more than maxStep
)

func compare(at, now time.Time) witness {
	switch off := at.Sub(now); {
	case at.IsZero():
		return noWitness
	case off > maxStep || off < -maxStep:
		return disagrees
	}
	return agrees
}

// witnesses returns what all gateways together say: one that agrees is enough,
// for clocks are wrong each in its own way.
func (c *core) witnesses() witness {
	all := noWitness
	for _, g := range c.gateways {
		switch g.witness {
		case agrees:
			return agrees
		case disagrees:
			all = disagrees
		}
	}
	return all
}
