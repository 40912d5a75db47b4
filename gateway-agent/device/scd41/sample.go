package scd41

// MaxCO2 is where the part's output ends, ppm. Its accuracy is given from 400
// to 5000 ppm.
const MaxCO2 = 40000

// Sample is one measurement as the part gave it.
type Sample struct{ CO2, RawT, RawRH uint16 }

// PPM returns CO2. 0, and MaxCO2 or more, are the ends of the scale and the
// caller's to judge.
func (s Sample) PPM() float64 { return float64(s.CO2) }

// Temperature returns °C, good to about 0.8 K when the self-heating is right.
func (s Sample) Temperature() float64 { return -45 + 175*float64(s.RawT)/65535 }

// Humidity returns relative humidity in percent, 0 to 100.
func (s Sample) Humidity() float64 { return 100 * float64(s.RawRH) / 65535 }
