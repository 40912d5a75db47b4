package simbus

import "errors"

// Kinds of error of a transaction, for errors.Is.
var (
	// ErrNACK reports that nothing acknowledged the address or a byte: the
	// device is absent, or has nothing to give yet.
	ErrNACK = errors.New("no acknowledge")
	// ErrTimeout reports that the transaction did not end in time: the bus is
	// stuck, or the simulator does not answer.
	ErrTimeout = errors.New("bus timeout")
	// ErrLink reports that the simulator cannot be reached or that the stream
	// broke. The next transaction dials again.
	ErrLink = errors.New("no link to the simulator")
	// ErrRefused reports that the simulator understood and declined: there is
	// no such bus or pin, or the pin does not go that way.
	ErrRefused = errors.New("refused by the simulator")
)
