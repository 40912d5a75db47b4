package month

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"nirapod/firmware-sim/factory"
	"nirapod/safety"
)

// How people answer an alarm. Chosen: they press the button 8 to 25 s after it
// sounds, and stand in the zone 40 to 100 s later. Where nothing burns they
// turn off what smokes there and turn the panel key, and again every 5 s until it
// takes. Without a shift the guard comes after 10 minutes. Who finds a fire
// resets nothing, and presses no call point either, so that the detectors alone are judged.
const (
	buttonFrom, buttonTo = 8.0, 25.0
	walkFrom, walkTo     = 40.0, 100.0
	guardComes           = 10 * time.Minute
	keyEvery             = 5 * time.Second
)

// call is one alarm that people answer.
type call struct {
	point, zone string
	box         *box
	ack, there  time.Time
	acked, been bool
	again       time.Time
}

// staff are the people of the shift, or the guard.
type staff struct {
	rnd     *rand.Rand
	factory *factory.Factory
	server  *server
	boxes   map[string]*box // by zone
	truth   *Verdict
	ctx     context.Context
	trouble error            // of the state
	calls   map[string]*call // by point
}

// act is what somebody did at a box.
type act struct {
	box  *box
	told []safety.Transition
}

func newStaff(seed uint64, f *factory.Factory, s *server, boxes []*box, truth *Verdict) *staff {
	out := &staff{rnd: rand.New(rand.NewPCG(seed, 'h')), factory: f, server: s, truth: truth, boxes: map[string]*box{}, calls: map[string]*call{}}
	for _, b := range boxes {
		for _, s := range b.plant.Sensors {
			out.boxes[s.Zone] = b
		}
	}
	return out
}

// asks reports whether people are called: fire or gas, a pre-alarm at least.
func asks(class safety.Class, hazard safety.Hazard, severity safety.Severity) bool {
	return class == safety.ClassAlarm && (hazard == safety.HazardFire || hazard == safety.HazardGas) &&
		severity.Rank() >= safety.PreAlarm.Rank()
}

func (s *staff) hear(b *box, t safety.Transition) {
	if t.To == safety.Firing && asks(t.Class, t.Hazard, t.Severity) {
		s.call(t.Point, t.Zone, b)
	}
}

func (s *staff) call(point, zone string, b *box) {
	if s.calls[point] != nil {
		return
	}
	seconds := func(from, to float64) time.Duration {
		return time.Duration((from + (to-from)*s.rnd.Float64()) * float64(time.Second))
	}
	now := s.factory.Now()
	c := &call{point: point, zone: zone, box: b, ack: now.Add(seconds(buttonFrom, buttonTo))}
	c.there = c.ack.Add(seconds(walkFrom, walkTo))
	if !s.factory.Attended() {
		c.ack, c.there = now.Add(guardComes), now.Add(guardComes)
	}
	s.calls[point] = c
}

// act lets people do what is due at now.
func (s *staff) act(ctx context.Context, now time.Time) (done []act) {
	s.ctx = ctx
	for _, point := range slices.Sorted(maps.Keys(s.server.open)) {
		if a := s.server.open[point]; asks(a.Class, a.Hazard, a.Severity) {
			s.call(a.Point, a.ZoneID, s.boxes[a.ZoneID]) // the server alone says so, or is late
		}
	}
	for _, point := range slices.Sorted(maps.Keys(s.calls)) {
		c := s.calls[point]
		if now.Before(c.ack) {
			continue
		}
		m := moment{now, s.factory.Attended()}
		if !c.acked {
			c.box.ann.Acknowledge(m.of(), "")
			c.acked = true
		}
		s.acknowledge(c, now)
		if now.Before(c.there) || now.Before(c.again) {
			continue
		}
		c.again = now.Add(keyEvery)
		if s.truth.fire(c.zone, now) >= 0 {
			continue
		}
		if !c.been {
			s.factory.Attend(c.zone)
			c.been = true
		}
		done = append(done, act{c.box, c.box.key(m, s.factory)})
		if s.reset(c, now) {
			delete(s.calls, point)
		}
	}
	return done
}

// acknowledge says on the server's page what was said at the box.
func (s *staff) acknowledge(c *call, now time.Time) {
	a, open := s.alert(c.point)
	if !open || a.AcknowledgedAt != nil {
		return
	}
	s.say(s.server.alerts.Acknowledge(s.ctx, "warden", a.ID, now))
}

// reset says on the server's page that it was nothing, and reports whether all
// is over.
func (s *staff) reset(c *call, now time.Time) bool {
	a, open := s.alert(c.point)
	if open && a.Latched {
		s.say(s.server.alerts.Reset(s.ctx, "warden", a.ID, now))
	}
	return !open && !slices.Contains(c.box.ann.Believes(), c.point) && s.factory.Online()
}

// say takes the answer to an act. A conflict is no trouble: it is tried again.
func (s *staff) say(_ safety.Alert, err error) {
	if err != nil && !errors.Is(err, safety.ErrConflict) {
		s.trouble = errors.Join(s.trouble, err)
	}
	s.server.acted = true
}

// alert returns the open alert of a point, if the page can be reached.
func (s *staff) alert(point string) (safety.Alert, bool) {
	a, open := s.server.open[point]
	return a, open && s.factory.Online()
}
