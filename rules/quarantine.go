package rules

import (
	"math"
	"slices"
	"time"

	"nirapod/safety"
)

// agreement is how long a channel must agree before it is believed again.
const agreement = 10 * time.Minute

// quarantine is what follows an open wire or an impossible value: the channel
// stays in fault until it has agreed with its neighbours for 10 minutes or a
// person clears it. Meanwhile its values may raise alarms and clear none.
type quarantine struct {
	on       bool
	agreeing int64 // since when, ms; never while it does not
	from, to int64 // of this one, or of the last; never if there was none
}

var sound = quarantine{agreeing: never, from: never, to: never}

// covers reports whether a sample taken at a moment was in quarantine.
func (q *quarantine) covers(at int64) bool {
	return q.from != never && q.from <= at && (q.on || at <= q.to)
}

func (q *quarantine) end(at int64) { q.on, q.agreeing, q.to = false, never, at }

// needsProof reports whether a channel with this fault must prove itself
// afterwards. Bus errors prove themselves: the next frame has a checksum.
func needsProof(r safety.Reason) bool {
	switch r {
	case safety.WireOpen, safety.WireShort, safety.OutOfRange, safety.Implausible:
		return true
	}
	return false
}

// observe follows the newest reading of s. silent: it came after a silence.
func (q *quarantine) observe(s *sensor, at int64, silent bool) {
	if s.quality == safety.Bad && needsProof(s.reason) && !q.on {
		q.on, q.from = true, at
	}
	if !q.on {
		return
	}
	agreed := s.quality == safety.Good && agrees(s)
	if !agreed || silent {
		q.agreeing = never
	}
	if agreed && q.agreeing == never {
		q.agreeing = at
	}
	if q.agreeing != never && at-q.agreeing >= agreement.Milliseconds() {
		q.end(at - 1)
	}
}

// agrees reports whether s is within tolerance of the median of those
// neighbours that have a good, fresh value. Neighbours in quarantine count:
// after a power cut all channels of a loop are in it together and nobody else
// could vouch. Where no neighbour speaks, being good is all that can be asked.
func agrees(s *sensor) bool {
	var values []float64
	for _, n := range s.peers {
		if n != s && n.at != never && !n.stale && n.quality == safety.Good {
			values = append(values, n.value)
		}
	}
	if len(values) == 0 {
		return true
	}
	slices.Sort(values)
	median := (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	return math.Abs(s.value-median) <= physics[s.spec.Quantity].tolerance
}

// outvoted reports whether a channel in quarantine measures, and a sound one of
// the same kind watches the same zone. Then its values say nothing at
// all: a thermocouple that comes loose passes through every temperature, and
// its neighbour is there to tell of a fire. A contact that closes is no drift
// and raises all the same.
func (s *sensor) outvoted() bool {
	if s.spec.Quantity.Switch() {
		return false
	}
	for _, n := range s.peers {
		if n != s && n.zone == s.zone && n.at != never && !n.stale && n.quality == safety.Good && !n.quarantine.on {
			return true
		}
	}
	return false
}

// unlike marks quantities that differ from place to place for good reasons:
// one open door says nothing about the next.
const unlike = -1

// physical is what can be true of a quantity on Earth in a building on fire, and
// how far two healthy neighbours differ.
type physical struct{ low, high, tolerance float64 }

// physics is chosen by us, wide on purpose: a value outside is a broken
// channel whatever the instrument. docs/rules.md shows this table; a test
// keeps them equal.
var physics = map[safety.Quantity]physical{
	safety.Temperature:        {-90, 1400, 5},
	safety.MachineTemperature: {-90, 1400, unlike},
	safety.GlobeTemperature:   {-90, 400, unlike},
	safety.WetBulb:            {-90, 120, unlike},
	safety.Humidity:           {-5, 110, 15},
	safety.SmokeOD:            {-1, 100, 0.1},
	safety.Smoke:              {0, 1, 0},
	safety.Flame:              {0, 1, 0},
	safety.CallPoint:          {0, 1, unlike},
	safety.DoorOpen:           {0, 1, unlike},
	safety.Locked:             {0, 1, unlike},
	safety.Key:                {0, 1, unlike},
	safety.Motion:             {0, 1, unlike},
	safety.CO:                 {-1000, 1e6, 10},
	safety.CO2:                {-1000, 1e6, 200},
	safety.H2S:                {-100, 1e6, 5},
	safety.NH3:                {-100, 1e6, 10},
	safety.CL2:                {-100, 1e6, 0.5},
	safety.VOC:                {-1000, 1e6, 50},
	safety.O2:                 {-2, 101, 0.5},
	safety.LEL:                {-20, 10000, 5},
	safety.People:             {0, 1e6, unlike},
	safety.PeopleHigh:         {0, 1e6, unlike},
	safety.Light:              {-10, 1e6, unlike},
	safety.Vibration:          {-1e4, 1e4, unlike},
	safety.Flow:               {-1e6, 1e6, unlike},
	safety.Pressure:           {-1.1, 1e4, unlike},
	safety.Noise:              {-20, 200, 10},
	safety.ExitConfirmed:      {0, 1, unlike},
	safety.Mains:              {0, 1, unlike},
	safety.Generator:          {0, 1, unlike},
	safety.Battery:            {0, 60, unlike},
	safety.ChargerFault:       {0, 1, unlike},
	safety.Tamper:             {0, 1, unlike},
	safety.Undervoltage:       {0, 1, unlike},
}

// plausible turns a value that cannot be into a fault.
func plausible(q safety.Quantity, r safety.Reading) safety.Reading {
	if r.Quality == safety.Bad {
		return r
	}
	p := physics[q]
	if math.IsNaN(r.Value) || r.Value < p.low || r.Value > p.high {
		r.Quality, r.Reason, r.Value = safety.Bad, safety.OutOfRange, 0
	}
	return r
}
