package agent

import (
	"errors"
	"testing"
	"time"

	"nirapod/gateway-agent/annunciate"
	"nirapod/gateway-agent/clock"
	"nirapod/gateway-agent/spool"
	"nirapod/safety"
	"nirapod/wire"
)

// still is a core with the demo's sensors that no device feeds.
func still(t *testing.T) *core { return stillIn(t, t.TempDir()) }

// stillIn continues from the states in dir.
func stillIn(t *testing.T, dir string) *core { return stillWith(t, dir, clock.Trusted) }

// stillWith has more sensors, and a clock of its own mode.
func stillWith(t *testing.T, dir string, mode clock.Mode, more ...Sensor) *core {
	t.Helper()
	clk, err := clock.New(mode, quiet)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Defaults()
	cfg.Factory, cfg.Gateway = "padma", "gw-1"
	cfg.Attended = []Hours{{"00:00", "24:00"}}
	cfg.Buses = map[string]Bus{"gpio": {Open: "sim://127.0.0.1:9/gpio"}}
	cfg.Zones = []safety.Zone{{ID: "store", NormalMax: 40}, {ID: "sewing", NormalMax: 40}}
	cfg.Sensors = []Sensor{
		{ID: "smoke-1", Zone: "store", Quantity: safety.Smoke, Grade: safety.Industrial, Period: time.Second, LifeSafety: true},
		{ID: "smoke-2", Zone: "sewing", Quantity: safety.Smoke, Grade: safety.Industrial, Period: time.Second, LifeSafety: true},
		{ID: "call", Zone: "store", Quantity: safety.CallPoint, Grade: safety.Certified, Period: time.Second, LifeSafety: true},
		{ID: "key", Zone: "store", Quantity: safety.Key, Grade: safety.Industrial, Period: time.Second, Contact: &Contact{Key: KeyPanel}},
	}
	cfg.Sensors = append(cfg.Sensors, more...)
	c := newCore(&cfg, clk, quiet)
	c.keeper = newKeeper(dir, func(bool) {}, quiet)
	c.journal = newJournal(newRecent(dir, time.Minute), func([]byte, bool) {}, func(bool) {}, quiet)
	c.outputs = newOutputs(nil, func(bool) {}, func(bool) {}, quiet)
	c.release = func() []sample { return nil }
	if c.engine, err = cfg.engine(quiet); err != nil {
		t.Fatal(err)
	}
	c.restoreOutputs(dir)
	c.restoreRules(dir)
	return c
}

func (c *core) says(sensor string, value float64) { c.observe(good(sensor, value, c.clock.Mono())) }

func TestReadingsGetTheirTimeAndTheirFlags(t *testing.T) {
	c := still(t)
	mono := c.clock.Mono()
	for range 3 {
		c.observe(good("smoke-1", 0, mono)) // all within one millisecond
	}
	var last spool.Record
	for i, r := range c.journal.readings {
		if r.Reading.Flags != safety.Simulated {
			t.Errorf("reading %d is not marked simulated", i)
		}
		if r.Mono <= last.Mono || !r.Wall.After(last.Wall) {
			t.Errorf("reading %d at %d %v, the one before at %d %v", i, r.Mono, r.Wall, last.Mono, last.Wall)
		}
		last = r
	}
	c.says("smoke-1", 1)
	alarms := c.journal.alarms
	if len(alarms) == 0 {
		t.Fatal("no transition")
	}
	fired := alarms[len(alarms)-1]
	if fired.Transition.Rule != "smoke" || fired.Transition.To != safety.Firing || fired.Transition.Flags != safety.Simulated {
		t.Errorf("transition %+v", fired.Transition)
	}
	if off := time.Since(fired.Wall).Abs(); off > 5*time.Second {
		t.Errorf("transition is placed %v from now", off)
	}
}

func TestAcknowledgeByCommand(t *testing.T) {
	c := still(t)
	c.says("smoke-1", 1)
	point := safety.PointID("padma", "smoke", "smoke-1")
	soon := time.Now().UTC().Truncate(time.Millisecond).Add(time.Minute)
	steps := []struct {
		name string
		cmd  wire.Command
		want annunciate.Phase
	}{
		{"too old", wire.Command{ID: "1", Kind: wire.CommandAck, Point: point, Expires: time.Now().Add(-time.Second)}, annunciate.Unacknowledged},
		{"another alert", wire.Command{ID: "2", Kind: wire.CommandAck, Point: "0123456789abcdef", Expires: soon}, annunciate.Unacknowledged},
		{"all alerts, which nobody can have seen from afar", wire.Command{ID: "3", Kind: wire.CommandAck, Expires: soon}, annunciate.Unacknowledged},
		{"the alert", wire.Command{ID: "4", Kind: wire.CommandAck, Point: point, Expires: soon}, annunciate.Investigating},
	}
	for _, s := range steps {
		c.command(s.cmd)
		if got := c.ann.Phase(); got != s.want {
			t.Errorf("%s: %v, want %v", s.name, got, s.want)
		}
	}
	c.says("smoke-2", 1)
	if got := c.ann.Phase(); got != annunciate.Evacuating {
		t.Errorf("a second detector after the acknowledgement: %v", got)
	}
}

func TestPanelKeyResetsWhatIsOverAndOnlyThat(t *testing.T) {
	c := still(t)
	turn := func() {
		c.says("key", 0)
		c.says("key", 1)
		c.says("key", 0)
	}
	c.says("smoke-1", 1)
	turn()
	if got := c.ann.Phase(); got != annunciate.Investigating {
		t.Fatalf("key while the head is in alarm: %v, want it seen and not ended", got)
	}
	c.says("smoke-1", 0)
	turn()
	if got := c.ann.Phase(); got != annunciate.Quiet {
		t.Fatalf("key after the head is quiet: %v", got)
	}
	last := c.journal.alarms[len(c.journal.alarms)-1].Transition
	if last.Rule != "smoke" || last.To != safety.Inactive {
		t.Errorf("the rule was not reset: %+v", last)
	}
	c.says("smoke-1", 1)
	if got := c.ann.Phase(); got != annunciate.Unacknowledged {
		t.Errorf("smoke again: %v", got)
	}
}

func TestKeyOperatedSinceBeforeTheStartIsNoOperation(t *testing.T) {
	c := still(t)
	c.says("smoke-1", 1)
	c.says("key", 1)
	c.observe(bad("key", safety.Timeout, c.clock.Mono()))
	c.says("key", 1)
	if got := c.ann.Phase(); got != annunciate.Unacknowledged {
		t.Errorf("%v: a stuck key, or one after a bad reading, counts as operated", got)
	}
}

func TestBadReadingOfACallPointEvacuatesNobody(t *testing.T) {
	c := still(t)
	c.observe(bad("call", safety.Timeout, c.clock.Mono()))
	if c.ann.Phase() != annunciate.Quiet {
		t.Error("a call point that cannot be read evacuates")
	}
	c.says("call", 1)
	if c.ann.Phase() != annunciate.Evacuating {
		t.Error("a call point does not evacuate")
	}
}

func TestJournalKeepsAlarmsAndTheNewestReadingsWhileNothingTakesThem(t *testing.T) {
	j := newJournal(newRecent(t.TempDir(), time.Minute), func([]byte, bool) {}, func(bool) {}, quiet)
	for i := range waitingReadings + 10 {
		j.reading(spool.Record{Stamp: spool.Stamp{Mono: int64(i)}})
	}
	j.transitions(spool.Record{Stamp: spool.Stamp{Mono: 1}})
	if n := len(j.readings); n != waitingReadings || j.readings[0].Mono != 10 || j.lostSoFar() != 10 {
		t.Errorf("%d readings from %d, %d lost", n, j.readings[0].Mono, j.lostSoFar())
	}
	if len(j.alarms) != 1 {
		t.Errorf("%d alarms", len(j.alarms))
	}
}

func TestJournalGetsPastARecordThatTheSpoolRefuses(t *testing.T) {
	sp, err := spool.Open(t.TempDir(), spool.Config{Run: "0123456789abcdef", Boot: "boot"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sp.Close(); err != nil {
			t.Error(err)
		}
	}()
	j := newJournal(newRecent(t.TempDir(), time.Minute), func([]byte, bool) {}, func(bool) {}, quiet)
	for i, sensor := range []string{"a", "Not An Id", "b"} {
		j.reading(spool.Record{
			Stamp:   spool.Stamp{Mono: int64(i + 1)},
			Reading: safety.Reading{Sensor: sensor, Quality: safety.Good},
		})
	}
	if err := j.flush(sp); err != nil {
		t.Fatal(err)
	}
	if x := sp.Extents(wire.Readings); len(x) != 1 || x[0].To != 2 || len(j.readings) != 0 {
		t.Errorf("extents %+v, %d waiting; want both good records accepted", x, len(j.readings))
	}
}

func TestRulesAreKeptOnlyAfterTheirTransitionsAreInTheSpool(t *testing.T) {
	dir := t.TempDir()
	sp, err := spool.Open(dir, spool.Config{Run: "0123456789abcdef", Boot: "boot"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	j := newJournal(newRecent(t.TempDir(), time.Minute), func(data []byte, _ bool) {
		if x := sp.Extents(wire.Alarms); len(x) != 1 || x[0].To != 1 {
			t.Errorf("state %s is kept while the spool holds %+v", data, x)
		}
		kept = append(kept, string(data))
	}, func(bool) {}, quiet)
	fired := &safety.Transition{Point: "0123456789abcdef", Rule: "smoke"}
	j.transitions(spool.Record{Stamp: spool.Stamp{Mono: 1}, Transition: fired})
	j.rules([]byte("after"), true)
	if err := sp.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.flush(sp); err == nil || len(kept) != 0 {
		t.Fatalf("closed spool: %v, kept %v", err, kept)
	}
	j.rules([]byte("later"), false)
	if sp, err = spool.Open(dir, spool.Config{Run: "0123456789abcdee", Boot: "boot"}, quiet); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.flush(sp), sp.Close()); err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 || kept[0] != "later" {
		t.Errorf("kept %v, want the newest state, once", kept)
	}
}
