package factory

import (
	"math"
	"time"
)

const (
	driftShare = 0.05 // of all passages, the interval of a counter
	through    = 5.0  // passages of a worker in a shift: in, out, and a break and a half; chosen
	zeroedAt   = 22.5 // h: the guard has walked through and sets the counters to zero
	lockedAt   = 22.75
	unlockedAt = 5.5
)

// present returns how many are in a zone, of so many a shift, at an hour of a
// day of work: they come within 15 minutes before the shift and go within 10 after it;
// at the change those who come wait until half of the others are gone.
func present(employed int, hour float64) int {
	ramp := func(from, minutes float64) float64 { return min(max((hour-from)*60/minutes, 0), 1) }
	share := ramp(opens-0.25, 15) - ramp(changes, 10) + ramp(changes+0.08, 12) - ramp(closes, 10)
	return int(math.Round(share * float64(employed)))
}

// passages returns how often somebody went through a zone's doors since the
// counters were set to zero.
func passages(employed int, hour float64) float64 {
	if hour >= zeroedAt {
		return 0
	}
	worked := min(max(hour-opens+0.25, 0), closes-opens)
	return float64(employed) * through * worked / (changes - opens)
}

// counted returns the interval that a zone's counter vouches for.
func (f *Factory) counted(zone string) (low, high float64) {
	d, hour := int(f.now/day), (f.now % day).Hours()
	if friday(d) {
		return 0, 0
	}
	employed := f.zones[zone].Employed
	n, drift := float64(present(employed, hour)), math.Ceil(driftShare*passages(employed, hour))
	return max(n-drift, 0), n + drift
}

// shifts lets people come and go: what they breathe follows, every minute.
func (p *plan) shifts(d int) {
	begin := time.Duration(d) * day
	for _, hour := range []float64{opens, changes, closes} {
		from := begin + time.Duration((hour-0.25)*float64(time.Hour))
		p.add(Shift, from, 30*time.Minute, func(*Factory) {})
		for m := range 30 {
			at := from + time.Duration(m)*time.Minute
			p.add("", at, time.Minute, func(f *Factory) { f.breathe() })
		}
	}
}

func (f *Factory) breathe() {
	for id, z := range f.zones {
		if z.Employed > 0 {
			f.climate.Crowd(id, present(z.Employed, (f.now%day).Hours()))
		}
	}
}

// locked reports whether the store's gate is locked: at night and on Fridays,
// after the guard has walked through.
func (f *Factory) locked() bool {
	hour := (f.now % day).Hours()
	return friday(int(f.now/day)) || hour >= lockedAt || hour < unlockedAt
}
