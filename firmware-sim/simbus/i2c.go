package simbus

import (
	"encoding/binary"
	"fmt"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// i2cHeader is the address and the count to read.
const i2cHeader = 4

// maxTransfer bounds the bytes of one I2C direction, as Linux does.
const maxTransfer = 8192

type i2cBus struct{ *Conn }

// DialI2C returns the simulated I2C bus at a URL such as
// sim://127.0.0.1:7762/i2c-1. Only a bad URL is an error here: the bus connects
// at its first Tx, and again at the next Tx after a break. Tx is safe for
// concurrent use, ends within Deadline, and its errors wrap ErrNACK, ErrTimeout,
// ErrLink or ErrRefused.
func DialI2C(url string) (i2c.BusCloser, error) {
	c, err := Open(url)
	if err != nil {
		return nil, err
	}
	return &i2cBus{c}, nil
}

// Tx writes w to the device at addr, then fills r from it, as one transaction.
// On an error r may hold anything.
func (b *i2cBus) Tx(addr uint16, w, r []byte) error {
	if len(w) > maxTransfer || len(r) > maxTransfer {
		return fmt.Errorf("%s: %w: %d bytes out, %d in", b.url, ErrRefused, len(w), len(r))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	reply, err := b.call(func(out []byte) []byte {
		out = binary.BigEndian.AppendUint16(out, addr)
		out = binary.BigEndian.AppendUint16(out, uint16(len(r)))
		return append(out, w...)
	})
	if err != nil {
		return err
	}
	if len(reply) != len(r) {
		return b.broken(fmt.Errorf("%d bytes in reply, %d wanted", len(reply), len(r)))
	}
	copy(r, reply)
	return nil
}

// SetSpeed accepts any speed: the simulator does not model the bit clock.
func (b *i2cBus) SetSpeed(physic.Frequency) error { return nil }

var _ i2c.BusCloser = (*i2cBus)(nil)
