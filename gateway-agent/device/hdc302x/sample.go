package hdc302x

// The range in which the part measures temperature, °C.
const (
	MinTemperature = -40.0
	MaxTemperature = 125.0
)

// Sample is one measurement as the part gave it.
type Sample struct{ RawT, RawRH uint16 }

// Temperature returns °C. It may lie outside MinTemperature to MaxTemperature:
// a register at its end of scale is the caller's to judge.
func (s Sample) Temperature() float64 { return -45 + 175*float64(s.RawT)/65535 }

// Humidity returns relative humidity in percent, 0 to 100.
func (s Sample) Humidity() float64 { return 100 * float64(s.RawRH) / 65535 }
