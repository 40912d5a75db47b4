package rules

import (
	"time"

	"nirapod/safety"
)

// settle is how long what the mains fed may take to work again once they are
// back: reboots and warm-ups raise nothing new (our choice; safety.md 18).
const settle = 60 * time.Second

// maxMembers bounds what one transition tells.
const maxMembers = 24

// unpowered is whether the mains of the sensor's gateway are away, by what their
// input last said for certain, or came back less than a minute ago. A gateway
// without such an input is never known to be without.
func (l *lowerer) unpowered() cond {
	l.uses.live, l.uses.place.supply = true, true
	return ofPlace(unpoweredName, func(v *view) truth {
		p := v.in.own.mains
		return truthOf(p != nil && (p.out || p.back != never && v.now >= p.back && v.now-p.back < settle.Milliseconds()))
	})
}

// noteMembers adds to what is told of a mains input the sensors of its gateway
// that say nothing of use now: the members of that fault.
func (in *instance) noteMembers(found *evidence) {
	if in.own == nil || in.own.spec.Quantity != safety.Mains || in.own.mains == nil {
		return
	}
	n := 0
	for _, s := range in.own.mains.fed {
		if s != in.own && n < maxMembers && (s.stale || s.at != never && s.quality == safety.Bad) {
			found.note(s.spec.ID+".down", 1)
			n++
		}
	}
}
