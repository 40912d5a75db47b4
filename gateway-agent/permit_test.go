package agent

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nirapod/gateway-agent/annunciate"
	"nirapod/gateway-agent/clock"
	"nirapod/safety"
	"nirapod/wire"
)

// permitted is a command that isolates sensors of the store for an hour.
func permitted(id string, work safety.Work, sensors ...string) wire.Command {
	now := time.Now().UTC().Truncate(time.Millisecond)
	p := &safety.Permit{
		ID: id, Work: work, Zone: "store", Sensors: sensors, From: now.Add(-time.Minute), Until: now.Add(time.Hour),
		IssuedBy: "Rahim", AcceptedBy: "Salma", Watch: "Karim",
	}
	return wire.Command{ID: id, Kind: wire.CommandPermit, Permit: p, By: "committee", Expires: p.Until}
}

func about(id, kind string, sensors ...string) wire.Command {
	return wire.Command{ID: id + kind, Kind: kind, PermitID: id, Sensors: sensors, By: "committee", Expires: time.Now().UTC().Truncate(time.Millisecond).Add(time.Hour)}
}

// last returns what a rule said last of smoke-1.
func (c *core) last(rule string) (s safety.State) {
	for _, r := range c.journal.alarms {
		if t := r.Transition; t.Rule == rule && t.Sensor == "smoke-1" {
			s = t.To
		}
	}
	return s
}

func TestAPermitOnTheGateway(t *testing.T) {
	c := still(t)
	c.says("smoke-1", 0)
	c.command(permitted("p", safety.HotWork, "smoke-1"))
	c.says("smoke-1", 1)
	if c.sounds() || c.last("sensor-isolated") != safety.Firing {
		t.Fatalf("smoke under a permit: %v, isolated %v", c.ann.Phase(), c.last("sensor-isolated"))
	}
	c.command(about("p", wire.CommandTested, "smoke-1"))
	c.command(about("p", wire.CommandPermitEnd))
	if !c.sounds() {
		t.Error("smoke when the permit is ended is not told")
	}
	if c.last("sensor-untested") != safety.Firing {
		t.Error("nobody is asked for a test")
	}
	c.command(permitted("p", safety.HotWork, "smoke-1"))
	if c.last("sensor-isolated") != safety.Inactive {
		t.Error("a permit that was ended is taken again")
	}
	c.command(about("other", wire.CommandTested, "smoke-1"))
	if c.last("sensor-untested") != safety.Firing {
		t.Error("a test after another permit counts")
	}
	c.command(about("p", wire.CommandTested, "smoke-1"))
	if c.last("sensor-untested") != safety.Inactive {
		t.Error("the test is not taken")
	}
}

func TestAPermitEndsByItselfOnTheGateway(t *testing.T) {
	c := still(t)
	c.says("smoke-1", 0)
	c.command(permitted("p", safety.HotWork, "smoke-1"))
	c.says("smoke-1", 1)
	later := c.clock.Mono() + time.Hour.Milliseconds() + 1
	c.tick(later)
	c.observe(good("smoke-1", 1, later))
	if !c.sounds() || c.last("sensor-untested") != safety.Firing {
		t.Errorf("after its time: %v, untested %v", c.ann.Phase(), c.last("sensor-untested"))
	}
}

func TestPermitsThatTheGatewayRefuses(t *testing.T) {
	old := permitted("old", safety.HotWork, "smoke-1")
	old.Expires = time.Now().UTC().Truncate(time.Millisecond).Add(-time.Second)
	long := permitted("long", safety.HotWork, "smoke-1")
	long.Permit.Until = long.Permit.From.Add(5 * time.Hour)
	alone := permitted("alone", safety.HotWork, "smoke-1")
	alone.Permit.AcceptedBy = alone.Permit.IssuedBy
	bare := permitted("bare", safety.HotWork, "smoke-1")
	bare.Permit = nil
	for name, cmd := range map[string]wire.Command{
		"too late": old, "five hours": long, "one person": alone, "without a permit": bare,
		"a call point":             permitted("call", safety.HotWork, "smoke-1", "call"),
		"another zone":             permitted("zone", safety.HotWork, "smoke-2"),
		"a sensor that is none":    permitted("none", safety.HotWork, "ghost"),
		"work that covers nothing": permitted("work", safety.Painting, "smoke-1"),
	} {
		c := still(t)
		c.says("smoke-1", 0)
		c.command(cmd)
		c.says("smoke-1", 1)
		if !c.sounds() {
			t.Errorf("%s: smoke is hidden", name)
		}
	}
}

// Whoever ended a permit before this gateway heard of it has ended it.
func TestAnEndThatIsHeardFirst(t *testing.T) {
	c := still(t)
	c.says("smoke-1", 0)
	c.command(about("p", wire.CommandPermitEnd))
	c.command(permitted("p", safety.HotWork, "smoke-1"))
	c.says("smoke-1", 1)
	if !c.sounds() {
		t.Error("smoke is hidden by a permit that was ended")
	}
}

func heat(id string) Sensor {
	return Sensor{ID: id, Zone: "store", Quantity: safety.Temperature, Class: "A1R", Grade: safety.Industrial, Period: time.Second, LifeSafety: true}
}

// No permit reaches what evacuates for sure.
func TestWhatNoPermitHidesOnTheGateway(t *testing.T) {
	gas := Sensor{ID: "lel", Zone: "store", Quantity: safety.LEL, Grade: safety.Industrial, Period: time.Second, LifeSafety: true}
	for _, c := range []struct {
		name, sensor string
		value        float64
		want         annunciate.Phase
	}{
		{"call point", "call", 1, annunciate.Evacuating},
		{"static heat", "heat", 80, annunciate.Unacknowledged},
		{"second gas stage", "lel", 30, annunciate.Evacuating},
		{"first gas stage", "lel", 12, annunciate.Quiet},
	} {
		g := stillWith(t, t.TempDir(), clock.Trusted, heat("heat"), gas)
		mono := g.clock.Mono()
		quiet := map[string]float64{"call": 0, "heat": 25, "lel": 0, "smoke-1": 0}
		for sensor, value := range quiet {
			g.observe(good(sensor, value, mono))
		}
		g.command(permitted("hot", safety.HotWork, "smoke-1", "heat"))
		g.command(permitted("paint", safety.Painting, "lel"))
		for n := range 5 {
			g.observe(good(c.sensor, c.value, mono+int64(n+1)*1000))
		}
		g.tick(mono + 5000)
		if got := g.ann.Phase(); got != c.want {
			t.Errorf("%s under every permit that there is: %v, want %v", c.name, got, c.want)
		}
	}
}

// kept is the saved rules of f, for a test to change.
func kept(t *testing.T, f files, change func(*heldPermit)) files {
	t.Helper()
	var saved savedRules
	if err := json.Unmarshal(f.rules, &saved); err != nil {
		t.Fatal(err)
	}
	change(&saved.Permits[0])
	data, err := json.Marshal(saved)
	if err != nil {
		t.Fatal(err)
	}
	return files{f.annunciator, data}
}

// A permit outlives the process, not its time: that goes on while no agent runs.
func TestAPermitAndARestart(t *testing.T) {
	c := still(t)
	c.says("smoke-1", 0)
	before := c.snapshot(t)
	c.command(permitted("p", safety.HotWork, "smoke-1"))
	c.says("smoke-1", 1)
	after := c.snapshot(t)
	now := c.clock.Mono()
	for _, s := range []struct {
		name   string
		f      files
		hidden bool
	}{
		{"at once", after, true},
		{"before it was kept", before, false},
		{"when it is over", kept(t, after, func(h *heldPermit) { h.Mono = now - 1 }), false},
		{"after a boot, within its time", kept(t, after, func(h *heldPermit) { h.Boot = "another" }), true},
		{"after a boot, when it is over", kept(t, after, func(h *heldPermit) { h.Boot, h.Until = "another", time.Now().Add(-time.Second) }), false},
	} {
		c := restart(t, s.f)
		c.says("smoke-1", 1)
		if c.sounds() == s.hidden {
			t.Errorf("%s: sounds %t", s.name, c.sounds())
		}
		c.command(permitted("p", safety.HotWork, "smoke-1")) // the server says it again
		c.says("smoke-1", 1)
		if s.hidden && c.sounds() {
			t.Errorf("%s, and told again: it sounds", s.name)
		}
		if s.hidden {
			later := c.clock.Mono() + time.Hour.Milliseconds() + 2000
			c.tick(later)
			c.observe(good("smoke-1", 1, later))
			if !c.sounds() {
				t.Errorf("%s: it does not end", s.name)
			}
		}
	}
}

// A box that does not know the time takes no permit, and keeps none over a boot.
func TestWithoutAClockThereIsNoPermit(t *testing.T) {
	c := still(t)
	c.says("smoke-1", 0)
	c.command(permitted("p", safety.HotWork, "smoke-1"))
	f := kept(t, c.snapshot(t), func(h *heldPermit) { h.Boot = "another" })
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, annunciatorFile), f.annunciator, 0o600), os.WriteFile(filepath.Join(dir, rulesFile), f.rules, 0o600)); err != nil {
		t.Fatal(err)
	}
	c = stillWith(t, dir, clock.Auto)
	if c.clock.State() != wire.Unsynced {
		t.Skip("the clock of this machine is synchronised")
	}
	c.command(permitted("q", safety.HotWork, "smoke-1"))
	c.says("smoke-1", 1)
	if !c.sounds() {
		t.Error("smoke is hidden by a permit whose end nobody knows")
	}
}
