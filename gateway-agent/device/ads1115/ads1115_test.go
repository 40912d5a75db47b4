package ads1115_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/ads1115"
)

// chip answers as the sheet says: a start while converting is lost, the
// configuration written is read back, the result appears when the time is over.
type chip struct {
	took       time.Duration // of one conversion
	volts      [4]float64
	config     uint16
	ends       time.Time
	converting bool
	mux        uint16 // of the conversion that runs or ran last
	result     int16
	forget     bool // reboot after the next start
}

func (c *chip) Tx(_ uint16, w, r []byte) error {
	if c.converting && !time.Now().Before(c.ends) {
		c.converting = false
		c.result = int16(math.Round(c.volts[c.mux-4] / 4.096 * 32768))
	}
	if len(w) == 3 {
		c.write(uint16(w[1])<<8 | uint16(w[2]))
	}
	v := uint16(c.result)
	if w[0] == 1 {
		v = c.config &^ (1 << 15)
		if !c.converting {
			v |= 1 << 15
		}
	}
	if len(r) == 2 {
		r[0], r[1] = byte(v>>8), byte(v)
	}
	return nil
}

func (c *chip) write(config uint16) {
	c.config = config
	if config&(1<<15) != 0 && !c.converting {
		c.converting, c.mux, c.ends = true, config>>12&7, time.Now().Add(c.took)
	}
	if c.forget {
		c.forget, c.config, c.converting, c.result = false, 0x8583, false, 0
	}
}
func (c *chip) SetSpeed(physic.Frequency) error { return nil }
func (c *chip) String() string                  { return "chip" }

func TestEachInputReadsItsOwnVoltage(t *testing.T) {
	for name, slow := range map[string]float64{"clock as marked": 1, "10 % slow": 1.1, "10 % fast": 0.9} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &chip{took: time.Duration(slow * float64(time.Second/860)), volts: [4]float64{0.4, 1.2, 2.5, 3.3}}
				d := ads1115.New(c, 0x48)
				for i := range 40 {
					got, err := d.Read(i % 4)
					if err != nil || math.Abs(got-c.volts[i%4]) > 0.0001 {
						t.Fatalf("read %d of input %d: %.4f V, %v; want %.4f V", i, i%4, got, err, c.volts[i%4])
					}
				}
			})
		})
	}
}

func TestPartThatNeverEndsIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chip{took: time.Hour, volts: [4]float64{1, 2, 3, 3.3}}
		start := time.Now()
		_, err := ads1115.New(c, 0x48).Read(0)
		if !errors.Is(err, device.ErrTimeout) || time.Since(start) > 10*time.Millisecond {
			t.Errorf("%v after %v, want a timeout within a few periods", err, time.Since(start))
		}
	})
}

func TestAConversionThatWasGivenUpIsNeverTakenForTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chip{took: 20 * time.Millisecond, volts: [4]float64{1, 2, 3, 3.3}}
		d := ads1115.New(c, 0x48)
		if _, err := d.Read(0); !errors.Is(err, device.ErrTimeout) {
			t.Fatalf("slow conversion: %v, want a timeout", err)
		}
		c.took = time.Millisecond
		for range 20 {
			switch got, err := d.Read(1); {
			case err == nil && math.Abs(got-2) < 0.001:
				return
			case err == nil:
				t.Fatalf("input 1 reads %.3f V, the voltage of another input", got)
			}
		}
		t.Fatal("never recovers")
	})
}

func TestRebootDuringAConversionIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chip{took: time.Millisecond, volts: [4]float64{1, 2, 3, 3.3}, forget: true}
		d := ads1115.New(c, 0x48)
		if got, err := d.Read(1); !errors.Is(err, device.ErrImplausible) {
			t.Fatalf("%.3f V, %v; want implausible", got, err)
		}
		if got, err := d.Read(1); err != nil || math.Abs(got-2) > 0.001 {
			t.Fatalf("after the reboot: %.3f V, %v", got, err)
		}
	})
}

// The ADS1015 of the recorded frame has 12 bits, left aligned, at ±6.144 V: the
// share of full scale is what both parts have in common.
func TestRecordedConversionRegister(t *testing.T) {
	data, err := os.ReadFile("../../../../shared/data/sensor-frames/vectors.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("recorded sensor frames are not here: ../shared/data/sensor-frames/vectors.json")
	} else if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Device, Raw string
			Expect      struct{ Volt float64 }
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, v := range file.Vectors {
		if v.Device != "ADS1015" {
			continue
		}
		found = true
		raw, err := hex.DecodeString(v.Raw)
		if err != nil {
			t.Fatal(err)
		}
		got := ads1115.Volts(int16(uint16(raw[0])<<8|uint16(raw[1]))) / ads1115.FullScale * 6.144
		if math.Abs(got-v.Expect.Volt) > 0.0005 {
			t.Errorf("%s: %.4f V, want %.3f", v.Raw, got, v.Expect.Volt)
		}
	}
	if !found {
		t.Error("no ADS1015 frame among the vectors")
	}
}
