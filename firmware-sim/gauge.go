package sim

import (
	"fmt"
	"math"
	"time"
)

// Gauge is a pressure transmitter of a boiler: a unit on the RS-485 line.
type Gauge struct {
	Unit   uint8   `yaml:"unit"` // Modbus address, 1 to 247
	Boiler string  `yaml:"boiler"`
	Span   float64 `yaml:"span_bar"` // what it can measure, from 0; default 16
}

// Target is how faults call the gauge.
func (g Gauge) Target() string { return unitTarget(g.Unit) }

func unitTarget(unit uint8) string { return fmt.Sprintf("%s/%d", serialLine, unit) }

const (
	gaugeSpan  = 16.0  // bar
	gaugeNoise = 0.004 // bar, standard deviation
	gaugeThrow = 20    // a second, of its noise
	gaugeOver  = 1.1   // of the span: where it ends
)

// gauge is the transmitter at work.
type gauge struct {
	Gauge
	dice   dice
	boiler *boiler
	kept   []uint16 // while frozen
}

func (g *gauge) powerOn(time.Duration) {}

// registers are the same whether asked as input or as holding registers: 0 and
// 1 the pressure in bar, a float of 32 bits with its high word first; 2 the
// same in hundredths, 16 bits with a sign. A broken cell is not a number, and
// the lowest that 16 bits hold.
func (g *gauge) registers(function byte, now time.Duration, fs faults) []uint16 {
	if function != rtuReadInput && function != rtuReadHolding {
		return nil
	}
	if _, frozen := fs.on(Frozen, now); frozen && g.kept != nil {
		return g.kept
	}
	throw := int64(now / (time.Second / gaugeThrow))
	bar := fs.drifted(g.boiler.pressure+gaugeNoise*g.dice.normal(throw), now, g.dice, -throw-1)
	if f, ok := fs.on(Range, now); ok {
		bar = 2 * g.Span
		if f.Value < 0 {
			bar = -1
		}
	}
	bar = min(bar, gaugeOver*g.Span)
	bits, hundredths := math.Float32bits(float32(bar)), uint16(int16(math.Round(bar*100)))
	if _, broken := fs.on(TransmitterFault, now); broken {
		bits, hundredths = math.Float32bits(float32(math.NaN())), 0x8000
	}
	g.kept = []uint16{uint16(bits >> 16), uint16(bits), hundredths}
	return g.kept
}
