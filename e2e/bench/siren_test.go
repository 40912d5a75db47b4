package bench

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/app/demo"
	sim "nirapod/firmware-sim"
	agent "nirapod/gateway-agent"
	"nirapod/internal/freeport"
)

// siren measures from the register of a smoke head to the pin of the evacuation
// sounder, both at the simulator: the shipped agent against the shipped
// simulator, each a process, with nobody there to acknowledge, no broker and no
// server. Both begin anew each time: the head and the alarm latch.
func siren(t *testing.T, rounds int) (took []time.Duration) {
	t.Helper()
	for range rounds {
		dir, address := t.TempDir(), freeport.Address(t)
		simulator := start(t, dir, "sim", filepath.Join(bin, "firmware-sim"), nil, "-scenario", "calm", "-listen", address)
		box := start(t, dir, "agent", filepath.Join(bin, "gateway-agent"), nil, "run", "-c", agentFile(t, dir, address))
		took = append(took, cross(t, address))
		box.kill()
		simulator.kill()
	}
	return took
}

// cross lets smoke into the head and waits for the sounder.
func cross(t *testing.T, address string) time.Duration {
	t.Helper()
	world, err := sim.DialWorld(address)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	var sounder sim.Output
	sounds := func() (err error) {
		if sounder, err = world.Output("SIM_SOUNDER"); err == nil && !sounder.Level {
			err = errors.New("the sounder is silent")
		}
		return err
	}
	if err := patiently(func() error { _, err := world.State(); return err }); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500*time.Millisecond + rand.N(time.Second)) // any moment of the scan
	if sounds() == nil {
		t.Fatal("the sounder sounds before there is smoke")
	}
	crossed := time.Now()
	if err := world.Set(sim.Setting{Zone: "store", Quantity: "smoke_od", Value: 50}); err != nil {
		t.Fatal(err)
	}
	if err := patiently(sounds); err != nil {
		t.Fatal(err)
	}
	return sounder.ChangedAt.Sub(crossed)
}

// patiently tries for 10 s.
func patiently(try func() error) (err error) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err = try(); err == nil {
			return nil
		}
	}
	return err
}

func agentFile(t *testing.T, dir, sim string) string {
	t.Helper()
	cfg := agent.Defaults()
	if err := yaml.Unmarshal(demo.Agent, &cfg); err != nil {
		t.Fatal(err)
	}
	cfg.Attended, cfg.DataDir, cfg.Broker.PasswordFile = nil, filepath.Join(dir, "agent"), filepath.Join(dir, "password")
	cfg.Broker.URL = "tcp://" + freeport.Address(t) // nobody is there
	for name, bus := range cfg.Buses {
		_, path, _ := strings.Cut(strings.TrimPrefix(bus.Open, "sim://"), "/")
		cfg.Buses[name] = agent.Bus{Open: "sim://" + sim + "/" + path}
	}
	text, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "agent.yaml")
	if err := errors.Join(os.WriteFile(cfg.Broker.PasswordFile, []byte("no broker is there to ask for it\n"), 0o600), os.WriteFile(file, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	return file
}

// The short form of the siren measurement.
func TestSiren(t *testing.T) {
	if testing.Short() {
		t.Skip("end-to-end tests do not run with -short")
	}
	t.Logf("register to pin: %v", siren(t, 2))
}
