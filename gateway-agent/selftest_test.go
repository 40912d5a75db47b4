package agent_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	sim "nirapod/firmware-sim"
	agent "nirapod/gateway-agent"
)

func TestScanComparesTheBusWithTheConfiguration(t *testing.T) {
	b := newBox(t)
	scans := agent.ScanBuses(b.cfg)
	want := []string{"0x44", "0x45", "0x46", "0x47", "0x48", "0x49", "0x62"}
	units := []string{"unit 1", "unit 2", "unit 3"}
	if len(scans) != 2 || !scans[0].OK() || !slices.Equal(scans[0].Answers, want) || !scans[1].OK() || !slices.Equal(scans[1].Answers, units) {
		t.Fatalf("a healthy board: %+v", scans)
	}
	b.inject("i2c-1/0x46", sim.NACK)
	b.cfg.Sensors = slices.DeleteFunc(b.cfg.Sensors, func(s agent.Sensor) bool { return strings.HasPrefix(s.ID, "stair-") })
	s := agent.ScanBuses(b.cfg)[0]
	if s.OK() || !slices.Equal(s.Missing, []string{"0x46"}) || !slices.Equal(s.Unexpected, []string{"0x49"}) {
		t.Errorf("one part gone, one not configured: %+v", s)
	}
	b.inject("rs485-1/2", sim.NACK)
	b.inject("rs485-1/3", sim.BadCRC)
	if s := agent.ScanBuses(b.cfg)[1]; s.OK() || !slices.Equal(s.Missing, []string{"unit 2"}) || !strings.Contains(s.Error, "unit 3") {
		t.Errorf("one unit silent, one garbled: %+v", s)
	}
	b.stop()
	if s := agent.ScanBuses(b.cfg)[0]; s.OK() || s.Error == "" {
		t.Errorf("no bus at all: %+v", s)
	}
}

func TestSelfTestHearsEverySensorAndSoundsOnlyWhenAsked(t *testing.T) {
	b := newBox(t)
	b.inject("i2c-1/0x45", sim.BadCRC)
	b.inject("sewing-smoke", sim.LoopOpen)
	r, err := agent.SelfTest(t.Context(), b.cfg, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	wrong := map[string]string{"sensor sewing-heat": "crc", "sensor sewing-rh": "crc", "sensor sewing-smoke": "wire_open"}
	for _, c := range r.Checks {
		if says, isWrong := wrong[c.What]; c.OK == isWrong || isWrong && c.Says != says {
			t.Errorf("%s: ok %v, %q", c.What, c.OK, c.Says)
		}
	}
	if r.OK || !r.Simulated || len(r.Checks) != 1+len(b.cfg.Sensors) {
		t.Errorf("report ok %v, simulated %v, %d checks", r.OK, r.Simulated, len(r.Checks))
	}
	if o := b.output("SIM_SOUNDER"); o.Activations != 0 {
		t.Error("sounded without being asked to")
	}
	for _, target := range []string{"i2c-1/0x45", "sewing-smoke"} {
		if err := b.world.Repair(target); err != nil {
			t.Fatal(err)
		}
	}
	if r, err = agent.SelfTest(t.Context(), b.cfg, true, slog.New(slog.DiscardHandler)); err != nil || !r.OK {
		t.Errorf("repaired: %v, %+v", err, r)
	}
	for _, pin := range []string{"SIM_SOUNDER", "SIM_BUZZER", "SIM_BEACON"} {
		if o := b.output(pin); o.Activations != 1 || o.Level {
			t.Errorf("%s was sounded %d times and is %v", pin, o.Activations, o.Level)
		}
	}
}
