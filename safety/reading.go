package safety

import "time"

// Quality says how far a reading can be trusted.
type Quality uint8

// The zero value is Bad so that a forgotten field never looks trustworthy.
const (
	Bad Quality = iota
	Uncertain
	Good
)

// Reason says why a reading is not Good. A Good reading has none.
type Reason string

// The reasons, as they travel on the wire.
const (
	Warming     Reason = "warming"
	Stale       Reason = "stale"
	OutOfRange  Reason = "out_of_range"
	Stuck       Reason = "stuck"
	CRC         Reason = "crc"
	NACK        Reason = "nack"
	Timeout     Reason = "timeout"
	WireOpen    Reason = "wire_open"
	WireShort   Reason = "wire_short"
	Inhibit     Reason = "inhibit"
	Implausible Reason = "implausible"
)

// Reasons lists every Reason in the order in which stores number them from 1.
// Append only: the numbers are on disk.
var Reasons = [...]Reason{
	Warming, Stale, OutOfRange, Stuck, CRC, NACK, Timeout, WireOpen, WireShort, Inhibit, Implausible,
}

// Known reports whether r is one of Reasons.
func (r Reason) Known() bool {
	for _, known := range Reasons {
		if r == known {
			return true
		}
	}
	return false
}

// Flags mark where evidence comes from. They travel from the register to the
// page and are never dropped on the way.
type Flags uint8

// The flags. A reading without flags is real.
const (
	Simulated Flags = 1 << iota
	Drill
)

// Exercise reports whether any flag is set.
func (f Flags) Exercise() bool { return f != 0 }

// Reading is one measured value, or the reason why there is none.
type Reading struct {
	Sensor  string    // id of the sensor in the site
	Value   float64   // in Quantity.Unit of the sensor; 0 and meaningless when Quality is Bad
	Quality Quality   // the zero value is Bad
	Reason  Reason    // empty when Quality is Good
	Flags   Flags     // simulated, drill
	At      time.Time // when it happened, UTC, whole milliseconds; zero until placed
}

// Span is an inclusive range of sequence numbers.
type Span struct{ From, To uint64 }
