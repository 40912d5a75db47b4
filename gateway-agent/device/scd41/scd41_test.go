package scd41_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/scd41"
	"nirapod/safety"
)

func octets(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sends and gets are the two halves of every exchange: the answer is read in a
// transaction of its own.
func sends(t *testing.T, w string) i2ctest.IO {
	return i2ctest.IO{Addr: scd41.Address, W: octets(t, w)}
}

func gets(t *testing.T, r string) i2ctest.IO {
	return i2ctest.IO{Addr: scd41.Address, R: octets(t, r)}
}

// start brings a part from any state into measuring, as the sheet wants it: the
// recorded serial number, 4 K, sea level, self-calibration off.
func start(t *testing.T) []i2ctest.IO {
	return []i2ctest.IO{
		sends(t, "3f86"), sends(t, "3682"), gets(t, "73b119 eb077a 3b0c54"),
		sends(t, "241d 05da 29"), sends(t, "2427 0000 81"), sends(t, "2416 0000 81"), sends(t, "21b1"),
	}
}

var usual = scd41.Settings{SelfHeating: scd41.UsualHeat}

// told plays a transcript to a started sensor and hands the sensor over.
func told(t *testing.T, set scd41.Settings, begin, ops []i2ctest.IO, then func(d *scd41.Dev)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		bus := &i2ctest.Playback{Ops: append(begin, ops...), DontPanic: true}
		d := scd41.New(bus, set)
		for range 2 {
			if _, err := d.Read(); !errors.Is(err, device.ErrWarming) {
				t.Fatalf("starting: %v, want no sample yet", err)
			}
			time.Sleep(500 * time.Millisecond)
		}
		then(d)
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	})
}

func sample(t *testing.T, raw string) []i2ctest.IO {
	return []i2ctest.IO{sends(t, "e4b8"), gets(t, "800604"), sends(t, "ec05"), gets(t, raw)}
}

func TestRecordedFramesDecodeAsPublished(t *testing.T) {
	data, err := os.ReadFile("../../../../shared/data/sensor-frames/vectors.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("recorded sensor frames are not here: ../shared/data/sensor-frames/vectors.json")
	} else if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Device, Kind, Raw string
			Expect            struct {
				CO2 float64 `json:"co2_ppm"`
				T   float64 `json:"temp_c"`
				RH  float64 `json:"rh_pct"`
			}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, v := range file.Vectors {
		if v.Device != "SCD4x" || !strings.HasPrefix(v.Kind, "read_measurement") {
			continue
		}
		seen++
		told(t, usual, start(t), sample(t, v.Raw), func(d *scd41.Dev) {
			s, err := d.Read()
			if err != nil || s.PPM() != v.Expect.CO2 || math.Abs(s.Temperature()-v.Expect.T) > 0.006 || math.Abs(s.Humidity()-v.Expect.RH) > 0.006 {
				t.Errorf("%s: %g ppm %.3f °C %.3f %%RH, %v; want %+v", v.Raw, s.PPM(), s.Temperature(), s.Humidity(), err, v.Expect)
			}
			if d.Serial() != 0x73b1eb073b0c {
				t.Errorf("serial number %x", d.Serial())
			}
		})
	}
	if seen == 0 {
		t.Fatal("no measurement of an SCD4x among the vectors")
	}
}

func TestEveryFlippedBitIsACRCError(t *testing.T) {
	frame := octets(t, "022ca3670d364d08f1")
	for bit := range 8 * len(frame) {
		bad := bytes.Clone(frame)
		bad[bit/8] ^= 1 << (bit % 8)
		told(t, usual, start(t), sample(t, hex.EncodeToString(bad)), func(d *scd41.Dev) {
			if _, err := d.Read(); !errors.Is(err, device.ErrCRC) || device.Reason(err) != safety.CRC {
				t.Errorf("bit %d flipped: %v, want a CRC error", bit, err)
			}
		})
	}
	for _, level := range []string{"00", "ff"} {
		told(t, usual, start(t), sample(t, strings.Repeat(level, 9)), func(d *scd41.Dev) {
			if _, err := d.Read(); !errors.Is(err, device.ErrCRC) {
				t.Errorf("a line held at %s: %v, want a CRC error", level, err)
			}
		})
	}
}

func TestSettingsAreSentAtEveryStart(t *testing.T) {
	set := scd41.Settings{Pressure: 850, SelfHeating: 1, SelfCalibration: true}
	begin := []i2ctest.IO{
		sends(t, "3f86"), sends(t, "3682"), gets(t, "73b119 eb077a 3b0c54"),
		sends(t, "241d 0176 2b"), sends(t, "2427 0000 81"), sends(t, "e000 0352 b0"), sends(t, "2416 0001 b0"), sends(t, "21b1"),
	}
	told(t, set, begin, nil, func(*scd41.Dev) {})
	for _, bad := range []scd41.Settings{
		{Altitude: 3001}, {Pressure: 699}, {Pressure: 1201}, {Altitude: 10, Pressure: 1000}, {SelfHeating: 20.1}, {SelfHeating: -1}, {SelfHeating: math.NaN()},
	} {
		if err := bad.Validate(); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%+v: %v, want it refused", bad, err)
		}
	}
	if err := set.Validate(); err != nil {
		t.Error(err)
	}
}

// part is a part as far as the driver can tell: what it does with each command.
type part struct {
	absent         bool
	running, fresh bool
	stoppedAt      time.Time
	answer         []byte
	refused        int // commands while busy or measuring
}

func (p *part) String() string                  { return "part" }
func (p *part) SetSpeed(physic.Frequency) error { return nil }

func (p *part) Tx(_ uint16, w, r []byte) error {
	if p.absent || time.Since(p.stoppedAt) < 500*time.Millisecond {
		p.refused++
		return device.ErrNACK
	}
	if len(w) == 0 {
		if len(p.answer) < len(r) {
			return device.ErrNACK
		}
		copy(r, p.answer)
		p.answer = nil
		return nil
	}
	switch code := uint16(w[0])<<8 | uint16(w[1]); {
	case code == 0x3f86:
		p.running, p.stoppedAt = false, time.Now()
	case code == 0xe4b8 && p.fresh:
		p.answer = []byte{0x80, 0x06, 0x04}
	case code == 0xe4b8:
		p.answer = []byte{0x80, 0x00, 0xa2}
	case code == 0xec05 && p.running && p.fresh:
		p.answer, p.fresh = []byte{0x02, 0x2c, 0xa3, 0x67, 0x0d, 0x36, 0x4d, 0x08, 0xf1}, false
	case p.running:
		p.refused++
		return device.ErrNACK
	case code == 0x3682:
		p.answer = []byte{0x73, 0xb1, 0x19, 0xeb, 0x07, 0x7a, 0x3b, 0x0c, 0x54}
	case code == 0x21b1:
		p.running = true
	}
	return nil
}

// until reads every 100 ms until the error is another, a minute at most, and returns when and the error.
func until(d *scd41.Dev, differs func(error) bool) (time.Duration, error) {
	begun := time.Now()
	for {
		_, err := d.Read()
		if differs(err) || time.Since(begun) > time.Minute {
			return time.Since(begun), err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func isNot(kind error) func(error) bool { return func(err error) bool { return !errors.Is(err, kind) } }

func TestAPartThatWasLeftMeasuringIsStoppedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &part{running: true, fresh: true}
		d := scd41.New(p, usual)
		if at, err := until(d, isNot(device.ErrWarming)); err != nil || at > time.Second {
			t.Errorf("%v after %v, want a sample", err, at)
		}
		if p.refused > 0 {
			t.Errorf("%d commands met a busy part", p.refused)
		}
	})
}

func TestAPartThatIsGoneAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &part{absent: true}
		d := scd41.New(p, usual)
		if at, err := until(d, isNot(device.ErrWarming)); device.Reason(err) != safety.NACK || at > time.Second {
			t.Errorf("absent: %v after %v, want no acknowledge within a second", err, at)
		}
		p.absent, p.fresh = false, true
		if at, err := until(d, func(err error) bool { return err == nil }); err != nil || at > 2*time.Second {
			t.Errorf("back: %v after %v", err, at)
		}
		p.absent = true
		if _, err := d.Read(); !errors.Is(err, device.ErrNACK) {
			t.Errorf("gone again: %v", err)
		}
	})
}

func TestAPartThatWasResetIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &part{fresh: true}
		d := scd41.New(p, usual)
		if _, err := until(d, isNot(device.ErrWarming)); err != nil {
			t.Fatal(err)
		}
		p.running = false
		begun := time.Now()
		for !p.running {
			if _, err := d.Read(); !errors.Is(err, device.ErrWarming) {
				t.Fatalf("%v after %v: %v", p, time.Since(begun), err)
			}
			if time.Sleep(100 * time.Millisecond); time.Since(begun) > 10*time.Second {
				t.Fatal("not started again within 10 s")
			}
		}
	})
}

func TestAPartThatNeverHasASampleIsAFaultUntilItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &part{}
		d := scd41.New(p, usual)
		at, err := until(d, isNot(device.ErrWarming))
		if device.Reason(err) != safety.Timeout || at < 14*time.Second || at > 17*time.Second {
			t.Fatalf("%v after %v, want a time-out after 15 s", err, at)
		}
		if at, err := until(d, isNot(device.ErrTimeout)); at < time.Minute {
			t.Errorf("%v after %v more: it is in fault until it gives something", err, at)
		}
		p.fresh = true
		if at, err := until(d, isNot(device.ErrTimeout)); err != nil || at > 2*time.Second {
			t.Errorf("it gave a sample: %v after %v", err, at)
		}
	})
}

func TestASampleIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &part{fresh: true}
		d := scd41.New(p, usual)
		if _, err := until(d, isNot(device.ErrWarming)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Read(); !errors.Is(err, device.ErrWarming) {
			t.Errorf("the same sample twice: %v", err)
		}
		if p.refused > 0 {
			t.Errorf("%d commands were refused: it is asked before it is read", p.refused)
		}
	})
}
