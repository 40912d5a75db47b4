package sim

import "time"

// Counter is a people counter over a room's doors: a unit on the RS-485 line.
type Counter struct {
	Unit   uint8  `yaml:"unit"` // Modbus address, 1 to 247
	Zone   string `yaml:"zone"`
	Inside uint32 `yaml:"inside"` // who had come in before the scenario began
}

// Target is how faults call the counter.
func (c Counter) Target() string { return unitTarget(c.Unit) }

// serialLine is the board's only RS-485 line.
const serialLine = "rs485-1"

// Crowd is people who go through a zone's doors, one after the other.
type Crowd struct {
	Zone  string        `yaml:"zone"`
	At    time.Duration `yaml:"at"`
	Enter uint32        `yaml:"enter"` // one of enter and leave
	Leave uint32        `yaml:"leave"`
	Pace  float64       `yaml:"per_minute"`
}

// passed returns how many of n have gone through the door at t.
func (c Crowd) passed(n uint32, t time.Duration) uint32 {
	if t < c.At {
		return 0
	}
	return uint32(min(float64(n), (t-c.At).Minutes()*c.Pace))
}

const (
	counterIdentity = 0x5043
	counterBeat     = 5 * time.Second
	statusCounting  = 1
	statusNotZeroed = 2
)

// counter is the unit at work. It counts without mistakes; real ones do not.
type counter struct {
	Counter
	crowds  []Crowd // of its zone
	status  uint16
	powered time.Duration
	lost    [2]uint32 // what it had counted when its power failed
	kept    []uint16  // while frozen
}

func newCounter(c Counter, all []Crowd) *counter {
	out := &counter{Counter: c, status: statusCounting}
	for _, crowd := range all {
		if crowd.Zone == c.Zone {
			out.crowds = append(out.crowds, crowd)
		}
	}
	return out
}

// through returns who has come in and gone out since before the scenario.
func (c *counter) through(t time.Duration) (in, out uint32) {
	in = c.Inside
	for _, crowd := range c.crowds {
		in += crowd.passed(crowd.Enter, t)
		out += crowd.passed(crowd.Leave, t)
	}
	return in, out
}

func (c *counter) powerOn(now time.Duration) {
	c.lost[0], c.lost[1] = c.through(now)
	c.status, c.powered = statusNotZeroed, now
}

// registers returns the input registers, for function 04: identity, status,
// heart beat (one more every 5 s), entered and left since it was set to zero,
// 32 bits each, high word first.
func (c *counter) registers(function byte, now time.Duration, fs faults) []uint16 {
	if function != rtuReadInput {
		return nil
	}
	if _, frozen := fs.on(Frozen, now); frozen && c.kept != nil {
		return c.kept
	}
	in, out := c.through(now)
	in, out = in-c.lost[0], out-c.lost[1]
	c.kept = []uint16{
		counterIdentity, c.status, uint16((now - c.powered) / counterBeat),
		uint16(in >> 16), uint16(in), uint16(out >> 16), uint16(out),
	}
	return c.kept
}
