package ingest

import "time"

// maxStep is the largest step of the wall clock that is taken for a correction.
const maxStep = time.Hour

// clock is ingest time: the wall clock, made fit to judge others by. It never
// goes back, follows corrections of at most maxStep, and keeps its pace through
// a larger step until a person has looked: such a step would refuse a week of
// readings, or let one from the future close the store to all others.
type clock struct {
	now  time.Time     // what was last told
	wall time.Time     // the wall clock then, as far as it is believed
	mono time.Duration // the process's monotonic clock then
	// wrong is set from a step larger than maxStep on, until the wall clock is
	// within maxStep again or the process is started anew.
	wrong bool
}

// startClock begins at the wall clock, or at saved, the newest ingest time of
// an earlier process, if the wall clock is behind that.
func startClock(saved, wall time.Time, mono time.Duration) *clock {
	c := &clock{now: wall, wall: wall, mono: mono}
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
	c.wrong = step > maxStep || step < -maxStep
	if c.wrong {
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
