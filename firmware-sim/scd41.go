package sim

import (
	"math"
	"time"

	"nirapod/firmware-sim/simbus"
)

// scd41 is the register machine of Sensirion's SCD41: periodic measurement
// every 5 s, data-ready status, compensation, self-calibration setting,
// identity, EEPROM. Low power, single shot, sleep and forced recalibration are
// not modelled: their commands are not acknowledged, like unknown ones; nor is
// the wake-up, which the real part does not acknowledge either.
//
// A command of two bytes, with a word and its CRC for those that set
// something, is written; its answer is read in a transaction of its own once
// the command's time is over. Until then, and for half a second after a stop,
// nothing is acknowledged. While it measures it takes four commands only, so
// that a part that was left measuring refuses to be configured. Its buffer
// holds one sample, and reading it empties it.
//
// Sources: commands and times as in Sensirion's data sheet and its own drivers;
// where those say nothing (a stop while idle) the part here acknowledges.
type scd41 struct {
	chip   Chip
	dice   dice
	serial uint64
	clock  float64 // how long its seconds are
	air    func() air
	faults func() faults

	co2, warm float64 // ppm in the cell and °C of the board, after their lag
	set, kept scdSettings
	due       time.Duration // of the next sample; idle: never
	fresh     bool          // a sample waits in the buffer
	have      bool          // one was taken since measuring began
	words     [3]uint16     // CO2, T, RH
	busy      time.Duration // executes a command until then
	answer    []uint16      // of the last command, not yet read
	throws    int64         // noise drawn so far
	reads     int           // answers given, for BadCRC
}

// scdSettings are lost with the power unless they were persisted.
type scdSettings struct {
	offset   uint16 // of temperature, 175 K is 65535
	altitude uint16 // m
	pressure uint16 // hPa; 0 = by altitude. Never persisted
	asc      uint16 // self-calibration, 1 = on
}

const (
	scdAddress  = 0x62
	scdInterval = 5 * time.Second
	scdPowerUp  = time.Second // until it takes commands
	scdSpread   = 0.01        // of its clock, from one part to the next, assumed

	scdSelfHeat   = 4.0   // K, of the board above the air
	scdNoiseCO2   = 3.0   // ppm, standard deviation of one sample
	scdNoiseT     = 0.02  // K
	scdNoiseRH    = 0.05  // %RH
	scdTop        = 40000 // ppm, end of the output
	scdVariant    = 0x1440
	scdNotReady   = 0x8000
	scdReady      = 0x8006
	standardPress = 1013.25 // hPa
)

var scdFactory = scdSettings{offset: 1498, asc: 1} // 4 K

// scdTakes is how long each command keeps the part busy.
var scdTakes = map[uint16]time.Duration{
	0x21b1: time.Millisecond, 0xec05: time.Millisecond, 0xe4b8: time.Millisecond, 0x3f86: 500 * time.Millisecond,
	0xe000: time.Millisecond, 0x2427: time.Millisecond, 0x2322: time.Millisecond, 0x241d: time.Millisecond,
	0x2318: time.Millisecond, 0x2416: time.Millisecond, 0x2313: time.Millisecond, 0x3682: time.Millisecond,
	0x202f: time.Millisecond, 0x3615: 800 * time.Millisecond, 0x3646: 30 * time.Millisecond,
	0x3632: 1200 * time.Millisecond, 0x3639: 10 * time.Second,
}

func newSCD41(c Chip, seed uint64, air func() air, faults func() faults) *scd41 {
	d := newDice(seed, "chip/"+c.Target())
	s := &scd41{
		chip: c, dice: d, serial: uint64(d) & (1<<48 - 1), clock: 1 + scdSpread*(2*d.unit(0)-1),
		air: air, faults: faults, kept: scdFactory,
	}
	s.co2, s.warm = air().co2, air().temperature
	s.powerOn(-scdPowerUp)
	return s
}

func (s *scd41) powerOn(now time.Duration) {
	s.set = s.kept
	s.stop()
	s.busy = now + scdPowerUp
}

func (s *scd41) stop() {
	s.due, s.fresh, s.have, s.answer = never, false, false, nil
}

func (s *scd41) step(now time.Duration) {
	a := s.air()
	s.co2, s.warm = lag(s.co2, a.co2, s.chip.Lag), lag(s.warm, a.temperature, s.chip.Lag)
	s.catchUp(now)
}

func (s *scd41) catchUp(now time.Duration) {
	if now < s.due {
		return
	}
	s.measure(now)
	every := time.Duration(s.clock * float64(scdInterval))
	s.due += ((now-s.due)/every + 1) * every
}

// measure fills the buffer. A busy part has nothing new for ever; a frozen one
// gives the same sample as new.
func (s *scd41) measure(now time.Duration) {
	fs := s.faults()
	if _, busy := fs.on(Busy, now); busy {
		return
	}
	s.fresh = true
	if _, frozen := fs.on(Frozen, now); frozen && s.have {
		return
	}
	s.have = true
	s.throws++
	ppm := s.co2*standardPress/s.assumed() + scdNoiseCO2*s.dice.normal(s.throws)
	ppm = fs.drifted(ppm, now, s.dice, -s.throws)
	t := s.warm + scdSelfHeat - float64(s.set.offset)*175/0xffff + scdNoiseT*s.dice.normal(s.throws|1<<40)
	rh := 100*s.air().vapour/saturation(t) + scdNoiseRH*s.dice.normal(s.throws|1<<41)
	s.words = [3]uint16{uint16(math.Round(min(max(ppm, 0), scdTop))), word((t + 45) / 175), word(rh / 100)}
	if f, ok := fs.on(Range, now); ok {
		s.words[0] = scdTop
		if f.Value < 0 {
			s.words[0] = 0
		}
	}
}

// assumed is the pressure that the part reckons with, hPa: the light that gas
// absorbs goes with its density. By altitude it is the standard atmosphere's.
func (s *scd41) assumed() float64 {
	if s.set.pressure != 0 {
		return float64(s.set.pressure)
	}
	return standardPress * math.Pow(1-2.25577e-5*float64(s.set.altitude), 5.25588)
}

func (s *scd41) transact(now time.Duration, w []byte, n int) ([]byte, error) {
	s.catchUp(now)
	if now < s.busy || len(w) == 1 {
		return nil, simbus.ErrNACK
	}
	if len(w) > 0 {
		if !s.command(now, be16(w), w[2:]) || n > 0 { // a read at once comes before the command is done
			return nil, simbus.ErrNACK
		}
		return nil, nil
	}
	if n > 0 && len(s.answer) == 0 {
		return nil, simbus.ErrNACK
	}
	return s.reply(now, n), nil
}

// command executes a command; false is one that it does not acknowledge.
func (s *scd41) command(now time.Duration, code uint16, data []byte) bool {
	takes, known := scdTakes[code]
	running := s.due != never
	whileRunning := code == 0xec05 || code == 0xe4b8 || code == 0x3f86 || code == 0xe000
	argument, sound := scdArgument(data)
	if !known || running && !whileRunning || !sound || code == 0xec05 && !running {
		return false
	}
	s.answer, s.busy = nil, now+takes
	switch code {
	case 0x21b1:
		s.due = now + time.Duration(s.clock*float64(scdInterval))
	case 0x3f86:
		s.stop()
	case 0xec05:
		if s.fresh {
			s.answer, s.fresh = s.words[:], false
		}
	case 0xe4b8:
		s.answer = []uint16{scdNotReady}
		if s.fresh {
			s.answer = []uint16{scdReady}
		}
	case 0x3682:
		s.answer = []uint16{uint16(s.serial >> 32), uint16(s.serial >> 16), uint16(s.serial)}
	case 0x202f:
		s.answer = []uint16{scdVariant}
	case 0x3639:
		s.answer = []uint16{0} // no malfunction
	default:
		return s.setting(code, argument)
	}
	return true
}

// scdArgument takes the word that may follow a command, and its CRC.
func scdArgument(data []byte) (word *uint16, sound bool) {
	if len(data) == 0 {
		return nil, true
	}
	if len(data) != 3 || crc8(data[:2]) != data[2] {
		return nil, false
	}
	v := be16(data)
	return &v, true
}

// setting sets, tells or keeps what survives a measurement.
func (s *scd41) setting(code uint16, v *uint16) bool {
	target := map[uint16]*uint16{0xe000: &s.set.pressure, 0x2427: &s.set.altitude, 0x241d: &s.set.offset, 0x2416: &s.set.asc}[code]
	switch {
	case target != nil && v != nil:
		*target = *v
		return true
	case code == 0xe000:
		s.answer = []uint16{s.set.pressure}
	case code == 0x2322:
		s.answer = []uint16{s.set.altitude}
	case code == 0x2318:
		s.answer = []uint16{s.set.offset}
	case code == 0x2313:
		s.answer = []uint16{s.set.asc}
	case code == 0x3615:
		s.kept = s.set
		s.kept.pressure = 0
	case code == 0x3646:
		s.set = s.kept
	case code == 0x3632:
		s.set, s.kept = scdFactory, scdFactory
	default:
		return false
	}
	return true
}

// reply lays out the answer with its checksums, once; beyond it the bus reads ones.
func (s *scd41) reply(now time.Duration, n int) []byte {
	out := make([]byte, 0, max(n, 3*len(s.answer)))
	for _, v := range s.answer {
		hi, lo := put16(v)
		out = append(out, hi, lo, crc8([]byte{hi, lo}))
	}
	s.answer = nil
	if len(out) > 0 {
		s.reads++
		if f, ok := s.faults().on(BadCRC, now); ok && s.reads%max(f.Every, 1) == 0 {
			out[2] ^= 0x10
		}
	}
	for len(out) < n {
		out = append(out, 0xff)
	}
	return out[:n]
}

func (s *scd41) registers(time.Duration) []Register {
	target := s.chip.Target()
	return []Register{
		{target, "co2", s.words[0], float64(s.words[0]), "ppm", s.have},
		{target, "temperature", s.words[1], float64(s.words[1])/0xffff*175 - 45, "Cel", s.have},
		{target, "humidity", s.words[2], float64(s.words[2]) / 0xffff * 100, "%RH", s.have},
	}
}
