// Package hdc302x reads TI's HDC3020/21/22 temperature and humidity sensors,
// which measure by themselves after Start.
//
// A sample can be read once, and the part measures by its own clock. So it is
// let measure twice a second and is read once: a reader in step with the part
// would find nothing new now and then. What a second read of one sample gives,
// the data sheet says twice and differently: no acknowledge (7.5.7.2), or the
// lowest values (7.4.1). Here neither is taken for a measurement.
//
// Sources: TI SNAS778D, commands and status register.
package hdc302x

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"nirapod/gateway-agent/device"
)

const (
	cmdAuto2Hz     = 0x2236 // two measurements a second, lowest noise
	cmdExitAuto    = 0x3093
	cmdRead        = 0xE000
	cmdStatus      = 0xF32D
	cmdClearStatus = 0x3041

	statusReset = 1 << 4 // a reset happened since the status was last cleared

	// settle is what the part needs between leaving auto mode and a new command.
	settle = 2 * time.Millisecond
	// patience is how long a part may have nothing to give before that is a fault.
	patience = 3 * time.Second
)

// Dev is one sensor. It is not safe for concurrent use.
type Dev struct {
	conn i2c.Dev
	on   bool      // started by this Dev and not known to have stopped
	life time.Time // of the first start or the newest sample
}

// New returns the sensor at addr (0x44 to 0x47). It does no I/O.
func New(bus i2c.Bus, addr uint16) *Dev {
	return &Dev{conn: i2c.Dev{Bus: bus, Addr: addr}}
}

// Start brings the part from any state, also one left by an earlier process,
// into measuring twice a second. The first sample follows within about 15 ms.
func (d *Dev) Start() error {
	d.on = false
	if err := d.command(cmdExitAuto); err != nil {
		return err
	}
	time.Sleep(settle)
	for _, c := range []uint16{cmdClearStatus, cmdAuto2Hz} {
		if err := d.command(c); err != nil {
			return err
		}
	}
	d.on = true
	return nil
}

// Read returns the newest sample. It starts the part when it has not been
// started, or has lost its state in a reboot. Until the first sample after
// that, and while no new sample has been taken since the last Read, it returns
// device.ErrWarming, for 3 s at most: then device.ErrTimeout, or the lowest
// values if that is what the part gives. Other errors wrap device.ErrNACK,
// ErrTimeout, ErrRefused or ErrCRC.
func (d *Dev) Read() (Sample, error) {
	if !d.on {
		return Sample{}, d.restart(errStarted)
	}
	var words [2]uint16
	err := d.query(cmdRead, words[:])
	if errors.Is(err, device.ErrNACK) {
		return Sample{}, d.whyNot()
	}
	if err == nil && words == [2]uint16{} && time.Since(d.life) < patience {
		return Sample{}, d.nothing(errNothingNew)
	}
	if err == nil && words != [2]uint16{} {
		d.life = time.Now()
	}
	return Sample{RawT: words[0], RawRH: words[1]}, err
}

// whyNot tells a part that has nothing new from one that rebooted and from one
// that is gone: all three refuse to be read.
func (d *Dev) whyNot() error {
	var status [1]uint16
	if err := d.query(cmdStatus, status[:]); err != nil {
		d.on = false
		return err
	}
	if status[0]&statusReset != 0 {
		d.life = time.Now()
		return d.restart(errReset)
	}
	err := d.nothing(errNothingNew)
	d.on = errors.Is(err, device.ErrWarming) // else it is started anew at the next Read
	return err
}

func (d *Dev) restart(why error) error {
	if err := d.Start(); err != nil {
		return err
	}
	if d.life.IsZero() {
		d.life = time.Now()
	}
	return d.nothing(why)
}

// nothing says that there is no sample, as a fault once that has lasted.
func (d *Dev) nothing(why error) error {
	if time.Since(d.life) < patience {
		return fmt.Errorf("%w: %w", device.ErrWarming, why)
	}
	return fmt.Errorf("%w: %w", device.ErrTimeout, why)
}

var (
	errStarted    = errors.New("just started")
	errReset      = errors.New("restarted after a reset")
	errNothingNew = errors.New("read before the next measurement")
)

func (d *Dev) command(c uint16) error {
	return d.conn.Tx(binary.BigEndian.AppendUint16(nil, c), nil)
}

// query fills words from the answer to c: two bytes and a CRC for each.
func (d *Dev) query(c uint16, words []uint16) error {
	in := make([]byte, 3*len(words))
	if err := d.conn.Tx(binary.BigEndian.AppendUint16(nil, c), in); err != nil {
		return err
	}
	return device.ReadWords(in, words)
}
