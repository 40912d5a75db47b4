package sim

import (
	"fmt"
	"math"
	"time"
)

// ads1115 is the register machine of TI's ADS1115 (SBAS444): pointer, the four
// registers, multiplexer, gain, single-shot and continuous conversions with the
// part's own clock, which is off by up to 10 %. The comparator is not modelled:
// its bits and thresholds are only stored.
type ads1115 struct {
	chip   Chip
	dice   dice
	clock  float64 // how long its seconds are, 0.9 to 1.1
	volts  func(ain int) float64
	faults func() faults

	pointer byte
	config  uint16    // as written; bit 15 is worked out when read
	limits  [2]uint16 // Lo_thresh, Hi_thresh
	result  uint16
	have    bool          // a conversion has ended since power on
	running bool          // a conversion is on its way
	with    uint16        // the configuration that it runs with
	ends    time.Duration // when it ends
	throws  int64
}

const (
	adsReset      = 0x8583
	adsOS         = 1 << 15
	adsSingleShot = 1 << 8
	adsWakeUp     = 25 * time.Microsecond
	adsNoise      = 150e-6 // V, standard deviation at the input, supply ripple included
)

var (
	adsGain  = [8]float64{6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256} // V full scale
	adsRates = [8]int{8, 16, 32, 64, 128, 250, 475, 860}                          // samples per second
	// adsMux are the inputs of each multiplexer setting; -1 is ground.
	adsMux = [8][2]int{{0, 1}, {0, 3}, {1, 3}, {2, 3}, {0, -1}, {1, -1}, {2, -1}, {3, -1}}
)

func newADS1115(c Chip, seed uint64, volts func(int) float64, faults func() faults) *ads1115 {
	d := newDice(seed, "chip/"+c.Target())
	a := &ads1115{chip: c, dice: d, clock: 0.9 + 0.2*d.unit(0), volts: volts, faults: faults}
	a.powerOn(0)
	return a
}

func (a *ads1115) powerOn(time.Duration) {
	a.pointer, a.config, a.limits = 0, adsReset, [2]uint16{0x8000, 0x7fff}
	a.result, a.have, a.running = 0, false, false
}

func (a *ads1115) step(now time.Duration) { a.catchUp(now) }

// period is one conversion, in true time.
func (a *ads1115) period(now time.Duration, config uint16) time.Duration {
	clock := a.clock
	if f, ok := a.faults().on(SlowClock, now); ok {
		clock = orDefault(f.Value, 1.1)
	}
	return time.Duration(clock * float64(time.Second) / float64(adsRates[config>>5&7]))
}

func (a *ads1115) begin(now time.Duration) {
	a.running, a.with = true, a.config
	a.ends = now + adsWakeUp + a.period(now, a.with)
}

// catchUp ends the conversions that are over. In continuous mode only the last
// of them can still be seen, so only that is made.
func (a *ads1115) catchUp(now time.Duration) {
	if _, busy := a.faults().on(Busy, now); busy || !a.running || now < a.ends {
		return
	}
	a.convert(now)
	if a.with&adsSingleShot != 0 {
		a.running = false
		return
	}
	a.with = a.config
	period := a.period(now, a.with)
	a.ends += ((now-a.ends)/period + 1) * period
	if a.with&adsSingleShot != 0 { // continuous mode was ended meanwhile
		a.running = false
	}
}

func (a *ads1115) convert(now time.Duration) {
	fs := a.faults()
	if _, frozen := fs.on(Frozen, now); frozen && a.have {
		return
	}
	input := adsMux[a.with>>12&7]
	v := a.input(input[0]) - a.input(input[1])
	a.throws++
	v += adsNoise * a.dice.normal(a.throws)
	code := math.Round(v / adsGain[a.with>>9&7] * (1 << 15))
	a.result = uint16(int16(min(max(code, math.MinInt16), math.MaxInt16)))
	a.have = true
}

func (a *ads1115) input(ain int) float64 {
	if ain < 0 {
		return 0
	}
	return a.volts(ain)
}

func (a *ads1115) transact(now time.Duration, w []byte, n int) ([]byte, error) {
	a.catchUp(now)
	if len(w) > 0 {
		a.pointer = w[0] & 3
	}
	if len(w) > 2 {
		a.write(now, be16(w[1:]))
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = 0xff // nobody drives the bus beyond the register
	}
	if n >= 2 {
		out[0], out[1] = put16(a.read())
	} else if n == 1 {
		out[0] = byte(a.read() >> 8)
	}
	return out, nil
}

func (a *ads1115) read() uint16 {
	switch a.pointer {
	case 0:
		return a.result
	case 1:
		if a.running {
			return a.config &^ adsOS
		}
		return a.config | adsOS
	}
	return a.limits[a.pointer-2]
}

// write stores a register. A conversion that runs is neither restarted nor
// changed by a write to the configuration.
func (a *ads1115) write(now time.Duration, v uint16) {
	switch a.pointer {
	case 1:
		a.config = v &^ adsOS
		start := v&adsOS != 0 || v&adsSingleShot == 0
		if start && !a.running {
			a.begin(now)
		}
	case 2, 3:
		a.limits[a.pointer-2] = v
	}
}

func (a *ads1115) registers(now time.Duration) []Register {
	target := a.chip.Target()
	v := float64(int16(a.result)) / (1 << 15) * adsGain[a.with>>9&7]
	rs := []Register{
		{target, "conversion", a.result, v, "V", a.have},
		{target, "config", a.config, 0, "", true},
	}
	for _, in := range a.chip.Inputs {
		rs = append(rs, Register{target, fmt.Sprintf("ain%d", in.AIN), 0, a.volts(in.AIN), "V", true})
	}
	return rs
}
