// Package device is what all drivers of the gateway share: the kinds of error
// of a transaction, told apart so that each becomes its own reason, and a bus
// on which one hung device does not take the others with it.
package device

import (
	"errors"

	"nirapod/safety"
)

// Kinds of error of a device. Drivers wrap them.
var (
	// ErrNACK reports that nothing acknowledged: the device is absent, or it
	// refuses what was asked.
	ErrNACK = errors.New("no acknowledge")
	// ErrTimeout reports that the bus or the device did not finish in time, or
	// cannot be reached at all.
	ErrTimeout = errors.New("no answer in time")
	// ErrCRC reports bytes that fail their check.
	ErrCRC = errors.New("check sum wrong")
	// ErrRefused reports that the transaction was not tried: the device hung
	// before and is left alone for a while.
	ErrRefused = errors.New("left alone after it hung")
	// ErrWarming reports a device that has been started and has not measured yet.
	ErrWarming = errors.New("no sample yet")
	// ErrStuck reports a device that answers and says the same for ever.
	ErrStuck = errors.New("frozen")
	// ErrStray reports an answer to another question, such as one that comes late.
	ErrStray = errors.New("answer to another question")
	// ErrImplausible reports an answer that contradicts what was asked.
	ErrImplausible = errors.New("implausible answer")
)

// Reason returns why a reading that met err has no value. It is never empty.
func Reason(err error) safety.Reason {
	switch {
	case errors.Is(err, ErrCRC):
		return safety.CRC
	case errors.Is(err, ErrNACK):
		return safety.NACK
	case errors.Is(err, ErrWarming):
		return safety.Warming
	case errors.Is(err, ErrStuck):
		return safety.Stuck
	case errors.Is(err, ErrStray):
		return safety.Stale
	case errors.Is(err, ErrImplausible):
		return safety.Implausible
	default:
		return safety.Timeout
	}
}
