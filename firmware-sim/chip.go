package sim

import (
	"math"
	"time"
)

// The parts that a scenario can place on a bus.
const (
	partHDC302x = "hdc302x"
	partADS1115 = "ads1115"
	partSCD41   = "scd41"
)

// never is when something happens that is not due.
const never = time.Duration(math.MaxInt64)

// machine is a register machine on an I2C bus.
type machine interface {
	// transact writes w, then reads n bytes, at time now. A missing acknowledge
	// is simbus.ErrNACK.
	transact(now time.Duration, w []byte, n int) ([]byte, error)
	// step lets the machine do what is due at now, with the world as it is now.
	step(now time.Duration)
	// powerOn puts the machine into its state after power on.
	powerOn(now time.Duration)
	registers(now time.Duration) []Register
}

// Register is one value as it stands in a machine, for observers.
type Register struct {
	Target string  `json:"target"` // the chip, such as i2c-1/0x44
	Name   string  `json:"name"`
	Raw    uint16  `json:"raw"`
	Value  float64 `json:"value"` // what Raw means, in Unit
	Unit   string  `json:"unit"`
	Valid  bool    `json:"valid"` // false before the first sample
}

func be16(b []byte) uint16         { return uint16(b[0])<<8 | uint16(b[1]) }
func put16(v uint16) (hi, lo byte) { return byte(v >> 8), byte(v) }
