package sim_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/firmware-sim/simbus"
)

// checksum is CRC-8 with polynomial 0x31 and start 0xff, by long division over
// bits: another way than the machine's.
func checksum(word []byte) byte {
	bits := uint32(word[0])<<16 | uint32(word[1])<<8
	bits ^= 0xff << 16
	for i := 23; i >= 8; i-- {
		if bits>>i&1 == 1 {
			bits ^= 0x131 << (i - 8)
		}
	}
	return byte(bits)
}

func TestChecksumAgainstRecordedFrames(t *testing.T) {
	data, err := os.ReadFile("../../shared/data/sensor-frames/vectors.json")
	if err != nil {
		t.Skip("recorded frames are not here: ", err)
	}
	var file struct {
		Vectors []struct {
			Device, Raw string
			Expect      map[string]any
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	frames := 0
	for _, v := range file.Vectors {
		if v.Device != "HDC302x" {
			continue
		}
		frames++
		raw, err := hex.DecodeString(v.Raw)
		if err != nil || len(raw) != 6 {
			t.Fatalf("frame %s: %v", v.Raw, err)
		}
		if checksum(raw) != raw[2] || checksum(raw[3:]) != raw[5] {
			t.Errorf("frame %s: checksums %02x %02x", v.Raw, checksum(raw), checksum(raw[3:]))
		}
		celsius := -45 + 175*float64(binary.BigEndian.Uint16(raw))/65535
		if want := v.Expect["temp_c"].(float64); math.Abs(celsius-want) > 0.001 {
			t.Errorf("frame %s: %.3f °C, want %.3f", v.Raw, celsius, want)
		}
		r := load(t, "calm", "", 1) // and the machine lays out the very same frame
		set(t, r, "temperature", celsius)
		set(t, r, "humidity", 100*float64(binary.BigEndian.Uint16(raw[3:]))/65535)
		r.startHeat()
		r.now += 2 * time.Minute
		got := r.tx(0x44, 6, 0xe0, 0)
		if checksum(got) != got[2] || checksum(got[3:]) != got[5] {
			t.Errorf("the machine's frame % x has wrong checksums", got)
		}
		if d := math.Abs(float64(binary.BigEndian.Uint16(got)) - float64(binary.BigEndian.Uint16(raw))); d > 50 {
			t.Errorf("frame % x for %s", got, v.Raw)
		}
	}
	if frames == 0 {
		t.Fatal("no frame of an HDC302x in the file")
	}
}

func set(t *testing.T, r *reader, quantity string, value float64) {
	t.Helper()
	if err := r.world.Set(r.now, sim.Setting{Zone: "store", Quantity: quantity, Value: value}); err != nil {
		t.Fatal(err)
	}
}

func inject(t *testing.T, r *reader, target string, kind sim.FaultKind, value float64) {
	t.Helper()
	if err := r.world.Inject(r.now, sim.Fault{Target: target, Kind: kind, Value: value}); err != nil {
		t.Fatal(err)
	}
}

func (r *reader) nack(addr uint16, n int, w ...byte) {
	r.t.Helper()
	if b, err := r.world.Transact(r.now, "i2c-1", addr, w, n); !errors.Is(err, simbus.ErrNACK) {
		r.t.Errorf("%v: 0x%02x % x gave % x, %v; want no acknowledge", r.now, addr, w, b, err)
	}
}

func TestHDC302xMeasures(t *testing.T) {
	r := load(t, "calm", "", 1)
	r.nack(0x44, 6, 0xe0, 0x00) // idle after power on
	r.tx(0x44, 0, 0x21, 0x30)
	r.now += 5 * time.Millisecond
	r.nack(0x44, 6, 0xe0, 0x00) // the first sample is not there yet
	r.now += 15 * time.Millisecond
	first := r.tx(0x44, 6, 0xe0, 0x00)
	r.nack(0x44, 6, 0xe0, 0x00) // a sample is given once
	r.now += 1020 * time.Millisecond
	if next := r.tx(0x44, 6, 0xe0, 0x00); string(next) == string(first) {
		t.Error("no new sample after a second")
	}
	r.now += 5 * time.Minute // whoever reads next, the part went on measuring
	r.climate(0x44)
	r.tx(0x44, 0, 0x30, 0x93)
	r.nack(0x44, 6, 0xe0, 0x00)
	r.tx(0x44, 0, 0x24, 0x00) // one measurement, read once
	r.now += 20 * time.Millisecond
	r.tx(0x44, 6)
	r.nack(0x44, 6)
	r.nack(0x44, 3, 0x12, 0x34)
	r.nack(0x43, 0)
}

func TestHDC302xRegisters(t *testing.T) {
	r := load(t, "calm", "", 1)
	for _, c := range []struct {
		name    string
		before  []byte
		command []byte
		want    uint16
	}{
		{"a reset was seen after power on", nil, []byte{0xf3, 0x2d}, 0x8010},
		{"status clears", []byte{0x30, 0x41}, []byte{0xf3, 0x2d}, 0},
		{"the maker is TI", nil, []byte{0x37, 0x81}, 0x3000},
		{"the heater shows in the status", []byte{0x30, 0x6d}, []byte{0xf3, 0x2d}, 1 << 13},
		{"a wrong checksum shows in the status", []byte{0x30, 0x6e, 0x00, 0x9f, 0x00}, []byte{0xf3, 0x2d}, 1<<13 | 1},
		{"a soft reset starts over", []byte{0x30, 0xa2}, []byte{0xf3, 0x2d}, 0x8010},
	} {
		if c.before != nil {
			r.tx(0x44, 0, c.before...)
		}
		got := r.tx(0x44, 3, c.command...)
		if binary.BigEndian.Uint16(got) != c.want || checksum(got) != got[2] {
			t.Errorf("%s: % x, want %04x and its checksum", c.name, got, c.want)
		}
	}
	if a, b := r.tx(0x44, 3, 0x36, 0x85), r.tx(0x45, 3, 0x36, 0x85); string(a) == string(b) {
		t.Errorf("two parts with one serial number % x", a)
	}
}

func TestHDC302xSecondReadMayGiveTheLowestValues(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"s.yaml": "name: reread\nbuilding: ./b.yaml\n",
		"b.yaml": strings.Replace(playBuilding, "lag: 10ms", "reread: minimum", 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := load(t, filepath.Join(dir, "s.yaml"), "", 1)
	r.tx(0x44, 0, 0x21, 0x30)
	r.nack(0x44, 6, 0xe0, 0)
	r.now += 20 * time.Millisecond
	if celsius, _ := r.climate(0x44); celsius < 20 {
		t.Errorf("first read %.1f °C", celsius)
	}
	if again := r.tx(0x44, 6, 0xe0, 0); !bytes.Equal(again, []byte{0, 0, checksum([]byte{0, 0}), 0, 0, checksum([]byte{0, 0})}) {
		t.Errorf("second read % x, want zeros with their checksums", again)
	}
}

func TestHDC302xHeaterWarmsAndDries(t *testing.T) {
	r := load(t, "calm", "", 1)
	r.startHeat()
	cold, damp := r.climate(0x44)
	r.tx(0x44, 0, 0x30, 0x6d)
	r.now += time.Minute
	if same, _ := r.climate(0x44); same > cold+1 {
		t.Errorf("%.1f °C became %.1f °C: the heater ran while it measured", cold, same)
	}
	r.tx(0x44, 0, 0x30, 0x93)
	r.now += time.Minute
	r.tx(0x44, 0, 0x24, 0x00)
	if hot, dry := r.climate(0x44); hot < cold+40 || dry > damp/3 {
		t.Errorf("%.1f °C %.1f %% became %.1f °C %.1f %%", cold, damp, hot, dry)
	}
}

func TestHDC302xSaturates(t *testing.T) {
	r := load(t, "calm", "", 1)
	r.startHeat()
	for value, want := range map[float64]float64{400: 130, -90: -45} {
		set(t, r, "temperature", value)
		r.now += time.Minute
		if celsius, _ := r.climate(0x44); celsius != want {
			t.Errorf("%.1f °C in air of %.0f °C, want the register's end %.0f", celsius, value, want)
		}
	}
}

func TestHDC302xFaults(t *testing.T) {
	const target = "i2c-1/0x44"
	fresh := func() *reader {
		r := load(t, "calm", "", 1)
		r.startHeat()
		r.now += time.Second
		return r
	}
	t.Run("absent until repaired", func(t *testing.T) {
		r := fresh()
		inject(t, r, target, sim.NACK, 0)
		r.nack(0x44, 6, 0xe0, 0)
		r.climate(0x45)
		if err := r.world.Repair(r.now, target); err != nil {
			t.Fatal(err)
		}
		r.climate(0x44) // it measured on
	})
	t.Run("ends by itself", func(t *testing.T) {
		r := fresh()
		if err := r.world.Inject(r.now, sim.Fault{Target: target, Kind: sim.NACK, For: time.Second}); err != nil {
			t.Fatal(err)
		}
		r.nack(0x44, 6, 0xe0, 0)
		r.now += time.Second
		r.climate(0x44)
	})
	t.Run("a stuck bus stops everyone", func(t *testing.T) {
		r := fresh()
		inject(t, r, "i2c-1", sim.BusStuck, 0)
		for _, addr := range []uint16{0x44, 0x48} {
			if _, err := r.world.Transact(r.now, "i2c-1", addr, nil, 1); !errors.Is(err, simbus.ErrTimeout) {
				t.Errorf("0x%02x: %v, want ErrTimeout", addr, err)
			}
		}
	})
	t.Run("every third checksum is wrong", func(t *testing.T) {
		r := fresh()
		if err := r.world.Inject(r.now, sim.Fault{Target: target, Kind: sim.BadCRC, Every: 3}); err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for range 9 {
			if b := r.tx(0x44, 3, 0xf3, 0x2d); checksum(b) != b[2] {
				wrong++
			}
		}
		if wrong != 3 {
			t.Errorf("%d of 9 wrong, want 3", wrong)
		}
	})
	t.Run("frozen", func(t *testing.T) {
		r := fresh()
		inject(t, r, target, sim.Frozen, 0)
		before := r.tx(0x44, 6, 0xe0, 0)
		set(t, r, "temperature", 80)
		r.now += time.Minute
		if after := r.tx(0x44, 6, 0xe0, 0); string(after) != string(before) {
			t.Errorf("% x moved to % x", before, after)
		}
	})
	t.Run("drift", func(t *testing.T) {
		r := fresh()
		before, _ := r.climate(0x44)
		inject(t, r, target, sim.Drift, 2)
		r.now += 5 * time.Minute
		if after, _ := r.climate(0x44); math.Abs(after-before-10) > 1 {
			t.Errorf("%.2f °C after 5 min at 2 K/min from %.2f", after, before)
		}
	})
	t.Run("noise", func(t *testing.T) {
		r := fresh()
		inject(t, r, target, sim.Noise, 5)
		low, high := math.Inf(1), math.Inf(-1)
		for range 60 {
			r.now += time.Second
			celsius, _ := r.climate(0x44)
			low, high = min(low, celsius), max(high, celsius)
		}
		if high-low < 10 || high-low > 50 {
			t.Errorf("spread %.1f K of 60 samples at σ = 5 K", high-low)
		}
	})
	t.Run("out of range", func(t *testing.T) {
		r := fresh()
		inject(t, r, target, sim.Range, -1)
		r.now += time.Second
		if celsius, humidity := r.climate(0x44); celsius != -45 || humidity != 0 {
			t.Errorf("%.1f °C, %.1f %%", celsius, humidity)
		}
	})
	t.Run("reboot: idle until started again", func(t *testing.T) {
		r := fresh()
		inject(t, r, target, sim.Reboot, 0)
		r.nack(0x44, 6, 0xe0, 0)
		r.now += time.Minute
		r.nack(0x44, 6, 0xe0, 0)
		r.startHeat()
		r.climate(0x44)
	})
	t.Run("never ready, wrong id", func(t *testing.T) {
		r := fresh()
		inject(t, r, target, sim.Busy, 0)
		inject(t, r, target, sim.WrongID, 0x1234)
		r.nack(0x44, 6, 0xe0, 0)
		if id := r.tx(0x44, 3, 0x37, 0x81); binary.BigEndian.Uint16(id) != 0x1234 {
			t.Errorf("id % x", id)
		}
	})
	t.Run("what it cannot have is refused", func(t *testing.T) {
		r := fresh()
		for _, f := range []sim.Fault{
			{Target: target, Kind: sim.LoopOpen}, {Target: "i2c-1/0x4a", Kind: sim.NACK},
			{Target: "i2c-9", Kind: sim.BusStuck}, {Target: target, Kind: "gremlins"}, {},
		} {
			if err := r.world.Inject(r.now, f); err == nil {
				t.Errorf("%+v was taken", f)
			}
		}
	})
}
