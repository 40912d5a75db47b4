package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"
	"time"

	"nirapod/firmware-sim/simbus"
)

// co2Room is a world of one room and one SCD41.
func co2Room(t *testing.T, inside uint32) *World {
	t.Helper()
	sc := &Scenario{building: Building{
		Vref: 3.3, Zones: []Zone{{ID: "a", Area: 100, Height: 4, Temperature: 28, Humidity: 60, AirChanges: 3}},
		Chips:    []Chip{{Part: partSCD41, Bus: "i2c-1", Address: 0x62, Zone: "a", Lag: time.Minute}},
		Counters: []Counter{{Unit: 1, Zone: "a", Inside: inside}},
	}}
	return New(sc, 1)
}

type scdHand struct {
	t   *testing.T
	w   *World
	now time.Duration
}

func (h *scdHand) send(out string) error {
	h.t.Helper()
	_, err := h.w.Transact(h.now, "i2c-1", 0x62, octets(h.t, out), 0)
	return err
}

func (h *scdHand) must(out string, takes time.Duration) {
	h.t.Helper()
	if err := h.send(out); err != nil {
		h.t.Fatalf("%v: %s: %v", h.now, out, err)
	}
	h.now += takes
}

// ask writes a command, waits a millisecond and reads n bytes.
func (h *scdHand) ask(out string, n int) ([]byte, error) {
	h.t.Helper()
	if err := h.send(out); err != nil {
		return nil, err
	}
	h.now += time.Millisecond
	return h.w.Transact(h.now, "i2c-1", 0x62, nil, n)
}

func (h *scdHand) says(out, want string) {
	h.t.Helper()
	w := octets(h.t, want)
	if got, err := h.ask(out, len(w)); err != nil || !bytes.Equal(got, w) {
		h.t.Errorf("%v: %s: % x, %v; want % x", h.now, out, got, err, w)
	}
}

func (h *scdHand) refuses(out, why string) {
	h.t.Helper()
	if err := h.send(out); !errors.Is(err, simbus.ErrNACK) {
		h.t.Errorf("%v: %s %s: %v, want no acknowledge", h.now, out, why, err)
	}
}

func (h *scdHand) sample() (ppm uint16, celsius, humidity float64) {
	h.t.Helper()
	b, err := h.ask("ec05", 9)
	if err != nil {
		h.t.Fatalf("%v: %v", h.now, err)
	}
	for i := 0; i < 9; i += 3 {
		if crc8(b[i:i+2]) != b[i+2] {
			h.t.Fatalf("% x: check of word %d", b, i/3)
		}
	}
	return be16(b), -45 + 175*float64(be16(b[3:]))/65535, 100 * float64(be16(b[6:])) / 65535
}

func TestSCD41TakesCommandsInTheirTimeOnly(t *testing.T) {
	h := &scdHand{t: t, w: co2Room(t, 0)}
	h.says("e4b8", "8000a2")
	h.refuses("ec05", "while idle")
	h.refuses("36f6", "to wake up")
	h.refuses("21ac", "to save power")
	if _, err := h.w.Transact(h.now, "i2c-1", 0x62, octets(t, "3682"), 9); !errors.Is(err, simbus.ErrNACK) {
		t.Errorf("an answer in the same transaction: %v, want no acknowledge", err)
	}
	h.now += time.Millisecond
	h.must("21b1", 4900*time.Millisecond)
	h.says("e4b8", "8000a2")
	for _, c := range []string{"3682", "241d 05da 29", "2416 0000 81", "3615", "21b1"} {
		h.refuses(c, "while it measures")
	}
	h.now += 200 * time.Millisecond
	h.says("e4b8", "800604")
	h.sample()
	if _, err := h.ask("ec05", 9); !errors.Is(err, simbus.ErrNACK) {
		t.Errorf("the same sample twice: %v, want no acknowledge", err)
	}
	h.now += 5 * time.Second
	h.sample()
	h.must("3f86", 499*time.Millisecond)
	h.refuses("e4b8", "half a second after a stop")
	h.now += time.Millisecond
	if b, err := h.ask("3682", 9); err != nil || crc8(b[:2]) != b[2] {
		t.Errorf("serial number: % x, %v", b, err)
	}
}

func TestSCD41KeepsWhatWasPersistedOnly(t *testing.T) {
	h := &scdHand{t: t, w: co2Room(t, 0)}
	h.says("2318", "05da29") // 4.0 K
	h.says("2313", "0001b0") // self-calibration is on as it comes
	h.must("2416 0000 81", time.Millisecond)
	h.refuses("2416 0000 80", "with a wrong check")
	h.must("2427 00d7 12", time.Millisecond) // 215 m
	h.must("3615", 800*time.Millisecond)
	h.must("2427 0000 81", time.Millisecond)
	if err := h.w.Inject(h.now, Fault{Target: "i2c-1/0x62", Kind: Reboot}); err != nil {
		t.Fatal(err)
	}
	h.refuses("e4b8", "within a second of power on")
	h.now += time.Second
	h.says("2313", "000081")
	h.says("2322", "00d712")
}

func TestSCD41FollowsThePeople(t *testing.T) {
	for _, c := range []struct {
		people uint32
		want   float64 // ppm: 420 + people × 5e-6 m³/s / (400 m³ × 3/h)
	}{{0, 420}, {40, 1020}} {
		h := &scdHand{t: t, w: co2Room(t, c.people)}
		h.must("21b1", 6*time.Second)
		ppm, celsius, humidity := h.sample()
		if math.Abs(float64(ppm)-c.want) > 15 || math.Abs(celsius-28) > 1 || humidity < 55 || humidity > 65 {
			t.Errorf("%d people: %d ppm, %.1f °C, %.1f %%RH; want about %.0f, 28 and 60", c.people, ppm, celsius, humidity, c.want)
		}
	}
	h := &scdHand{t: t, w: co2Room(t, 40)}
	h.must("e000 0352 b0", time.Millisecond) // 850 hPa, which it is not here
	h.must("21b1", 6*time.Second)
	if ppm, _, _ := h.sample(); ppm < 1180 || ppm > 1260 {
		t.Errorf("%d ppm with the wrong pressure, want 1216", ppm)
	}
}

func TestSCD41Faults(t *testing.T) {
	begin := func(f Fault) *scdHand {
		h := &scdHand{t: t, w: co2Room(t, 40)}
		h.must("21b1", 6*time.Second)
		h.sample()
		f.Target = "i2c-1/0x62"
		if err := h.w.Inject(h.now, f); err != nil {
			t.Fatal(err)
		}
		h.now += time.Minute
		return h
	}
	h := begin(Fault{Kind: BadCRC})
	if b, err := h.ask("ec05", 9); err != nil || crc8(b[:2]) == b[2] {
		t.Errorf("wrong check: % x, %v", b, err)
	}
	h = begin(Fault{Kind: Busy})
	h.says("e4b8", "8000a2")
	for value, want := range map[float64]uint16{1: 40000, -1: 0} {
		h = begin(Fault{Kind: Range, Value: value})
		if ppm, _, _ := h.sample(); ppm != want {
			t.Errorf("out of range: %d ppm, want %d", ppm, want)
		}
	}
	h = begin(Fault{Kind: Drift, Value: 2000})
	if ppm, _, _ := h.sample(); ppm < 2800 {
		t.Errorf("drifted for a minute by 2000 ppm: %d", ppm)
	}
	h = begin(Fault{Kind: Frozen})
	a, b, c := h.sample()
	h.now += 5 * time.Second
	if x, y, z := h.sample(); x != a || y != b || z != c {
		t.Errorf("frozen: %d %g %g, then %d %g %g", a, b, c, x, y, z)
	}
	h = begin(Fault{Kind: Reboot}) // idle again
	h.says("e4b8", "8000a2")
	h.refuses("ec05", "after a reboot")
}

// The frames of live parts pass the check as the machine makes it.
func TestSCD41FramesOfLiveParts(t *testing.T) {
	data, err := os.ReadFile("../../shared/data/sensor-frames/vectors.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("recorded sensor frames are not here: ../shared/data/sensor-frames/vectors.json")
	} else if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct{ Device, Kind, Raw string }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, v := range file.Vectors {
		if v.Device != "SCD4x" {
			continue
		}
		b := octets(t, v.Raw)
		for ; len(b) >= 3; b = b[3:] {
			seen++
			if crc8(b[:2]) != b[2] {
				t.Errorf("%s %s: check of % x is %#02x", v.Kind, v.Raw, b[:2], crc8(b[:2]))
			}
		}
	}
	if seen == 0 {
		t.Fatal("no frame of an SCD4x among the vectors")
	}
}
