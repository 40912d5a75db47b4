package sim

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"
)

func steaming(t *testing.T) *World {
	t.Helper()
	b := Building{
		Vref: 3.3, Zones: []Zone{{ID: "a", Area: 100, Height: 4, Humidity: 50}},
		Boilers:  []Boiler{{ID: "b", Setpoint: 6, Valve: 7}},
		Gauges:   []Gauge{{Unit: 2, Boiler: "b"}},
		Counters: []Counter{{Unit: 1, Zone: "a", Inside: 5}},
	}
	b.defaults()
	return New(&Scenario{building: b}, 1)
}

// bar reads the gauge as the sheet of a transmitter says: a float, high word first.
func bar(t *testing.T, w *World, at time.Duration) float64 {
	t.Helper()
	b, _ := w.Serial(at, octets(t, "02 04 00 00 00 02 71 f8"))
	if len(b) != 9 || !bytes.Equal(b[:3], octets(t, "02 04 04")) || !bytes.Equal(rtuFrame(bytes.Clone(b[:7])), b) {
		t.Fatalf("% x", b)
	}
	return float64(math.Float32frombits(binary.BigEndian.Uint32(b[3:])))
}

func TestBoilerHoldsItsPressureUntilTheBurnerAndTheValveStick(t *testing.T) {
	w := steaming(t)
	for at := time.Duration(0); at < time.Hour; at += 5 * time.Second {
		if p := bar(t, w, at); p < 5.7 || p > 6.3 {
			t.Fatalf("%v: %.2f bar, with a switch at 5.8 and 6.2", at, p)
		}
	}
	stick := func(kind FaultKind) {
		if err := w.Inject(w.now, Fault{Target: "b", Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	stick(BurnerStuck)
	highest := 0.0
	for at := time.Hour; at < 2*time.Hour; at += time.Second {
		highest = max(highest, bar(t, w, at))
	}
	if highest < 6.95 || highest > 7.1 {
		t.Errorf("%.2f bar with a burner that sticks, want the valve's 7", highest)
	}
	stick(ValveStuck)
	if p := bar(t, w, 2*time.Hour+5*time.Minute); p < 8 {
		t.Errorf("%.2f bar with a valve that sticks too", p)
	}
}

func TestGaugeShowsItsMapBothWays(t *testing.T) {
	w := steaming(t)
	holding, _ := w.Serial(0, rtuFrame(octets(t, "02 03 00 00 00 03")))
	input, _ := w.Serial(0, rtuFrame(octets(t, "02 04 00 00 00 03")))
	if len(input) != 11 || !bytes.Equal(holding[2:9], input[2:9]) {
		t.Fatalf("% x and % x", holding, input)
	}
	if h := int16(binary.BigEndian.Uint16(input[7:])); h < 590 || h > 610 {
		t.Errorf("register 2 is %d, want hundredths of about 6 bar", h)
	}
}

func TestGaugeFaults(t *testing.T) {
	ask := octets(t, "02 04 00 00 00 02 71 f8")
	for _, c := range []struct {
		fault Fault
		want  string // the reply; "" = silence
	}{
		{Fault{Kind: NACK}, ""},
		{Fault{Kind: Exception}, "02 84 04 b2 c3"},
		{Fault{Kind: Exception, Value: 6}, "02 84 06 33 02"},
	} {
		w := steaming(t)
		c.fault.Target = "rs485-1/2"
		if err := w.Inject(0, c.fault); err != nil {
			t.Fatal(err)
		}
		if got, _ := w.Serial(0, ask); !bytes.Equal(got, octets(t, c.want)) {
			t.Errorf("%s: % x, want %s", c.fault.Kind, got, c.want)
		}
	}
	for kind, judge := range map[FaultKind]func(reply []byte, after time.Duration) bool{
		WrongUnit: func(b []byte, _ time.Duration) bool {
			return b[0] == 3 && bytes.Equal(rtuFrame(bytes.Clone(b[:7])), b)
		},
		Late: func(_ []byte, after time.Duration) bool { return after == 500*time.Millisecond },
		BadCRC: func(b []byte, _ time.Duration) bool {
			return !bytes.Equal(rtuFrame(bytes.Clone(b[:7])), b)
		},
		TransmitterFault: func(b []byte, _ time.Duration) bool {
			return math.IsNaN(float64(math.Float32frombits(binary.BigEndian.Uint32(b[3:]))))
		},
		Range: func(b []byte, _ time.Duration) bool {
			return math.Float32frombits(binary.BigEndian.Uint32(b[3:])) > 16
		},
	} {
		w := steaming(t)
		if err := w.Inject(0, Fault{Target: "rs485-1/2", Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if b, after := w.Serial(0, ask); !judge(b, after) {
			t.Errorf("%s: % x after %v", kind, b, after)
		}
	}
	w := steaming(t)
	before := bar(t, w, time.Minute)
	if err := w.Inject(time.Minute, Fault{Target: "rs485-1/2", Kind: Frozen}); err != nil {
		t.Fatal(err)
	}
	if after := bar(t, w, 2*time.Minute); after != before {
		t.Errorf("frozen at %g, then %g", before, after)
	}
}
