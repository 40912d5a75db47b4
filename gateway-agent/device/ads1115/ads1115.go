// Package ads1115 reads TI's ADS1115 four-channel 16-bit converter, one
// channel at a time.
//
// The part's clock may be 10 % slow, so waiting one period and reading returns
// the previous channel now and then. Here the ready bit is polled, and the
// channel that the part says it converted is compared with the one asked for.
//
// Sources: TI SBAS444, registers; the ready bit is bit 15 of the configuration.
package ads1115

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"periph.io/x/conn/v3/i2c"

	"nirapod/gateway-agent/device"
)

const (
	regConversion = 0
	regConfig     = 1

	bitReady       = 1 << 15 // written: start; read: not converting
	muxShift       = 12
	muxMask        = 7 << muxShift
	muxSingleEnded = 4      // AIN0 to ground; 5 to 7 are AIN1 to AIN3
	rangeBits      = 1 << 9 // ±4.096 V
	bitSingleShot  = 1 << 8 //
	rateBits       = 7 << 5 // 860 samples a second
	comparatorOff  = 3      //
	period         = time.Second / 860
	limit          = 2 * period // 10 % for the part's clock, the rest for a slow bus
	pause          = period / 4 // between looks at the ready bit
)

// Inputs is the number of inputs of a part.
const Inputs = 4

// FullScale is the voltage at which a reading clips.
const FullScale = 4.096

// Dev is one converter. It is not safe for concurrent use.
type Dev struct {
	conn  i2c.Dev
	dirty bool // a conversion may be running that nobody waits for
}

// New returns the converter at addr (0x48 to 0x4B). It does no I/O.
func New(bus i2c.Bus, addr uint16) *Dev {
	return &Dev{conn: i2c.Dev{Bus: bus, Addr: addr}, dirty: true}
}

// Read converts input (0 to 3) against ground once and returns volts within
// ±FullScale, ends included: at an end the input may be beyond it. Errors wrap
// device.ErrNACK, ErrTimeout, ErrRefused, or ErrImplausible when the part
// converted something else. After an error nothing of that conversion is ever
// returned.
func (d *Dev) Read(input int) (volts float64, err error) {
	if d.dirty {
		if _, err := d.wait(); err != nil {
			return 0, err
		}
	}
	d.dirty = true
	mux := uint16(muxSingleEnded+input) << muxShift
	config := bitReady | mux | rangeBits | bitSingleShot | rateBits | comparatorOff
	if err := d.conn.Tx([]byte{regConfig, byte(config >> 8), byte(config)}, nil); err != nil {
		return 0, err
	}
	time.Sleep(period)
	state, err := d.wait()
	if err != nil {
		return 0, err
	}
	if want := config &^ bitReady; state&^bitReady != want {
		return 0, fmt.Errorf("configured %#04x, part says %#04x: %w", want, state&^bitReady, device.ErrImplausible)
	}
	raw, err := d.register(regConversion)
	if err != nil {
		return 0, err
	}
	d.dirty = false
	return Volts(int16(raw)), nil
}

// wait returns the configuration once the part is not converting. It looks at
// least once after the limit, so that a late wake-up is not taken for a slow part.
func (d *Dev) wait() (config uint16, err error) {
	end := time.Now().Add(limit)
	for {
		late := !time.Now().Before(end)
		config, err := d.register(regConfig)
		if err != nil {
			return 0, err
		}
		if config&bitReady != 0 {
			return config, nil
		}
		if late {
			return 0, fmt.Errorf("still converting after %v: %w", limit, device.ErrTimeout)
		}
		time.Sleep(pause)
	}
}

func (d *Dev) register(r byte) (uint16, error) {
	var in [2]byte
	if err := d.conn.Tx([]byte{r}, in[:]); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(in[:]), nil
}

// Volts converts a conversion register at ±FullScale.
func Volts(raw int16) float64 { return float64(raw) / (math.MaxInt16 + 1) * FullScale }
