package sim

import (
	"math"
	"time"

	"nirapod/firmware-sim/simbus"
)

// hdc302x is the register machine of TI's HDC3020/3021/3022 (SNAS778D): auto and
// triggered measurements, readout, extremes, status, heater, identity, resets.
// Alerts, offsets and NVM are not modelled: their commands are not
// acknowledged, like unknown ones.
//
// Commands are two bytes; each word of an answer is followed by its CRC. A
// sample can be read once. What a second read gives before the next sample the
// maker says twice and differently: no acknowledge (7.5.7.2), or the lowest
// values, -45 °C and 0 %RH (7.4.1): Chip.Reread. Linux's driver also retries
// because the part does not acknowledge while it measures: Chip.Busy. The part
// measures by its own clock. Its heater runs in sleep mode only.
type hdc302x struct {
	chip   Chip
	dice   dice
	clock  float64 // how long its seconds are
	serial uint64
	air    func() air
	faults func() faults

	sensed  float64 // °C at the element, after its thermal lag
	heated  float64 // K, by its own heater
	heater  uint16  // 14 bit power
	heating bool
	status  uint16
	auto    time.Duration // period of auto mode, 0 = idle
	takes   time.Duration // one measurement
	due     time.Duration // when the running or next measurement ends; idle and none triggered: never
	have    bool          // a sample was taken since measuring began
	fresh   bool          // and has not been read
	t, rh   uint16
	lo, hi  [2]uint16 // extremes of t and rh since auto mode began
	throws  int64     // noise drawn so far
	reads   int       // answers given, for BadCRC
}

const (
	hdcNoiseT, hdcNoiseRH = 0.02, 0.03 // standard deviation of one sample, K and %RH
	hdcHeaterK            = 60.0       // K at full power, simplified
	hdcHeaterLag          = 8 * time.Second
	hdcClockSpread        = 0.02 // of its clock, from one part to the next, assumed

	hdcStatusReset  = 0x8010 // an alert stands, and a reset was seen
	hdcStatusHeater = 1 << 13
	hdcStatusBadCRC = 1 << 0
	hdcManufacturer = 0x3000
)

// What a second read of the same sample gives.
const (
	rereadNACK    = "nack"
	rereadMinimum = "minimum"
)

// hdcPower is how long one measurement takes in low-power modes 0 to 3.
var hdcPower = [4]time.Duration{12500 * time.Microsecond, 7500 * time.Microsecond, 5 * time.Millisecond, 3700 * time.Microsecond}

// hdcModes are the commands that start measurements: first byte → period, and
// the second byte of each low-power mode. Period 0 is one measurement.
var hdcModes = map[byte]struct {
	period time.Duration
	second [4]byte
}{
	0x24: {0, [4]byte{0x00, 0x0b, 0x16, 0xff}},
	0x20: {2 * time.Second, [4]byte{0x32, 0x24, 0x2f, 0xff}},
	0x21: {time.Second, [4]byte{0x30, 0x26, 0x2d, 0xff}},
	0x22: {500 * time.Millisecond, [4]byte{0x36, 0x20, 0x2b, 0xff}},
	0x23: {250 * time.Millisecond, [4]byte{0x34, 0x22, 0x29, 0xff}},
	0x27: {100 * time.Millisecond, [4]byte{0x37, 0x21, 0x2a, 0xff}},
}

func newHDC302x(c Chip, seed uint64, air func() air, faults func() faults) *hdc302x {
	d := newDice(seed, "chip/"+c.Target())
	clock := 1 + hdcClockSpread*(2*d.unit(0)-1)
	h := &hdc302x{chip: c, dice: d, clock: clock, serial: uint64(d) & (1<<48 - 1), air: air, faults: faults}
	h.sensed = air().temperature
	h.powerOn(0)
	return h
}

func (h *hdc302x) powerOn(time.Duration) {
	h.status, h.heater, h.heating = hdcStatusReset, 1<<14-1, false
	h.stop()
}

func (h *hdc302x) stop() {
	h.auto, h.due, h.have, h.fresh = 0, never, false, false
}

// step moves the element's temperature by one tick and takes what is due.
func (h *hdc302x) step(now time.Duration) {
	h.sensed = lag(h.sensed, h.air().temperature, h.chip.Lag)
	target := 0.0
	if h.heating && h.auto == 0 {
		target = hdcHeaterK * float64(h.heater) / (1<<14 - 1)
	}
	h.heated = lag(h.heated, target, hdcHeaterLag)
	h.catchUp(now)
}

func (h *hdc302x) catchUp(now time.Duration) {
	if now < h.due {
		return
	}
	h.measure(now)
	if h.auto == 0 {
		h.due = never
		return
	}
	h.due += ((now-h.due)/h.auto + 1) * h.auto
}

// measure latches the registers. A frozen or busy part latches nothing new.
func (h *hdc302x) measure(now time.Duration) {
	fs := h.faults()
	_, busy := fs.on(Busy, now)
	_, frozen := fs.on(Frozen, now)
	if busy {
		return
	}
	h.fresh = true
	if frozen && h.have {
		return
	}
	h.throws++
	t := h.sensed + h.heated + hdcNoiseT*h.dice.normal(h.throws)
	t = fs.drifted(t, now, h.dice, -h.throws)
	rh := 100*h.air().vapour/saturation(h.sensed+h.heated) + hdcNoiseRH*h.dice.normal(h.throws|1<<40)
	h.t, h.rh = word((t+45)/175), word(rh/100)
	if f, ok := fs.on(Range, now); ok {
		h.t, h.rh = 0xffff, 0xffff
		if f.Value < 0 {
			h.t, h.rh = 0, 0
		}
	}
	if !h.have {
		h.lo, h.hi = [2]uint16{h.t, h.rh}, [2]uint16{h.t, h.rh}
	}
	h.lo = [2]uint16{min(h.lo[0], h.t), min(h.lo[1], h.rh)}
	h.hi = [2]uint16{max(h.hi[0], h.t), max(h.hi[1], h.rh)}
	h.have = true
}

// word maps 0..1 to a register, which saturates.
func word(share float64) uint16 {
	return uint16(math.Round(min(max(share, 0), 1) * 0xffff))
}

func (h *hdc302x) transact(now time.Duration, w []byte, n int) ([]byte, error) {
	h.catchUp(now)
	if len(w) == 0 {
		if n == 0 {
			return nil, nil // the address alone is acknowledged
		}
		return h.readout(now, n)
	}
	if len(w) < 2 {
		return nil, simbus.ErrNACK
	}
	if be16(w) == 0xe000 && n > 0 {
		return h.readout(now, n)
	}
	answer, known := h.command(now, w)
	if !known || n > 0 && len(answer) == 0 {
		return nil, simbus.ErrNACK
	}
	return h.reply(now, answer, n), nil
}

// readout gives the newest sample, once.
func (h *hdc302x) readout(now time.Duration, n int) ([]byte, error) {
	measuring := h.chip.Busy && h.due != never && now >= h.due-h.takes
	_, never := h.faults().on(Busy, now)
	if !h.have || measuring || never {
		return nil, simbus.ErrNACK
	}
	if h.fresh {
		h.fresh = false
		return h.reply(now, []uint16{h.t, h.rh}, n), nil
	}
	if h.chip.Reread == rereadMinimum {
		return h.reply(now, []uint16{0, 0}, n), nil
	}
	return nil, simbus.ErrNACK
}

// command executes a command that is no readout. Its answer may be empty.
func (h *hdc302x) command(now time.Duration, w []byte) (answer []uint16, known bool) {
	if mode, ok := hdcModes[w[0]]; ok {
		for power, second := range mode.second {
			if w[1] == second {
				h.start(now, mode.period, hdcPower[power])
				return nil, true
			}
		}
		return nil, false
	}
	switch be16(w) {
	case 0x3093:
		h.stop()
	case 0x30a2:
		h.powerOn(now)
	case 0x3041:
		h.status = 0
	case 0x306d:
		h.heating = true
	case 0x3066:
		h.heating = false
	case 0x306e:
		h.configureHeater(w[2:])
	case 0xe002, 0xe003, 0xe004, 0xe005:
		return h.extreme(w[1])
	default:
		return h.identity(now, be16(w))
	}
	return nil, true
}

func (h *hdc302x) start(now, period, takes time.Duration) {
	h.stop()
	h.auto = time.Duration(h.clock * float64(period))
	h.takes, h.due = takes, now+takes
}

func (h *hdc302x) configureHeater(data []byte) {
	if len(data) != 3 || crc8(data[:2]) != data[2] {
		h.status |= hdcStatusBadCRC
		return
	}
	h.heater = be16(data) & (1<<14 - 1)
}

func (h *hdc302x) extreme(second byte) ([]uint16, bool) {
	if !h.have {
		return nil, false
	}
	return map[byte][]uint16{0x02: {h.lo[0]}, 0x03: {h.hi[0]}, 0x04: {h.lo[1]}, 0x05: {h.hi[1]}}[second], true
}

func (h *hdc302x) identity(now time.Duration, command uint16) ([]uint16, bool) {
	switch command {
	case 0xf32d:
		status := h.status
		if h.heating {
			status |= hdcStatusHeater
		}
		return []uint16{status}, true
	case 0x3781:
		if f, ok := h.faults().on(WrongID, now); ok {
			return []uint16{uint16(f.Value)}, true
		}
		return []uint16{hdcManufacturer}, true
	case 0x3683, 0x3684, 0x3685:
		return []uint16{uint16(h.serial >> (16 * (0x3685 - command)))}, true
	}
	return nil, false
}

// reply lays out words with their checksums; beyond them the bus reads ones.
func (h *hdc302x) reply(now time.Duration, words []uint16, n int) []byte {
	out := make([]byte, 0, max(n, 3*len(words)))
	for _, v := range words {
		hi, lo := put16(v)
		out = append(out, hi, lo, crc8([]byte{hi, lo}))
	}
	if len(out) > 0 {
		h.reads++
		if f, ok := h.faults().on(BadCRC, now); ok && h.reads%max(f.Every, 1) == 0 {
			out[2] ^= 0x10
		}
	}
	for len(out) < n {
		out = append(out, 0xff)
	}
	return out[:n]
}

// crc8 is the part's checksum: polynomial x⁸+x⁵+x⁴+1, start value 0xff.
func crc8(data []byte) byte {
	crc := byte(0xff)
	for _, b := range data {
		crc ^= b
		for range 8 {
			carry := crc&0x80 != 0
			crc <<= 1
			if carry {
				crc ^= 0x31
			}
		}
	}
	return crc
}

func (h *hdc302x) registers(time.Duration) []Register {
	target := h.chip.Target()
	return []Register{
		{target, "temperature", h.t, float64(h.t)/0xffff*175 - 45, "Cel", h.have},
		{target, "humidity", h.rh, float64(h.rh) / 0xffff * 100, "%RH", h.have},
	}
}
