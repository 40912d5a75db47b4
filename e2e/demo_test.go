package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	agent "nirapod/gateway-agent"

	"nirapod/internal/freeport"
)

// What `make run` shows a newcomer: within three minutes of being ready the
// evacuation output has sounded, the alarm is on the page, a notice is
// received. Ctrl-C ends everything in 5 s, and it can be started again.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("end-to-end tests do not run with -short")
	}
	t.Parallel()
	dir, addr := t.TempDir(), freeport.Address(t)
	demo := spawn(t, dir, "demo", "nirapod", nil, "demo", "-addr", addr, "-data", dir+"/data")
	demo.start()
	c := newClient(addr)
	c.ready(t)
	ready := time.Now()
	for _, name := range []string{"committee", "officer", "installer"} {
		if err := newClient(addr).logIn(name, "demo"); err != nil {
			t.Error(err)
		}
	}
	if err := c.logIn("officer", "demo"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 3*time.Minute, "a received notice", func() error {
		received, err := c.received()
		if err == nil && len(received) == 0 {
			err = errNotYet
		}
		if err == nil && !strings.HasPrefix(received[0].ReceiptNumber, "DEMO-") {
			t.Fatalf("receipt number %q", received[0].ReceiptNumber)
		}
		return err
	})
	t.Logf("notice received %v after readyz", time.Since(ready).Round(time.Second))
	siren, err := demoWorld(t, dir).Output("SIM_SOUNDER")
	if err != nil || !siren.Level {
		t.Errorf("the evacuation sounder is silent: %+v, %v", siren, err)
	}
	tellStories(t, addr)
	if took := demo.stop(); took > 5*time.Second {
		t.Errorf("Ctrl-C took %v", took)
	}
	if said, err := os.ReadFile(demo.log); err != nil || strings.Contains(string(said), "context canceled") {
		t.Errorf("Ctrl-C is taken for a mistake: %v\n%s", err, said)
	}
	demo.start()
	eventually(t, time.Minute, "a second run", func() error { return newClient(addr).ask(http.MethodGet, "/readyz", nil, nil) })
	demo.stop()
}

// demoWorld finds the demo's simulator through the agent's own file.
func demoWorld(t *testing.T, dir string) *sim.Client {
	t.Helper()
	cfg, err := agent.Load(dir + "/data/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, bus := range cfg.Buses {
		address, _, _ := strings.Cut(strings.TrimPrefix(bus.Open, "sim://"), "/")
		world, err := sim.DialWorld(address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { world.Close() })
		return world
	}
	t.Fatal("the agent's file has no bus")
	return nil
}
