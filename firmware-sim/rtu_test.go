package sim

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

func octets(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of the Modbus specification, and frames that other masters sent.
func TestCRC(t *testing.T) {
	for _, frame := range []string{"11 03 00 6b 00 03 76 87", "11 03 06 ae 41 56 52 43 40 49 ad", "02 04 00 00 00 02 71 f8", "01 83 02 c0 f1"} {
		b := octets(t, frame)
		if got := rtuFrame(bytes.Clone(b[:len(b)-2])); !bytes.Equal(got, b) {
			t.Errorf("% x, want % x", got, b)
		}
	}
}

func counting(t *testing.T) *World {
	t.Helper()
	sc := &Scenario{
		building: Building{
			Vref: 3.3, Zones: []Zone{{ID: "a", Area: 100, Height: 4, Humidity: 50}},
			Counters: []Counter{{Unit: 1, Zone: "a", Inside: 0x10005}},
		},
		Crowds: []Crowd{
			{Zone: "a", At: 10 * time.Second, Enter: 30, Pace: 60},
			{Zone: "a", At: 20 * time.Second, Leave: 5, Pace: 600},
		},
	}
	return New(sc, 1)
}

const askAll = "01 04 00 00 00 07"

func TestCounterAnswersModbus(t *testing.T) {
	w := counting(t)
	for _, c := range []struct {
		name          string
		at            time.Duration
		request, want string // without CRC; "" = silence
	}{
		{"at first", 0, askAll, "01 04 0e 5043 0001 0000 0001 0005 0000 0000"},
		{"ten have come in", 20 * time.Second, askAll, "01 04 0e 5043 0001 0004 0001 000f 0000 0000"},
		{"all are through", time.Minute, askAll, "01 04 0e 5043 0001 000c 0001 0023 0000 0005"},
		{"one register", time.Minute, "01 04 00 02 00 01", "01 04 02 000c"},
		{"another unit", time.Minute, "02 04 00 00 00 07", ""},
		{"holding registers", time.Minute, "01 03 00 00 00 07", "01 83 01"},
		{"beyond the map", time.Minute, "01 04 00 01 00 07", "01 84 02"},
		{"none", time.Minute, "01 04 00 00 00 00", "01 84 03"},
	} {
		got, _ := w.Serial(c.at, rtuFrame(octets(t, c.request)))
		var want []byte
		if c.want != "" {
			want = rtuFrame(octets(t, c.want))
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: % x, want % x", c.name, got, want)
		}
	}
	garbled := rtuFrame(octets(t, askAll))
	garbled[3] ^= 1
	if got, _ := w.Serial(time.Minute, garbled); got != nil {
		t.Errorf("a garbled frame is answered by % x", got)
	}
}

func TestCounterFaults(t *testing.T) {
	ask := rtuFrame(octets(t, askAll))
	for kind, judge := range map[FaultKind]func(before, after []byte) bool{
		NACK:   func(_, after []byte) bool { return after == nil },
		Frozen: bytes.Equal,
		BadCRC: func(_, after []byte) bool { return !bytes.Equal(rtuFrame(bytes.Clone(after[:len(after)-2])), after) },
		Reboot: func(_, after []byte) bool { // from zero, and it says so
			return after[6] == statusNotZeroed && bytes.Equal(after[9:17], make([]byte, 8))
		},
	} {
		w := counting(t)
		before, _ := w.Serial(time.Minute, ask)
		if err := w.Inject(time.Minute, Fault{Target: "rs485-1/1", Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if after, _ := w.Serial(2*time.Minute, ask); !judge(before, after) {
			t.Errorf("%s: % x", kind, after)
		}
	}
	w := counting(t)
	if err := w.Inject(0, Fault{Target: "rs485-1", Kind: BusStuck, For: time.Second}); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.Serial(0, ask); got != nil {
		t.Errorf("a stuck line answers % x", got)
	}
	if got, _ := w.Serial(2*time.Second, ask); got == nil {
		t.Error("a line that is free again does not answer")
	}
}
