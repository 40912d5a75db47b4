package sim_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
)

// busy reports OS = 0, a conversion on its way.
func (r *reader) busy() bool { return r.tx(0x48, 2, 1)[0]&0x80 == 0 }

func (r *reader) word(addr uint16, pointer byte) uint16 {
	return binary.BigEndian.Uint16(r.tx(addr, 2, pointer))
}

func TestADS1115ConversionTime(t *testing.T) {
	rates := []int{8, 16, 32, 64, 128, 250, 475, 860}
	clocks := map[int]bool{}
	for seed := range uint64(6) {
		r := load(t, "calm", "", seed)
		for dr, rate := range rates {
			nominal := time.Second / time.Duration(rate)
			r.tx(0x48, 0, 1, 0xc3, byte(dr)<<5|3)
			begun := r.now
			for r.busy() {
				r.now += nominal / 200
				if r.now > begun+2*nominal {
					t.Fatalf("%d SPS: still busy after %v", rate, r.now-begun)
				}
			}
			took := float64(r.now-begun) / float64(nominal)
			if took < 0.89 || took > 1.13 { // the clock's 10 %, and its waking up
				t.Errorf("seed %d, %d SPS: took %.3f of the nominal time", seed, rate, took)
			}
			if rate == 8 {
				clocks[int(took*100)] = true
			}
		}
	}
	if len(clocks) < 3 {
		t.Errorf("six parts with clocks %v: each should have its own", clocks)
	}
}

func TestADS1115EarlyReadGivesThePreviousChannel(t *testing.T) {
	r := load(t, "calm", "", 1)
	inject(t, r, "i2c-1/0x48", sim.SlowClock, 0)
	if v := r.volts(0x48, 3); v < 3.2 {
		t.Fatalf("reference %.3f V", v)
	}
	before := r.word(0x48, 0)
	r.tx(0x48, 0, 1, 0xc3, 0x83) // input 0
	r.now += time.Second / 128   // what a driver would wait that trusts the rate
	if !r.busy() || r.word(0x48, 0) != before {
		t.Errorf("after the nominal time: busy %v, register %04x, want the previous %04x", r.busy(), r.word(0x48, 0), before)
	}
	r.now += time.Millisecond
	if r.busy() || r.word(0x48, 0) == before {
		t.Error("the conversion did not end after 1.1 of the nominal time")
	}
}

func TestADS1115OSIsIgnoredWhileConverting(t *testing.T) {
	r := load(t, "calm", "", 1)
	r.tx(0x48, 0, 1, 0xf3, 0x03) // input 3 at 8 SPS: at least 112 ms
	r.now += 100 * time.Millisecond
	r.tx(0x48, 0, 1, 0xc3, 0x03) // input 0: stored, not started
	r.now += 40 * time.Millisecond
	if r.busy() {
		t.Error("the second write restarted the conversion")
	}
	if v := float64(int16(r.word(0x48, 0))) * 125e-6; v < 3.2 {
		t.Errorf("%.3f V: not the input that the conversion began with", v)
	}
	if got := r.word(0x48, 1); got != 0xc303 {
		t.Errorf("config %04x, want c303: as written, and idle", got)
	}
}

func TestADS1115Registers(t *testing.T) {
	r := load(t, "calm", "", 1)
	for pointer, want := range map[byte]uint16{0: 0, 1: 0x8583, 2: 0x8000, 3: 0x7fff} {
		if got := r.word(0x49, pointer); got != want {
			t.Errorf("register %d after power on: %04x, want %04x", pointer, got, want)
		}
	}
	r.tx(0x49, 0, 2, 0x12, 0x34)
	if got := r.word(0x49, 2); got != 0x1234 {
		t.Errorf("Lo_thresh %04x", got)
	}
	convert := func(hi byte) int16 {
		r.tx(0x49, 0, 1, hi, 0xe3)
		r.now += 2 * time.Millisecond
		return int16(r.word(0x49, 0))
	}
	if got := convert(0xc5); got != math.MaxInt16 {
		t.Errorf("2.2 V at ±2.048 V: %04x, want the end of the range", got)
	}
	if got := float64(convert(0x93)) * 125e-6; math.Abs(got+1.05) > 0.02 { // AIN0 - AIN3
		t.Errorf("AIN0 - AIN3 = %.3f V, want about -1.05", got)
	}
	r.tx(0x49, 0, 1, 0xf2, 0xe3) // continuous, input 3
	r.now += time.Second
	a := r.word(0x49, 0)
	r.now += time.Second
	if b := r.word(0x49, 0); a < 0x6400 || b < 0x6400 {
		t.Errorf("continuous mode gave %04x, %04x", a, b)
	}
	if _, err := r.world.Transact(r.now, "i2c-1", 0, []byte{6}, 0); err != nil {
		t.Fatal(err)
	}
	if got := r.word(0x49, 1); got != 0x8583 {
		t.Errorf("config %04x after a general call reset", got)
	}
}

func TestSupervisedLoop(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault sim.Fault
		smoke float64
		want  float64
	}{
		{"normal", sim.Fault{}, 0, 0.681},
		{"alarm", sim.Fault{}, 0.3, 0.273},
		{"short", sim.Fault{Kind: sim.LoopShort}, 0, 0.013},
		{"open", sim.Fault{Kind: sim.LoopOpen}, 0, 0.998},
		{"open hides an alarm", sim.Fault{Kind: sim.LoopOpen}, 0.3, 0.998},
		{"degraded lies in the gap", sim.Fault{Kind: sim.LoopDegraded}, 0, 0.537},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := load(t, "calm", "", 1)
			if c.fault.Kind != "" {
				inject(t, r, "store-smoke", c.fault.Kind, 0)
			}
			set(t, r, "smoke_od", c.smoke)
			r.now += 30 * time.Second
			if got := r.loop(0x48, 0); math.Abs(got-c.want) > 0.002 {
				t.Errorf("ratio %.4f, want %.3f", got, c.want)
			}
		})
	}
}

func TestSmokeHeadLatchesUntilPowerIsInterrupted(t *testing.T) {
	r := load(t, "calm", "", 1)
	set(t, r, "smoke_od", 0.08)
	r.now += time.Second
	if !normal(r.loop(0x48, 0)) {
		t.Error("alarm before smoke could enter the chamber")
	}
	r.now += 10 * time.Second
	if !inAlarm(r.loop(0x48, 0)) {
		t.Error("no alarm")
	}
	set(t, r, "smoke_od", 0)
	r.now += 10 * time.Minute
	if !inAlarm(r.loop(0x48, 0)) {
		t.Error("the alarm went away by itself")
	}
	inject(t, r, "store-smoke", sim.Reboot, 0)
	r.now += time.Second
	if !normal(r.loop(0x48, 0)) {
		t.Error("the alarm outlived the power")
	}
}

func TestTransmitter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yaml")
	building := filepath.Join(filepath.Dir(file), "b.yaml")
	for name, text := range map[string]string{
		file: "name: co\nbuilding: ./b.yaml\n",
		building: `
zones: [{id: store, area_m2: 20, height_m: 3, temperature_c: 25, humidity_pct: 50}]
chips:
  - part: ads1115
    bus: i2c-1
    address: 0x48
    inputs: [{ain: 2, id: co, kind: co_4_20ma, zone: store, span_ppm: 500, warm_up: 60s}]
`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := load(t, file, "", 1)
	milliamps := func() float64 { return r.volts(0x48, 2) / 150 * 1e3 }
	expect := func(what string, want, within float64) {
		t.Helper()
		if got := milliamps(); math.Abs(got-want) > within {
			t.Errorf("%s: %.3f mA, want %.2f", what, got, want)
		}
	}
	expect("warming up", 3.75, 0.01)
	r.now += time.Minute
	expect("clean air", 4, 0.08)
	set(t, r, "co", 250)
	expect("before the cell has felt it", 4, 0.2)
	r.now += 2 * time.Minute
	expect("half the span", 12, 0.08)
	set(t, r, "co", 900)
	r.now += 2 * time.Minute
	expect("beyond the span", 21, 0.01)
	inject(t, r, "co", sim.TransmitterFault, 0)
	expect("its own fault", 3.6, 0.01)
	inject(t, r, "co", sim.LoopOpen, 0)
	expect("a cut wire", 0, 0.01)
	if err := r.world.Repair(r.now, "co"); err != nil {
		t.Fatal(err)
	}
	inject(t, r, "co", sim.Reboot, 0)
	expect("warming up again", 3.75, 0.01)
	r.now += time.Minute
	inject(t, r, "co", sim.Frozen, 0)
	set(t, r, "co", 0)
	r.now += 10 * time.Minute
	expect("frozen at what it had", 21, 0.01)
}
