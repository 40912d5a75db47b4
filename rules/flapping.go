package rules

import (
	"time"

	"nirapod/safety"
)

// Flapping is what a rule does that comes and goes. Once it has fired Times
// times within Within it stays firing until its condition has been gone for
// Within: people are told once of a thing that is not settled, instead of forty
// times. So it is the rate limit as well, and one that loses nothing: it never
// keeps a rule from firing.
type Flapping struct {
	Times  int
	Within time.Duration
}

const maxFirings = 20

// firings are the newest moments at which a rule fired, ms, as many as its
// Flapping counts.
type firings []int64

// fired notes that the rule fires at a moment.
func (in *instance) fired(at int64) {
	times := in.rule.Flapping.Times
	if times == 0 {
		return
	}
	if in.firings == nil {
		in.firings = &firings{}
	}
	f := append(*in.firings, at)
	*in.firings = f[max(0, len(f)-times):]
}

func (in *instance) flaps() bool {
	if in.firings == nil {
		return false
	}
	f, r := *in.firings, in.rule.Flapping
	return len(f) == r.Times && f[len(f)-1]-f[0] < r.Within.Milliseconds()
}

// keep is how long the condition must be gone before the rule is inactive, ms.
func (in *instance) keep() int64 {
	keep := in.rule.KeepFiringFor
	if in.flaps() {
		keep = max(keep, in.rule.Flapping.Within)
	}
	return keep.Milliseconds()
}

func (f fields) flapping(r *Rule) {
	n := f.of["flapping"]
	if n == nil {
		return
	}
	in := f.src.mapping(n, "flapping", "times", "within")
	r.Flapping = Flapping{Times: in.whole("times", 2, maxFirings), Within: in.duration("within", time.Second, maxHold)}
	for _, key := range []string{"times", "within"} {
		if in.of[key] == nil {
			f.src.wrong(n, "flapping: %s is missing", key)
		}
	}
	switch {
	case r.Latch:
		f.src.wrong(n, "what latches does not flap: a person ends it")
	case r.Hazard == safety.HazardFire || r.Hazard == safety.HazardGas:
		f.src.wrong(n, "fire and gas are told each time: nothing limits them")
	}
}
