// Package scd41 reads Sensirion's SCD41 sensor of CO2, temperature and
// humidity, which measures by itself every 5 s after it is started.
//
// A part that measures refuses almost every command, and it goes on measuring
// when the gateway restarts: so it is stopped first, and left alone for the
// half second that this takes. Its buffer holds one sample and is empty once
// read: so it is asked whether there is a new one, and is never read for the
// same one twice. Self-calibration takes the lowest value of a week for fresh
// air and makes a part drift low where people work around the clock; the maker
// ships it switched on, here it is off unless asked for. Settings are given at
// every start and never written into the part's memory, which wears out.
//
// Photoacoustic CO2 is for air quality and occupancy. It is no detector of fire
// or of gas that kills.
//
// Sources: commands, times and formulae of Sensirion's SCD4x data sheet and of
// its published drivers.
package scd41

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"periph.io/x/conn/v3/i2c"

	"nirapod/gateway-agent/device"
)

// Address is the part's only one. Several on one bus need a multiplexer.
const Address = 0x62

// Interval is between two samples, by the part's own clock.
const Interval = 5 * time.Second

const (
	cmdStart           = 0x21B1
	cmdRead            = 0xEC05
	cmdStop            = 0x3F86
	cmdReady           = 0xE4B8
	cmdSerial          = 0x3682
	cmdOffset          = 0x241D
	cmdAltitude        = 0x2427
	cmdPressure        = 0xE000
	cmdSelfCalibration = 0x2416

	readyBits = 0x07FF // of the ready status: any set means that there is a sample

	// settle is what the part needs after a stop.
	settle = 500 * time.Millisecond
	// execute is what a command needs before its answer can be read: 1 ms by the
	// data sheet.
	execute = 2 * time.Millisecond
	// overdue is when a sample is so late that the part may have been reset.
	overdue = 3 * Interval / 2
	// patience is how long a part may have nothing to give before that is a fault.
	patience = 3 * Interval
)

// Dev is one sensor. It is not safe for concurrent use.
type Dev struct {
	conn i2c.Dev
	set  Settings

	phase   phase
	stopped time.Time // when the stop was sent
	life    time.Time // of the newest start or the newest sample
	mute    bool      // was given time enough since it gave its last sample
	serial  uint64
}

type phase int

const (
	unknown phase = iota // nothing is known of the part
	stopping
	measuring
)

// New returns the sensor on bus. It does no I/O.
func New(bus i2c.Bus, set Settings) *Dev {
	return &Dev{conn: i2c.Dev{Bus: bus, Addr: Address}, set: set}
}

// Serial returns the part's serial number, 48 bits; 0 before it has answered.
func (d *Dev) Serial() uint64 { return d.serial }

// Read returns a sample that has not been read before. It starts the part when
// that has not been done, or when the part has been reset; Read never waits for
// that but returns device.ErrWarming, as it does while there is no new sample
// yet, and is to be called again. Once a part has measured for 15 s without
// giving one the error is device.ErrTimeout, until it does. Other errors wrap device.ErrNACK, ErrTimeout, ErrRefused
// or ErrCRC.
func (d *Dev) Read() (Sample, error) {
	switch d.phase {
	case stopping:
		if time.Since(d.stopped) < settle {
			return Sample{}, d.nothing(errStopping)
		}
		return Sample{}, d.begin()
	case measuring:
		return d.fetch()
	}
	return Sample{}, d.stop()
}

// stop brings the part to rest, whatever it does. One that rests already may
// refuse that: whether it is there at all is seen when it is begun.
func (d *Dev) stop() error {
	if err := d.command(cmdStop); err != nil && !errors.Is(err, device.ErrNACK) {
		return err
	}
	d.phase, d.stopped = stopping, time.Now()
	return d.nothing(errStopping)
}

// begin identifies a part at rest, sets it and lets it measure.
func (d *Dev) begin() error {
	d.phase = unknown
	var words [3]uint16
	if err := d.query(cmdSerial, words[:]); err != nil {
		return err
	}
	d.serial = uint64(words[0])<<32 | uint64(words[1])<<16 | uint64(words[2])
	for _, s := range d.set.commands() {
		if err := d.command(s.code, s.value); err != nil {
			return err
		}
		time.Sleep(execute)
	}
	if err := d.command(cmdStart); err != nil {
		return err
	}
	d.phase, d.life = measuring, time.Now()
	return d.nothing(errStarted)
}

func (d *Dev) fetch() (Sample, error) {
	var status [1]uint16
	if err := d.query(cmdReady, status[:]); err != nil {
		return Sample{}, d.lost(err)
	}
	if status[0]&readyBits == 0 {
		return Sample{}, d.whyNot()
	}
	var words [3]uint16
	err := d.query(cmdRead, words[:])
	if errors.Is(err, device.ErrNACK) {
		return Sample{}, d.nothing(errTaken)
	}
	if err != nil {
		return Sample{}, err
	}
	d.life, d.mute = time.Now(), false
	return Sample{CO2: words[0], RawT: words[1], RawRH: words[2]}, nil
}

// lost makes a part that does not acknowledge be started anew once it does.
func (d *Dev) lost(err error) error {
	if errors.Is(err, device.ErrNACK) {
		d.phase = unknown
	}
	return err
}

// whyNot tells a part that has nothing new yet from one that has been reset:
// that one rests, and only a part at rest tells its serial number.
func (d *Dev) whyNot() error {
	late := time.Since(d.life)
	if late < overdue {
		return d.nothing(errNothingNew)
	}
	var words [3]uint16
	switch err := d.query(cmdSerial, words[:]); {
	case err == nil:
		return fmt.Errorf("%w: %w", d.begin(), errReset)
	case !errors.Is(err, device.ErrNACK):
		return err
	}
	if late >= patience {
		d.phase, d.mute = unknown, true // it is stopped and begun anew meanwhile
	}
	return d.nothing(errNothingNew)
}

// nothing says that there is no sample, as a fault once the part had its time.
func (d *Dev) nothing(why error) error {
	if d.mute {
		return fmt.Errorf("%w: %w", device.ErrTimeout, why)
	}
	return fmt.Errorf("%w: %w", device.ErrWarming, why)
}

var (
	errStopping   = errors.New("being stopped before its start")
	errStarted    = errors.New("just started")
	errReset      = errors.New("restarted after a reset")
	errNothingNew = errors.New("no new sample")
	errTaken      = errors.New("the sample was gone")
)

// command writes a command with the words that belong to it.
func (d *Dev) command(code uint16, words ...uint16) error {
	out := binary.BigEndian.AppendUint16(nil, code)
	for _, w := range words {
		out = device.AppendWord(out, w)
	}
	return d.conn.Tx(out, nil)
}

// query fills words from the answer to a command, which is read in a
// transaction of its own: two bytes and a CRC for each.
func (d *Dev) query(code uint16, words []uint16) error {
	if err := d.command(code); err != nil {
		return err
	}
	time.Sleep(execute)
	in := make([]byte, 3*len(words))
	if err := d.conn.Tx(nil, in); err != nil {
		return err
	}
	return device.ReadWords(in, words)
}

// offsetWord is a temperature difference in K as the part takes it.
func offsetWord(k float64) uint16 { return uint16(math.Round(k * 65535 / 175)) }
