package sim

import "time"

// What can be wired to an input of an ADC.
const (
	kindSmokeLoop = "smoke_loop" // supervised line eol-4k7-1k with a smoke head
	kindCOLoop    = "co_4_20ma"  // CO transmitter on 150 ohm
	kindVref      = "vref"       // the loops' supply
)

// The supervised line, as in the makers' application notes for end-of-line
// monitoring: pull-up from Vref to the line, end-of-line resistor across its
// end, and the head's alarm contact putting another across it.
const (
	loopPullUp   = 2200.0
	loopEOL      = 4700.0
	loopAlarm    = 1000.0
	loopShort    = 30.0
	loopOpen     = 1.1e6 // what leaks across a cut line
	loopLeak     = 5600.0
	burden       = 150.0 // ohm under the 4-20 mA transmitter
	warmUpMA     = 3.75  // mA while the cell warms up (as MSA's Ultima X does)
	faultMA      = 3.6   // mA on an internal fault (NAMUR NE 43)
	overRangeMA  = 21.0  // mA beyond the span
	coNoise      = 0.5   // ppm, standard deviation
	vrefSpread   = 0.005 // of Vref, from one box to the next
	linearMA     = 20.5  // mA up to which the transmitter follows
	inputThrowHz = 50    // noise of a transmitter changes this often
)

// terminal is one wired input: its voltage, and the state behind it.
type terminal struct {
	Input
	dice   dice
	air    func() air
	faults func() faults
	vref   func() float64

	felt    float64       // in the smoke chamber (1/m) or the gas cell (ppm), after its lag
	latched bool          // the head is in alarm until its power is interrupted
	powered time.Duration // when power came
	kept    float64       // V, while frozen
	frozen  bool
}

func (t *terminal) powerOn(now time.Duration) {
	t.latched, t.powered = false, now
}

// step moves what the head feels by one tick. Smoke enters the chamber, gas
// the cell, with a first-order lag (Heskestad 1977 for smoke: the lag is a
// characteristic length over the speed of the air, here a constant).
func (t *terminal) step(now time.Duration) {
	switch t.Kind {
	case kindSmokeLoop:
		t.felt = lag(t.felt, t.air().smoke, t.Lag)
		t.latched = t.latched || t.felt >= t.Alarm
	case kindCOLoop:
		t.felt = lag(t.felt, t.air().co, t.Lag)
	}
	_, frozen := t.faults().on(Frozen, now)
	if frozen && !t.frozen {
		t.kept = t.live(now)
	}
	t.frozen = frozen
}

// volts returns the voltage at the input.
func (t *terminal) volts(now time.Duration) float64 {
	if t.frozen {
		return t.kept
	}
	return t.live(now)
}

func (t *terminal) live(now time.Duration) float64 {
	var v float64
	switch t.Kind {
	case kindSmokeLoop:
		r := t.ohms(now)
		v = t.vref() * r / (r + loopPullUp)
	case kindCOLoop:
		v = t.milliamps(now) / 1e3 * burden
	case kindVref:
		v = t.vref()
	}
	return t.faults().drifted(v, now, t.dice, t.throw(now))
}

// ohms is the line as seen from the box.
func (t *terminal) ohms(now time.Duration) float64 {
	fs := t.faults()
	if _, ok := fs.on(LoopShort, now); ok {
		return loopShort
	}
	if _, ok := fs.on(LoopOpen, now); ok {
		return loopOpen
	}
	r := loopEOL
	if t.latched {
		r = parallel(r, loopAlarm)
	}
	if f, ok := fs.on(LoopDegraded, now); ok {
		r = parallel(r, orDefault(f.Value, loopLeak))
	}
	return r
}

func parallel(a, b float64) float64 { return a * b / (a + b) }

func (t *terminal) milliamps(now time.Duration) float64 {
	fs := t.faults()
	if _, ok := fs.on(LoopOpen, now); ok {
		return 0
	}
	if f, ok := fs.on(TransmitterFault, now); ok {
		return orDefault(f.Value, faultMA)
	}
	if now < t.powered+t.WarmUp {
		return warmUpMA
	}
	ppm := t.felt + coNoise*t.dice.normal(t.throw(now))
	ma := 4 + 16*max(ppm, 0)/t.Span
	if _, over := fs.on(OverRange, now); over || ma > linearMA {
		return overRangeMA
	}
	return ma
}

func (t *terminal) throw(now time.Duration) int64 {
	return int64(now / (time.Second / inputThrowHz))
}
