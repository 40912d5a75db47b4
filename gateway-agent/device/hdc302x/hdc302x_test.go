package hdc302x_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"
	"testing/synctest"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"nirapod/gateway-agent/device"
	"nirapod/gateway-agent/device/hdc302x"
)

const addr = 0x44

// start is the transcript that brings the part from any state into measuring.
var start = []i2ctest.IO{
	{Addr: addr, W: []byte{0x30, 0x93}},
	{Addr: addr, W: []byte{0x30, 0x41}},
	{Addr: addr, W: []byte{0x22, 0x36}},
}

func read(raw []byte) i2ctest.IO {
	return i2ctest.IO{Addr: addr, W: []byte{0xE0, 0x00}, R: raw}
}

type vector struct {
	Device, Kind, Raw string
	Expect            struct {
		T  float64 `json:"temp_c"`
		RH float64 `json:"rh_pct"`
	}
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("../../../../shared/data/sensor-frames/vectors.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("recorded sensor frames are not here: ../shared/data/sensor-frames/vectors.json")
	} else if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var mine []vector
	for _, v := range file.Vectors {
		if v.Device == "HDC302x" {
			mine = append(mine, v)
		}
	}
	if len(mine) == 0 {
		t.Fatal("no HDC302x frames among the vectors")
	}
	return mine
}

func TestRecordedFramesDecodeAsPublished(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Raw, func(t *testing.T) {
			raw, err := hex.DecodeString(v.Raw)
			if err != nil {
				t.Fatal(err)
			}
			got := readOne(t, raw)
			if math.Abs(got.Temperature()-v.Expect.T) > 0.0006 || math.Abs(got.Humidity()-v.Expect.RH) > 0.0006 {
				t.Errorf("%.4f °C %.4f %%RH, want %.3f and %.3f", got.Temperature(), got.Humidity(), v.Expect.T, v.Expect.RH)
			}
		})
	}
}

func TestEveryFlippedBitOfARecordedFrameIsACRCError(t *testing.T) {
	frame := []byte{0x68, 0xC5, 0x51, 0x3B, 0x82, 0x31}
	for bit := range 8 * len(frame) {
		bad := bytes.Clone(frame)
		bad[bit/8] ^= 1 << (bit % 8)
		d, done := started(t, read(bad))
		if _, err := d.Read(); !errors.Is(err, device.ErrCRC) {
			t.Errorf("bit %d flipped: %v, want a CRC error", bit, err)
		}
		done()
	}
}

func TestALineHeldLowOrHighIsACRCError(t *testing.T) {
	for _, level := range []byte{0x00, 0xFF} {
		d, done := started(t, read(bytes.Repeat([]byte{level}, 6)))
		if _, err := d.Read(); !errors.Is(err, device.ErrCRC) {
			t.Errorf("all bytes %#02x: %v, want a CRC error", level, err)
		}
		done()
	}
}

func readOne(t *testing.T, raw []byte) hdc302x.Sample {
	t.Helper()
	d, done := started(t, read(raw))
	defer done()
	s, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// started returns a sensor that has been started and will see ops next.
func started(t *testing.T, ops ...i2ctest.IO) (*hdc302x.Dev, func()) {
	t.Helper()
	bus := &i2ctest.Playback{Ops: append(append([]i2ctest.IO(nil), start...), ops...), DontPanic: true}
	d := hdc302x.New(bus, addr)
	synctest.Test(t, func(t *testing.T) {
		if _, err := d.Read(); !errors.Is(err, device.ErrWarming) {
			t.Fatalf("first read: %v, want it to start the part and say so", err)
		}
	})
	return d, func() {
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	}
}
