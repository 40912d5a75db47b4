package sim_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/firmware-sim/simbus"
)

// reader reads a world's registers as a gateway would, with its own arithmetic.
type reader struct {
	t     *testing.T
	world *sim.World
	now   time.Duration
}

func load(t *testing.T, name, recording string, seed uint64) *reader {
	t.Helper()
	sc, err := sim.Load(name, recording)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t: t, world: sim.New(sc, seed)}
}

func (r *reader) tx(addr uint16, n int, w ...byte) []byte {
	r.t.Helper()
	b, err := r.world.Transact(r.now, "i2c-1", addr, w, n)
	if err != nil {
		r.t.Fatalf("%v: 0x%02x % x: %v", r.now, addr, w, err)
	}
	return b
}

// startHeat starts 1 Hz auto measurement on every HDC302x of the demo.
func (r *reader) startHeat() {
	for addr := uint16(0x44); addr <= 0x47; addr++ {
		r.tx(addr, 0, 0x21, 0x30)
	}
	r.now += 20 * time.Millisecond
}

// climate reads one part's newest sample, and waits for one if it has none.
func (r *reader) climate(addr uint16) (celsius, humidity float64) {
	r.t.Helper()
	for range 100 {
		b, err := r.world.Transact(r.now, "i2c-1", addr, []byte{0xe0, 0x00}, 6)
		if err == nil {
			return -45 + 175*float64(binary.BigEndian.Uint16(b))/65535, 100 * float64(binary.BigEndian.Uint16(b[3:])) / 65535
		}
		if !errors.Is(err, simbus.ErrNACK) {
			r.t.Fatal(err)
		}
		r.now += 20 * time.Millisecond
	}
	r.t.Fatalf("0x%02x: no sample in 2 s", addr)
	return 0, 0
}

// volts converts one input of an ADS1115 to ground at ±4.096 V and 128 SPS.
func (r *reader) volts(addr uint16, ain byte) float64 {
	r.t.Helper()
	r.tx(addr, 0, 1, 0xc3|ain<<4, 0x83)
	for range 12 {
		r.now += time.Millisecond
		if r.tx(addr, 2, 1)[0]&0x80 != 0 {
			return float64(int16(binary.BigEndian.Uint16(r.tx(addr, 2, 0)))) * 4.096 / 32768
		}
	}
	r.t.Fatalf("conversion of 0x%02x input %d did not end", addr, ain)
	return 0
}

// loop returns a supervised line's voltage as a share of its supply.
func (r *reader) loop(addr uint16, ain byte) float64 {
	r.t.Helper()
	return r.volts(addr, ain) / r.volts(addr, 3)
}

func inAlarm(ratio float64) bool { return ratio >= 0.10 && ratio <= 0.40 }
func normal(ratio float64) bool  { return ratio >= 0.60 && ratio <= 0.76 }
