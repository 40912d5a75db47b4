package agent_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	agent "nirapod/gateway-agent"
	"nirapod/gateway-agent/annunciate"
)

func TestOneDetectorAlertsStaffAndASecondEvacuates(t *testing.T) {
	b := newBox(t)
	b.start()
	b.smoke("store")
	b.sounds("SIM_BUZZER", 20*time.Second)
	if b.output("SIM_SOUNDER").Level {
		t.Fatal("one detector evacuated during V1")
	}
	b.pressUntil("SIM_ACK", "SIM_BUZZER", false)
	b.smoke("stair-b")
	b.sounds("SIM_SOUNDER", 20*time.Second)
	b.sounds("SIM_BEACON", time.Second)
	b.press("SIM_KEY")
	b.pressUntil("SIM_ACK", "SIM_BUZZER", false)
	if o := b.output("SIM_SOUNDER"); !o.Level || o.Activations != 1 {
		t.Errorf("sounder after key and button in its first minutes: %+v", o)
	}
}

func TestAtNightOneDetectorEvacuates(t *testing.T) {
	b := newBox(t)
	b.cfg.Attended = nil
	b.start()
	b.smoke("sewing")
	b.sounds("SIM_SOUNDER", 20*time.Second)
}

func TestOutputsActWithoutDiskBrokerAndPassword(t *testing.T) {
	b := newBox(t)
	file := filepath.Join(t.TempDir(), "not-a-folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.cfg.DataDir, b.cfg.Broker.PasswordFile = file, filepath.Join(file, "none")
	b.start()
	b.pressUntil("SIM_CALL_2", "SIM_SOUNDER", true)
}

func TestStaffAreCalledWhenTheSounderCannotBeDriven(t *testing.T) {
	b := newBox(t)
	b.cfg.Buses["siren"] = agent.Bus{Open: "sim://127.0.0.1:1/gpio"} // nothing answers
	for i := range b.cfg.Outputs {
		if o := &b.cfg.Outputs[i]; o.Kind == agent.OutputEvacuate {
			o.Bus = "siren"
		}
	}
	b.start()
	b.sounds("SIM_BUZZER", 20*time.Second)
	b.eventually(20*time.Second, func() bool { return b.log.said(0, "sensor=main-door") }, "contacts are not read")
	b.pressUntil("SIM_ACK", "SIM_BUZZER", false)
}

func TestKilledAgentSoundsAgainBeforeItKnowsWhy(t *testing.T) {
	b := newBox(t)
	first := b.child()
	b.set(sim.Setting{Pin: "SIM_CALL_1", Level: true}) // for as long as a slow machine takes to start it
	b.sounds("SIM_SOUNDER", 10*time.Second)
	b.eventually(10*time.Second, func() bool {
		data, err := os.ReadFile(filepath.Join(b.cfg.DataDir, "state", "annunciator.json"))
		return err == nil && strings.Contains(string(data), fmt.Sprintf(`"phase":%d`, annunciate.Evacuating))
	}, "the evacuation is not kept")
	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // killed
	b.stop()
	b.boot() // a board that knows nothing: the call point is released, all outputs are off
	if b.output("SIM_SOUNDER").Level {
		t.Fatal("the new board sounds by itself")
	}
	b.child()
	b.sounds("SIM_SOUNDER", 10*time.Second)
	b.sounds("SIM_BEACON", time.Second)
}

func TestRestartedAgentReadsPartsThatKeptTheirState(t *testing.T) {
	b := newBox(t)
	stop := b.start()
	b.smoke("store")
	b.sounds("SIM_BUZZER", 20*time.Second)
	stop()
	if !b.output("SIM_BUZZER").Level {
		t.Fatal("an agent that stops in order silences the outputs")
	}
	b.start()
	b.smoke("stair-a")
	b.sounds("SIM_SOUNDER", 20*time.Second)
	if b.log.said(0, "sensor is not good") {
		t.Errorf("trouble after the restart:\n%s", b.log)
	}
	if b.log.said(0, "class=fault") {
		t.Errorf("the restart itself raised a fault:\n%s", b.log)
	}
}

func TestSimulatorRestartsWhileTheAgentRuns(t *testing.T) {
	b := newBox(t)
	b.start()
	b.pressUntil("SIM_CALL_1", "SIM_SOUNDER", true)
	b.stop()
	sensors := []string{"store-heat", "boiler-co", "stair-b-smoke", "main-door"}
	for _, sensor := range sensors {
		b.eventually(20*time.Second, func() bool { return b.log.said(0, "sensor="+sensor, "reason=timeout") },
			"loss of %s is not told", sensor)
	}
	from := b.log.count()
	b.boot()
	b.sounds("SIM_SOUNDER", 20*time.Second)
	for _, sensor := range sensors {
		b.eventually(10*time.Second, func() bool { return b.log.said(from, "good again", "sensor="+sensor) },
			"%s does not come back", sensor)
	}
}

func TestEveryFaultOfAPartHasItsReasonAndEnds(t *testing.T) {
	b := newBox(t)
	b.start()
	b.eventually(20*time.Second, func() bool { return b.log.said(0, "running") }, "the agent does not run")
	cases := []struct {
		target string
		kind   sim.FaultKind
		sensor string
		reason string
	}{
		{"i2c-1/0x44", sim.NACK, "store-heat", "nack"},
		{"i2c-1/0x45", sim.BadCRC, "sewing-rh", "crc"},
		{"i2c-1/0x46", sim.Timeout, "ironing-heat", "timeout"},
		{"i2c-1/0x47", sim.Busy, "boiler-heat", "timeout"},
		{"i2c-1/0x44", sim.Range, "store-heat", "out_of_range"},
		{"i2c-1/0x49", sim.NACK, "stair-a-smoke", "nack"},
		{"i2c-1/0x49", sim.Busy, "stair-b-smoke", "timeout"},
		{"store-smoke", sim.LoopOpen, "store-smoke", "wire_open"},
		{"store-smoke", sim.LoopShort, "store-smoke", "wire_short"},
		{"sewing-smoke", sim.LoopDegraded, "sewing-smoke", "implausible"},
		{"boiler-co", sim.LoopOpen, "boiler-co", "wire_open"},
		{"boiler-co", sim.TransmitterFault, "boiler-co", "implausible"},
		{"boiler-co", sim.OverRange, "boiler-co", "out_of_range"},
		{"rs485-1/1", sim.NACK, "sewing-people", "timeout"},
		{"rs485-1/2", sim.BadCRC, "store-people-high", "crc"},
		{"SIM_ROOF_DOOR", sim.Chatter, "", ""}, // an integrator is not moved by noise around the middle
	}
	for _, c := range cases {
		t.Run(c.target+" "+string(c.kind), func(t *testing.T) {
			from := b.log.count()
			b.inject(c.target, c.kind)
			if c.sensor != "" {
				b.eventually(20*time.Second, func() bool {
					return b.log.said(from, "not good", "sensor="+c.sensor, "reason="+c.reason)
				}, "%s never %s", c.sensor, c.reason)
			}
			from = b.log.count()
			if err := b.world.Repair(c.target); err != nil {
				t.Fatal(err)
			}
			if c.sensor != "" {
				b.eventually(12*time.Second, func() bool { return b.log.said(from, "good again", "sensor="+c.sensor) },
					"%s is not good again", c.sensor)
			}
		})
	}
	if o := b.output("SIM_SOUNDER"); o.Activations != 0 {
		t.Errorf("faults evacuated: %+v", o)
	}
}

func TestASickPartDoesNotBlindTheOthers(t *testing.T) {
	b := newBox(t)
	b.cfg.Attended = nil
	b.start()
	b.inject("i2c-1/0x44", sim.Timeout)
	b.inject("i2c-1/0x45", sim.Timeout)
	b.inject("i2c-1/0x48", sim.Timeout)
	b.smoke("stair-b")
	b.sounds("SIM_SOUNDER", 6*time.Second)
}

func TestARebootedPartIsStartedAgain(t *testing.T) {
	b := newBox(t)
	b.start()
	for _, target := range []string{"i2c-1/0x44", "i2c-1/0x48"} {
		b.inject(target, sim.Reboot)
	}
	b.eventually(20*time.Second, func() bool {
		regs, err := b.world.Registers()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range regs {
			if r.Target == "i2c-1/0x44" && r.Name == "temperature" {
				return r.Valid
			}
		}
		return false
	}, "nothing measures after the reboot")
	b.smoke("sewing")
	b.sounds("SIM_BUZZER", 20*time.Second)
}
