package sim

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// FaultKind is a way for a part to go wrong.
type FaultKind string

// The faults. Value and Every are Fault's fields.
const (
	// On a bus (target such as i2c-1).
	BusStuck FaultKind = "bus_stuck" // SDA held low: every transaction times out

	// On a chip (target such as i2c-1/0x44).
	NACK      FaultKind = "nack"         // absent
	Timeout   FaultKind = "timeout"      // stretches the clock for ever when addressed
	BadCRC    FaultKind = "bad_crc"      // hdc302x: each Every-th reply has a wrong checksum; 0 means each. A Modbus unit: every reply
	Frozen    FaultKind = "frozen"       // registers, an analog input or a contact keep what they have
	Drift     FaultKind = "drift"        // hdc302x: Value K a minute; scd41: ppm; a gauge: bar; an analog input: V
	Noise     FaultKind = "noise"        // hdc302x: standard deviation Value K; scd41: ppm; a gauge: bar; an analog input: V
	Range     FaultKind = "out_of_range" // hdc302x, scd41, gauge: registers at their end, the lower one if Value < 0
	Busy      FaultKind = "busy"         // never has a result
	WrongID   FaultKind = "wrong_id"     // hdc302x: manufacturer id reads Value
	SlowClock FaultKind = "slow_clock"   // ads1115: conversions take Value times as long; 0 means 1.1
	Reboot    FaultKind = "reboot"       // power interrupted for a moment: idle again, latches open, warm-up starts

	// On an analog input (target is its id).
	LoopOpen         FaultKind = "loop_open"
	LoopShort        FaultKind = "loop_short"
	LoopDegraded     FaultKind = "loop_degraded"     // leakage of Value ohm across the line; 0 means 5600
	TransmitterFault FaultKind = "transmitter_fault" // Value mA; 0 means 3.6
	OverRange        FaultKind = "over_range"        // 21 mA

	// On a Modbus unit (target such as rs485-1/1); nack is one that is silent, and
	// transmitter_fault a gauge whose cell is broken.
	Late      FaultKind = "late"       // answers after Value s, 0 means 0.5, to whoever is on the line then
	WrongUnit FaultKind = "wrong_unit" // answers in another unit's name
	Exception FaultKind = "exception"  // refuses with code Value; 0 means 4, a failure of its own

	// On a boiler (target is its id).
	BurnerStuck FaultKind = "burner_stuck" // burns whatever the pressure
	ValveStuck  FaultKind = "valve_stuck"  // the safety valve stays shut

	// On an input pin.
	Chatter FaultKind = "chatter" // a contact that never settles
)

// Fault is something wrong with one target. With For it ends by itself.
type Fault struct {
	Target string        `yaml:"target" json:"target"`
	Kind   FaultKind     `yaml:"kind" json:"kind"`
	Value  float64       `yaml:"value" json:"value,omitempty"`
	Every  int           `yaml:"every" json:"every,omitempty"`
	For    time.Duration `yaml:"for" json:"for,omitempty"`
}

// What faults can be put on, in words.
const (
	targetBus         = "bus"
	targetHDC302x     = "hdc302x"
	targetSCD41       = "scd41"
	targetADS1115     = "ads1115"
	targetSmokeLoop   = "smoke loop"
	targetTransmitter = "4-20 mA transmitter"
	targetReference   = "reference input"
	targetCounter     = "people counter"
	targetGauge       = "pressure gauge"
	targetBoiler      = "boiler"
	targetInput       = "input pin"
	targetOutput      = "output pin"
)

var targetOf = map[string]string{
	partHDC302x: targetHDC302x, partADS1115: targetADS1115, partSCD41: targetSCD41,
	kindSmokeLoop: targetSmokeLoop, kindCOLoop: targetTransmitter, kindVref: targetReference,
}

var faultsOf = map[string][]FaultKind{
	targetBus:         {BusStuck},
	targetHDC302x:     {NACK, Timeout, BadCRC, Frozen, Drift, Noise, Range, Busy, WrongID, Reboot},
	targetSCD41:       {NACK, Timeout, BadCRC, Frozen, Drift, Noise, Range, Busy, Reboot},
	targetADS1115:     {NACK, Timeout, Frozen, Busy, SlowClock, Reboot},
	targetSmokeLoop:   {LoopOpen, LoopShort, LoopDegraded, Frozen, Drift, Noise, Reboot},
	targetTransmitter: {LoopOpen, TransmitterFault, OverRange, Frozen, Drift, Noise, Reboot},
	targetReference:   {Frozen, Drift, Noise},
	targetCounter:     {NACK, BadCRC, Late, WrongUnit, Exception, Frozen, Reboot},
	targetGauge:       {NACK, BadCRC, Late, WrongUnit, Exception, Frozen, Drift, Noise, Range, TransmitterFault},
	targetBoiler:      {BurnerStuck, ValveStuck},
	targetInput:       {Frozen, Chatter},
}

// check refuses a fault that its target cannot have. names maps targets to
// what they are; a bus is known by the chips on it.
func (f Fault) check(names map[string]string) error {
	kind := names[f.Target]
	if kind == "" && hasBus(names, f.Target) {
		kind = targetBus
	}
	switch {
	case kind == "":
		return fmt.Errorf("there is no %q to be faulty", f.Target)
	case !slices.Contains(faultsOf[kind], f.Kind):
		return fmt.Errorf("fault %q: what a %s can have is %v", f.Kind, kind, faultsOf[kind])
	case f.For < 0 || f.Every < 0:
		return fmt.Errorf("for and every are not negative")
	case (f.Kind == LoopDegraded || f.Kind == TransmitterFault) && f.Value < 0:
		return fmt.Errorf("value %v is negative", f.Value)
	case f.Kind == Late && (f.Value < 0 || f.Value > 60):
		return fmt.Errorf("an answer %v s late is outside 0 to 60", f.Value)
	case f.Kind == Exception && (f.Value < 0 || f.Value > 127):
		return fmt.Errorf("exception %v is outside 1 to 127", f.Value)
	case f.Kind == SlowClock && f.Value != 0 && (f.Value < 0.1 || f.Value > 100):
		return fmt.Errorf("a clock %v times as slow is outside 0.1 to 100", f.Value)
	case math.Abs(f.Value) > largest:
		return fmt.Errorf("value %v is beyond ±%.0f", f.Value, largest)
	}
	return nil
}

func hasBus(names map[string]string, bus string) bool {
	for name := range names {
		if len(name) > len(bus) && name[:len(bus)] == bus && name[len(bus)] == '/' {
			return true
		}
	}
	return false
}

// largest bounds what can be set or injected.
const largest = 1e6

// faults are those of one target that are on. A nil map has none.
type faults map[FaultKind]active

type active struct {
	Fault
	since time.Duration
}

// on returns the fault of kind k, if it is on at now.
func (fs faults) on(k FaultKind, now time.Duration) (active, bool) {
	a, ok := fs[k]
	if !ok || a.For > 0 && now >= a.since+a.For {
		return active{}, false
	}
	return a, true
}

// drifted returns v with the drift and noise that are on. throw numbers the
// sample.
func (fs faults) drifted(v float64, now time.Duration, d dice, throw int64) float64 {
	if f, ok := fs.on(Drift, now); ok {
		v += f.Value * (now - f.since).Minutes()
	}
	if f, ok := fs.on(Noise, now); ok {
		v += f.Value * d.normal(throw)
	}
	return v
}
