package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
)

// storm is how long processes are killed at random. NIRAPOD_STORM overrides it
// for the long form.
func storm(t *testing.T) time.Duration {
	if word := os.Getenv("NIRAPOD_STORM"); word != "" {
		d, err := time.ParseDuration(word)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	return 3 * time.Minute
}

// The broker is away when the fire starts: the outputs act all the same. When
// it is back the alarm appears once, with the time at which it happened. Then
// agent, broker and server are killed at random, and nothing is lost, doubled
// or made up.
func TestFireThroughKills(t *testing.T) {
	t.Parallel()
	p := newPlant(t, plantOptions{scenario: "smoulder", block: 10 * time.Second, env: []string{"NIRAPOD_CRASH=after-store:0.002"}})
	p.fireWithoutBroker()
	p.killEverything(storm(t))
	p.settle()
}

// The same with Mosquitto and InfluxDB in the place of the embedded broker and
// store, and killed like everything else.
func TestFireThroughKillsOutside(t *testing.T) {
	t.Parallel()
	p := newPlant(t, plantOptions{scenario: "smoulder", outside: true, env: []string{"NIRAPOD_CRASH=after-store:0.002"}})
	p.fireWithoutBroker()
	p.killEverything(storm(t))
	p.settle()
}

// The same through a proxy that acknowledges and then drops, repeats and
// reorders, between agent and broker and between broker and server.
func TestFireThroughKillsAndLossyBroker(t *testing.T) {
	t.Parallel()
	var proxies []*lossy
	via := func(address string) string {
		proxy := newLossy(t, func() string { return address })
		proxies = append(proxies, proxy)
		return proxy.addr()
	}
	p := newPlant(t, plantOptions{scenario: "smoulder", block: 10 * time.Second, agentVia: via, ingestVia: via, env: []string{"NIRAPOD_CRASH=after-store:0.002"}})
	p.fireWithoutBroker()
	p.killEverything(storm(t))
	p.settle()
	for i, proxy := range proxies {
		d, r, h := proxy.dropped.Load(), proxy.repeated.Load(), proxy.delayed.Load()
		t.Logf("proxy %d dropped %d, repeated %d, reordered %d publications after PUBACK", i, d, r, h)
		if d == 0 || r == 0 || h == 0 {
			t.Errorf("proxy %d did no harm: the test proved nothing", i)
		}
	}
}

// fireWithoutBroker starts everything but the broker and waits for the fire.
func (p *plant) fireWithoutBroker() {
	t := p.t
	t.Helper()
	p.sim.start()
	p.agent.start()
	p.server.start()
	world := p.world()
	var siren time.Time
	eventually(t, 3*time.Minute, "evacuation sounder without a broker", func() error {
		out, err := world.Output("SIM_SOUNDER")
		siren = out.FirstOn
		if err == nil && !out.Level {
			err = errNotYet
		}
		return err
	})
	p.broker.start()
	c := newClient(p.httpAddr)
	eventually(t, time.Minute, "login", func() error { return c.logIn("committee", userPassword) })
	var smoke safety.Alert
	eventually(t, time.Minute, "the smoke alarm on the page", func() (err error) {
		smoke, err = only(c, "smoke", "store-smoke")
		return err
	})
	if d := siren.Sub(smoke.OccurredAt); d < 0 || d > time.Minute {
		t.Errorf("smoke occurred at %v, siren at %v: the alert must carry the time at which it happened", smoke.OccurredAt, siren)
	}
	if smoke.RaisedAt.Before(smoke.OccurredAt) {
		t.Errorf("raised %v before it occurred %v", smoke.RaisedAt, smoke.OccurredAt)
	}
}

// only returns the one alert of a rule at a sensor, and an error if there is
// none or more than one.
func only(c *client, rule, sensor string) (found safety.Alert, err error) {
	all, err := c.alerts()
	if err != nil {
		return found, err
	}
	n := 0
	for _, a := range all {
		if a.Rule == rule && a.SensorID == sensor {
			found, n = a, n+1
		}
	}
	if n != 1 {
		return found, fmt.Errorf("%d alerts of %s at %s, want 1", n, rule, sensor)
	}
	return found, nil
}

// victims are the processes that may die at any moment.
func (p *plant) victims() []*process {
	all := []*process{p.agent, p.broker, p.server}
	if p.influx != nil {
		all = append(all, p.influx)
	}
	return all
}

// killEverything kills the victims at random moments: often in the first
// 200 ms after a start, and whenever the embedded series store is seen in the
// middle of a compaction.
func (p *plant) killEverything(d time.Duration) {
	t := p.t
	t.Helper()
	dice := rand.New(rand.NewPCG(7, 11))
	victims := p.victims()
	early, compacting := 0, 0
	for deadline := time.Now().Add(d); time.Now().Before(deadline); {
		if p.server.dead() { // a crash point
			p.server.end(0)
			p.server.start()
		}
		victim := victims[dice.IntN(len(victims))]
		if p.compacting() {
			victim = p.server
			compacting++
		}
		victim.kill()
		p.sweep()
		time.Sleep(time.Duration(dice.IntN(300)) * time.Millisecond)
		victim.start()
		if dice.Float64() < 0.3 {
			time.Sleep(time.Duration(dice.IntN(200)) * time.Millisecond)
			victim.kill()
			victim.start()
			early++
		}
		p.waitForCompaction(time.Duration(500+dice.IntN(4000)) * time.Millisecond)
	}
	for _, victim := range victims {
		t.Logf("killed: %s %d times", victim.name, victim.kills)
	}
	t.Logf("%d in the first 200 ms, %d during compaction", early, compacting)
	if p.influx == nil && compacting == 0 && d >= 3*time.Minute {
		t.Error("no kill fell into a compaction: the test proved less than it says")
	}
}

// sweep removes what a killed compaction left behind, as the store does when it
// opens, so that it is not taken for the next one.
func (p *plant) sweep() {
	if p.server.cmd != nil {
		return
	}
	left, err := filepath.Glob(p.file("data") + "/series/*.tmp-for-creation")
	if err != nil {
		return
	}
	for _, dir := range left {
		os.RemoveAll(dir)
	}
}

// compacting reports whether the series store is writing a block just now.
func (p *plant) compacting() bool {
	found, err := filepath.Glob(p.file("data") + "/series/*.tmp-for-creation")
	return err == nil && len(found) > 0
}

func (p *plant) waitForCompaction(d time.Duration) {
	for deadline := time.Now().Add(d); time.Now().Before(deadline) && !p.compacting() && !p.server.dead(); {
		time.Sleep(2 * time.Millisecond)
	}
}

// settle lets everything run undisturbed until all that was accepted is
// committed, stops it, and compares.
func (p *plant) settle() {
	t := p.t
	t.Helper()
	for _, victim := range p.victims() {
		if victim.dead() {
			victim.end(0)
		}
		if victim.cmd == nil {
			victim.start()
		}
	}
	c := newClient(p.httpAddr)
	eventually(t, time.Minute, "login after the storm", func() error { return c.logIn("committee", userPassword) })
	eventually(t, 2*time.Minute, "a received notice", func() error {
		received, err := c.received()
		if err == nil && len(received) != 1 {
			err = fmt.Errorf("%d received notices, want 1", len(received))
		}
		if err == nil && !strings.HasPrefix(received[0].ReceiptNumber, "DEMO-") {
			err = fmt.Errorf("receipt number %q of a simulated notice", received[0].ReceiptNumber)
		}
		return err
	})
	if _, err := only(c, "smoke", "store-smoke"); err != nil {
		t.Error(err)
	}
	p.sim.kill() // nothing new is measured but silence
	p.agent.stop()
	p.agent.start() // it sends what it still has
	eventually(t, 3*time.Minute, "everything accepted is committed", func() error {
		if p.server.dead() {
			p.server.end(0)
			p.server.start()
		}
		p.checkOneAlertPerPoint(c)
		return p.covered(t.Context(), readJournal(t, p.journal))
	})
	p.agent.stop()
	last := readJournal(t, p.journal)
	p.agent.start()
	eventually(t, time.Minute, "the last records too", func() error { return p.covered(t.Context(), last) })
	p.agent.kill()
	p.broker.stop()
	p.server.stop()
	p.compare(last, readJournal(t, p.journal))
}

// checkOneAlertPerPoint: at most one alert of a point is open.
func (p *plant) checkOneAlertPerPoint(c *client) {
	all, err := c.alerts()
	if err != nil {
		return // the server may be on its way back
	}
	open := map[string]string{}
	for _, a := range all {
		if a.State == safety.Cleared {
			continue
		}
		if other, twice := open[a.Point]; twice {
			p.t.Errorf("alerts %s and %s are open for one point (%s at %s)", other, a.ID, a.Rule, a.SensorID)
		}
		open[a.Point] = a.ID
	}
}
