package alerts

import (
	"time"

	"nirapod/safety"
	"nirapod/state"
)

const (
	defaultV1 = 30 * time.Second  // to acknowledge
	defaultV2 = 180 * time.Second // to investigate
	delayCap  = 10 * time.Minute  // V1 and V2 together (EN 54-2, recalled)
)

// Why a signal is sent.
const (
	becauseConfirmed  = "confirmed"
	becauseCallPoint  = "call_point"
	becauseUnresolved = "unresolved"
)

// verdict is what the machine makes of an incident at one moment.
type verdict struct {
	confirmed bool
	signal    string     // why the desk is to be told, "" if it is not
	notice    bool       // a notice is to be opened
	next      *time.Time // when to judge again, nil if time alone changes nothing
}

// judge decides on an incident from its alerts. If the incident is real, only
// real evidence counts: a drill beside a fire confirms nothing.
func judge(site safety.Site, alerts []state.Alert, now time.Time) verdict {
	real := !allExercise(alerts)
	var v verdict
	var proof sources
	for _, a := range alerts {
		if !counts(a) || real && a.Exercise || a.State == safety.Cleared {
			continue // what people have dealt with proves nothing any more
		}
		callPoint := isCallPoint(site, a)
		proof.add(site, a, callPoint)
		deadline := delaysEnd(site, a)
		overdue := !now.Before(deadline)
		switch {
		case overdue && callPoint:
			v.confirmed = true
		case overdue:
			v.signal, v.notice = becauseUnresolved, true
		case v.next == nil || deadline.Before(*v.next):
			v.next = &deadline
		}
		if callPoint {
			v.signal = becauseCallPoint
		}
	}
	if v.confirmed = v.confirmed || proof.independent(); v.confirmed {
		v.signal, v.notice, v.next = becauseConfirmed, true, nil
	}
	return v
}

func allExercise(alerts []state.Alert) bool {
	for _, a := range alerts {
		if !a.Exercise {
			return false
		}
	}
	return true
}

// counts reports whether an alert can lead to a signal: fire or gas, and at
// least an alarm. A pre-alarm is for the factory's own people.
func counts(a state.Alert) bool {
	hazard := a.Hazard == safety.HazardFire || a.Hazard == safety.HazardGas
	return hazard && a.Severity.Rank() >= safety.Alarm.Rank()
}

func isCallPoint(site safety.Site, a state.Alert) bool {
	s, ok := sensorOf(site, a.SensorID)
	return ok && s.Quantity == safety.CallPoint
}

// sources collects the independent sources behind an incident.
type sources struct {
	certified bool
	devices   map[string]bool
	zones     map[string]bool // zones of sources that name no sensor
	covered   map[string]bool // zones of the devices
}

func (p *sources) add(site safety.Site, a state.Alert, callPoint bool) {
	if p.devices == nil {
		p.devices, p.zones, p.covered = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	p.certified = p.certified || a.Grade == safety.Certified && !callPoint
	if a.SensorID == "" {
		p.zones[a.ZoneID] = true
		return
	}
	p.covered[a.ZoneID] = true
	device := "sensor/" + a.SensorID
	if s, ok := sensorOf(site, a.SensorID); ok && s.Serial != "" {
		device = "serial/" + s.Serial // two quantities of one device are one source
	}
	p.devices[device] = true
}

// independent reports whether one certified source or two independent ones
// agree. A rule over a whole zone reads that zone's sensors, so it is
// independent only of sources elsewhere.
func (p *sources) independent() bool {
	n := len(p.devices)
	for zone := range p.zones {
		if !p.covered[zone] {
			n++
		}
	}
	return p.certified || n >= 2
}

// delaysEnd returns when the time to acknowledge and to investigate an alert
// ends. Whoever acknowledges in time gets the time to investigate; if nobody
// does, there is none.
func delaysEnd(site safety.Site, a state.Alert) time.Time {
	v1, v2 := Delays(site, a.RaisedAt)
	end := a.RaisedAt.Add(v1)
	if a.AcknowledgedAt != nil && !a.AcknowledgedAt.After(end) {
		end = a.AcknowledgedAt.Add(v2)
	}
	if limit := a.RaisedAt.Add(delayCap); end.After(limit) {
		return limit
	}
	return end
}
