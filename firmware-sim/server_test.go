package sim_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/firmware-sim/simbus"
)

// start serves a shipped scenario on addr until the test or stop ends it.
func start(t testing.TB, scenario, addr string) (bound string, stop func()) {
	t.Helper()
	sc, err := sim.Load(scenario, "")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	server := sim.NewServer(sim.New(sc, 1), slog.New(slog.DiscardHandler))
	go func() { done <- server.Run(ctx, l) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Run ended with %v, want context.Canceled", err)
			}
		})
	}
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func TestServer(t *testing.T) {
	addr, stop := start(t, "smoulder", "127.0.0.1:0")
	bus, err := simbus.DialI2C("sim://" + addr + "/i2c-1")
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()
	pins, err := simbus.DialGPIO("sim://" + addr + "/gpio")
	if err != nil {
		t.Fatal(err)
	}
	defer pins.Close()
	world, err := sim.DialWorld(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()

	sample := make([]byte, 6)
	if err := bus.Tx(0x44, []byte{0xe0, 0}, sample); !errors.Is(err, simbus.ErrNACK) {
		t.Errorf("before the start command: %v, want ErrNACK", err)
	}
	if err := bus.Tx(0x44, []byte{0x21, 0x30}, nil); err != nil {
		t.Fatal(err)
	}
	until(t, "first sample", func() bool { return bus.Tx(0x44, []byte{0xe0, 0}, sample) == nil })

	if err := pins.Write("SIM_SOUNDER", true); err != nil {
		t.Fatal(err)
	}
	sounder, err := world.Output("SIM_SOUNDER")
	if err != nil || !sounder.Level || time.Since(sounder.FirstOn) > time.Minute || sounder.FirstOnAt <= 0 {
		t.Errorf("sounder %+v, %v", sounder, err)
	}
	if err := world.Set(sim.Setting{Pin: "SIM_CALL_1", Level: true}); err != nil {
		t.Fatal(err)
	}
	until(t, "call point", func() bool { pressed, err := pins.Read("SIM_CALL_1"); return pressed && err == nil })

	if err := world.Jump(2 * time.Minute); err != nil {
		t.Fatal(err)
	}
	state, err := world.State()
	if err != nil {
		t.Fatal(err)
	}
	store := slices.IndexFunc(state.Inputs, func(in sim.InputState) bool { return in.ID == "store-smoke" })
	if state.Elapsed < 2*time.Minute || state.Zones[0].Temperature < 54 || !state.Inputs[store].Alarm {
		t.Errorf("after the jump: %+v", state)
	}
	registers, err := world.Registers()
	if err != nil || len(registers) == 0 || !registers[0].Valid || registers[0].Value < 50 {
		t.Errorf("registers %+v, %v", registers, err)
	}
	if err := world.Jump(time.Minute); !errors.Is(err, simbus.ErrRefused) {
		t.Errorf("jump back: %v, want ErrRefused", err)
	}

	if err := world.Inject(sim.Fault{Target: "i2c-1/0x44", Kind: sim.NACK}); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := world.State(); err == nil {
		t.Error("a stopped simulator answered")
	}
	start(t, "calm", addr)
	until(t, "bus heals", func() bool { return bus.Tx(0x44, []byte{0x21, 0x30}, nil) == nil })
	until(t, "pins heal", func() bool { return pins.Write("SIM_SOUNDER", false) == nil })
	until(t, "world heals", func() bool { s, err := world.State(); return err == nil && s.Scenario == "calm" })
}

func TestStuckDeviceHoldsTheBus(t *testing.T) {
	addr, _ := start(t, "calm", "127.0.0.1:0")
	world, err := sim.DialWorld(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	if err := world.Inject(sim.Fault{Target: "i2c-1/0x45", Kind: sim.Timeout}); err != nil {
		t.Fatal(err)
	}
	stuck, err := simbus.DialI2C("sim://" + addr + "/i2c-1")
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	begun := time.Now()
	if err := stuck.Tx(0x45, nil, make([]byte, 1)); !errors.Is(err, simbus.ErrTimeout) {
		t.Errorf("got %v, want ErrTimeout", err)
	}
	if took := time.Since(begun); took < 150*time.Millisecond || took > simbus.Deadline+250*time.Millisecond {
		t.Errorf("timed out after %v", took)
	}
	if err := stuck.Tx(0x48, []byte{1}, make([]byte, 2)); err != nil {
		t.Errorf("the neighbour: %v", err)
	}
	if err := world.Repair("i2c-1/0x45"); err != nil {
		t.Fatal(err)
	}
	if err := stuck.Tx(0x45, nil, nil); err != nil {
		t.Errorf("after repair: %v", err)
	}
}

// BenchmarkTx is a status read as the agent sees it, through the whole simulator.
func BenchmarkTx(b *testing.B) {
	addr, stop := start(b, "smoulder", "127.0.0.1:0")
	defer stop()
	bus, err := simbus.DialI2C("sim://" + addr + "/i2c-1")
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	status := make([]byte, 3)
	took := make([]time.Duration, 0, 1<<20)
	for b.Loop() {
		begun := time.Now()
		if err := bus.Tx(0x44, []byte{0xf3, 0x2d}, status); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50_µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99_µs")
}
