package agent

import "time"

// epoch is the time of the rules: a base plus the monotonic clock of the boot.
// It stands still while the agent does not run, so that a restart or a reboot
// is no silence of the sensors, and it never jumps, so that setting the wall
// clock neither fires a hold nor makes sensors stale. As a label it is near the
// wall time at the first start; records get their own time from the clock.
type epoch struct{ base time.Time }

// pause is the time that passes for the rules between two runs of the agent.
const pause = time.Second

// newEpoch continues after newest, the newest time of the run before; without
// one it begins at wall.
func newEpoch(mono int64, wall, newest time.Time) epoch {
	begin := wall
	if !newest.IsZero() {
		begin = newest.Add(pause)
	}
	return epoch{begin.UTC().Truncate(time.Millisecond).Add(-time.Duration(mono) * time.Millisecond)}
}

func (e epoch) at(mono int64) time.Time { return e.base.Add(time.Duration(mono) * time.Millisecond) }

func (e epoch) mono(at time.Time) int64 { return at.Sub(e.base).Milliseconds() }
