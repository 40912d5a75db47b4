package ingest

import (
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// Reasons of a refusal, as they stand in the state and in the metrics.
const (
	refusedMalformed = "malformed"       // not a pack, or too large
	refusedGateway   = "unknown_gateway" // not in the registry of the topic's factory
	refusedSensor    = "unknown_sensor"  // not in the registry, or of another gateway
	refusedUnit      = "wrong_unit"      // not the unit of the sensor's quantity
	refusedSimulated = "simulated"       // in production
	refusedFuture    = "future"          // later than ingest time and a little
	refusedTooOld    = "too_old"         // older than the series store takes
	refusedConflict  = "conflict"        // another value stands at this millisecond
	refusedInvalid   = "invalid"         // the series store refuses its form
)

// The door: nothing later, nothing older reaches the series store.
const (
	maxFuture = 2 * time.Minute
	maxAge    = 7 * 24 * time.Hour
)

// door judges records against the registry, the mode and ingest time.
type door struct {
	production bool
}

// reading returns why a reading cannot be taken, "" if it can.
func (d door) reading(s *site, gateway string, r wire.Record, at, now time.Time) string {
	sensor, known := s.sensors[r.Reading.Sensor]
	switch {
	case !known || sensor.Gateway != gateway:
		return refusedSensor
	case r.Unit != "" && r.Unit != sensor.Quantity.Unit():
		return refusedUnit
	case d.production && r.Reading.Flags&safety.Simulated != 0:
		return refusedSimulated
	}
	return timely(at, now)
}

func timely(at, now time.Time) string {
	switch {
	case at.After(now.Add(maxFuture)):
		return refusedFuture
	case at.Before(now.Add(-maxAge)):
		return refusedTooOld
	}
	return ""
}

// transition completes a transition of a gateway with what pack and registry
// say, and returns why it cannot be taken, "" if it can. An alarm is not
// refused for its time: what came late keeps the time at which it happened, and
// one from the future is told as of now, unless it is now that is in doubt. Nor
// is it refused for a place that the registry does not know. What has neither
// zone nor sensor is about the gateway itself, and its point is of that.
func (d door) transition(s *site, p wire.Pack, seq uint64, t safety.Transition, at, now time.Time, inDoubt bool) (safety.Transition, string) {
	if d.production && t.Flags&safety.Simulated != 0 {
		return t, refusedSimulated
	}
	t.ID, t.Factory, t.Source, t.Run, t.Seq = 0, p.Factory, p.Gateway, p.Run, seq
	scope := t.Zone
	switch {
	case t.Sensor != "":
		scope = t.Sensor
	case t.Zone == "":
		scope = p.Gateway
	}
	// Whoever names a point also says what it is made of.
	t.Point = safety.PointID(t.Factory, t.Rule, scope)
	if sensor, known := s.sensors[t.Sensor]; known && t.Grade.Rank() > sensor.Grade.Rank() {
		t.Grade = sensor.Grade
	}
	t.At = at
	if !inDoubt && timely(at, now) == refusedFuture {
		t.At = now
	}
	return t, ""
}
