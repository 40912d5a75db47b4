// Package store says what a series store promises: readings, placed in time,
// go in and exactly those readings come out again, also after kill -9, late
// arrival, compaction and reopening. tsdbstore is the embedded store; package
// storetest holds the one contract suite that every implementation passes.
package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"nirapod/safety"
)

// Sample is one reading, placed in time, of one sensor of one factory.
type Sample struct {
	Factory, Gateway string
	Quantity         safety.Quantity
	safety.Reading   // At is set, whole milliseconds
}

// Query asks for the samples of some sensors of one factory with
// From <= At < To. No sensors means all sensors of the factory.
type Query struct {
	Factory  string
	Sensors  []string
	From, To time.Time
}

// Store keeps samples.
type Store interface {
	// Append returns nil only when all samples are durable: they survive
	// kill -9 and loss of power. Identical samples may be given again, in the
	// same call or a later one, and are kept once. A different value for the
	// same factory, gateway, sensor, flags and millisecond is the caller's
	// mistake; the store keeps one of them and may answer with a *RejectedError.
	//
	// On a *RejectedError all samples but the named ones are durable and the named
	// ones never will be. On any other error nothing is promised, and the
	// caller gives the whole batch again. An error wrapping ErrBroken lasts
	// until the store is opened anew. One caller at a time.
	Append(ctx context.Context, samples []Sample) error

	// Query calls yield for each sample, sensor by sensor in the order of their
	// ids and in time order per sensor, until yield returns an error, which
	// Query then returns. Safe for concurrent use, also with Append.
	Query(ctx context.Context, q Query, yield func(Sample) error) error

	// Close ends the store; no other call may follow or be under way.
	Close() error
}

// ErrBroken reports that the store cannot promise durability any more, for
// instance after a failed fsync. It must be opened anew.
var ErrBroken = errors.New("series store is broken until it is opened again")

// Reasons of a Rejection.
const (
	RejectInvalid  = "invalid"  // Validate refuses it
	RejectTooOld   = "too_old"  // older than the store takes
	RejectConflict = "conflict" // another value stands at this very millisecond
)

// Rejection is one sample of a batch that can never be stored.
type Rejection struct {
	Index  int    // in the batch given to Append
	Reason string // RejectInvalid, RejectTooOld or RejectConflict
}

// RejectedError reports samples that can never be stored, in the order of the
// batch. It wraps safety.ErrInvalid.
type RejectedError struct{ Samples []Rejection }

func (r *RejectedError) Error() string {
	return fmt.Sprintf("%d samples refused, first: sample %d is %s",
		len(r.Samples), r.Samples[0].Index, r.Samples[0].Reason)
}

// Unwrap makes errors.Is(err, safety.ErrInvalid) true.
func (r *RejectedError) Unwrap() error { return safety.ErrInvalid }

// Validate returns an error wrapping safety.ErrInvalid unless s can be stored:
// named, of a known quantity, at a whole millisecond, with a finite value when
// it has one, and with a known reason exactly when it is not good. Negative
// zero is a value like any other and keeps its sign.
func (s Sample) Validate() error {
	switch {
	case s.Factory == "" || s.Gateway == "" || s.Sensor == "":
		return fmt.Errorf("sample without factory, gateway or sensor: %w", safety.ErrInvalid)
	case s.Quantity.Validate() != nil:
		return fmt.Errorf("sensor %s: %w", s.Sensor, s.Quantity.Validate())
	case s.At.IsZero() || s.At.Nanosecond()%int(time.Millisecond) != 0:
		return fmt.Errorf("sensor %s: time %v is not a whole millisecond: %w", s.Sensor, s.At, safety.ErrInvalid)
	case s.Quality > safety.Good:
		return fmt.Errorf("sensor %s: quality %d: %w", s.Sensor, s.Quality, safety.ErrInvalid)
	case s.Quality != safety.Bad && (math.IsNaN(s.Value) || math.IsInf(s.Value, 0)):
		return fmt.Errorf("sensor %s: value %v: %w", s.Sensor, s.Value, safety.ErrInvalid)
	case s.Quality == safety.Good && s.Reason != "", s.Quality != safety.Good && !s.Reason.Known():
		return fmt.Errorf("sensor %s: reason %q: %w", s.Sensor, s.Reason, safety.ErrInvalid)
	case s.Flags&^(safety.Simulated|safety.Drill) != 0:
		return fmt.Errorf("sensor %s: flags %b: %w", s.Sensor, s.Flags, safety.ErrInvalid)
	}
	return nil
}
