package agent

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"nirapod/gateway-agent/annunciate"
	"nirapod/safety"
)

// files are the two saved states; nil is no file.
type files struct{ annunciator, rules []byte }

// kept returns what the keeper would write now.
func (c *core) snapshot(t *testing.T) files {
	t.Helper()
	c.keepRules(c.clock.Mono(), true)
	return files{c.keeper.pending[annunciatorFile].data, c.journal.state.data}
}

// restart is a new process that finds f.
func restart(t *testing.T, f files) *core {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{annunciatorFile: f.annunciator, rulesFile: f.rules} {
		if data == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return stillIn(t, dir)
}

// turn operates the panel key.
func (c *core) turn() {
	c.says("key", 0)
	c.says("key", 1)
	c.says("key", 0)
}

// minutesPass lets an evacuation be old enough to be silenced.
func (c *core) minutesPass() {
	s := c.ann.State()
	s.Sounded -= annunciate.NoSilence + time.Minute
	c.ann.Restore(c.moment(c.clock.Mono()), s, true)
}

func (c *core) sounds() bool {
	o := c.ann.Outputs()
	return o.Staff || o.Evacuate
}

// agreeing reports whether rules and annunciator know the same alarms.
func (c *core) agreeing() bool {
	believed := c.ann.Believes()
	var firing []string
	for _, tr := range c.engine.Firing() {
		if annunciate.Concerns(tr) {
			firing = append(firing, tr.Point)
		}
	}
	slices.Sort(believed)
	slices.Sort(firing)
	return slices.Equal(believed, firing)
}

// crash is something that happens to the gateway while one file may be written
// and the other not.
type crash struct {
	name   string
	before func(*core) // leads to the older files
	event  func(*core) // and this to the newer ones
	alarm  bool        // true: an alarm nobody has ended stands afterwards
}

func allQuiet(c *core) {
	for _, sensor := range []string{"smoke-1", "smoke-2", "call"} {
		c.says(sensor, 0)
	}
}

func crashes() []crash {
	smoke := func(c *core) { c.says("smoke-1", 1) }
	both := func(c *core) { c.says("smoke-1", 1); c.says("smoke-2", 1) }
	return []crash{
		{"an alarm", allQuiet, smoke, true},
		{"a second alarm", func(c *core) { allQuiet(c); smoke(c) }, func(c *core) { c.says("smoke-2", 1) }, true},
		{"a call point", allQuiet, func(c *core) { c.says("call", 1) }, true},
		{"an acknowledgement", func(c *core) { allQuiet(c); smoke(c) }, func(c *core) {
			c.ann.Acknowledge(c.moment(c.clock.Mono()), "")
			c.act()
		}, true},
		{"a reset", func(c *core) { allQuiet(c); smoke(c); allQuiet(c) }, (*core).turn, false},
		{"a reset after an evacuation", func(c *core) {
			allQuiet(c)
			both(c)
			allQuiet(c)
			c.minutesPass()
			c.turn()
		}, (*core).turn, false},
		{"a reset after a call point", func(c *core) {
			allQuiet(c)
			c.says("call", 1)
			c.says("call", 0)
			c.minutesPass()
			c.turn()
		}, (*core).turn, false},
	}
}

func TestAfterACrashRulesAndAnnunciatorAgree(t *testing.T) {
	events := crashes()
	if testing.Short() { // each starts more than a hundred gateways
		events = events[:2]
	}
	for _, event := range events {
		c := still(t)
		event.before(c)
		older := c.snapshot(t)
		event.event(c)
		newer := c.snapshot(t)
		if slices.Equal(older.annunciator, newer.annunciator) {
			t.Fatalf("%s keeps allQuiet", event.name)
		}
		torn := []byte(`{"state":`)
		for name, f := range map[string]files{
			"both old":                        older,
			"both new":                        newer,
			"only the annunciator is new":     {newer.annunciator, older.rules},
			"only the rules are new":          {older.annunciator, newer.rules},
			"no annunciator, old rules":       {nil, older.rules},
			"no annunciator, new rules":       {nil, newer.rules},
			"old annunciator, no rules":       {older.annunciator, nil},
			"new annunciator, no rules":       {newer.annunciator, nil},
			"torn annunciator, new rules":     {torn, newer.rules},
			"new annunciator, torn rules":     {newer.annunciator, torn},
			"neither":                         {},
			"annunciator of an older program": {[]byte(`{"boot":"x","state":{"phase":0}}`), newer.rules},
		} {
			t.Run(event.name+"/"+name, func(t *testing.T) {
				realSmokeIsHeard(t, f)
				isEndedByPeople(t, f)
				wasTold := event.alarm && slices.Equal(f.annunciator, newer.annunciator) || event.alarm && slices.Equal(f.rules, newer.rules)
				if c := restart(t, f); wasTold && c.ann.Phase() == annunciate.Quiet {
					t.Errorf("an alarm that one of the files knows is silent")
				}
			})
		}
	}
}

func realSmokeIsHeard(t *testing.T, f files) {
	t.Helper()
	for _, sensor := range []string{"smoke-1", "smoke-2", "call"} {
		c := restart(t, f)
		if !c.agreeing() {
			t.Fatalf("after the restart the rules say %v and the annunciator %v", c.engine.Firing(), c.ann.Believes())
		}
		silenced := c.ann.Phase() == annunciate.Silenced // by a person, who knows what has fired so far
		before := len(c.ann.Believes())
		c.says(sensor, 1)
		if c.ann.Phase() == annunciate.Quiet || silenced && len(c.ann.Believes()) > before && !c.ann.Outputs().Evacuate {
			t.Errorf("%s in alarm after the restart: %v", sensor, c.ann.Phase())
		}
		if !c.agreeing() {
			t.Errorf("then the rules say %v and the annunciator %v", c.engine.Firing(), c.ann.Believes())
		}
	}
}

func isEndedByPeople(t *testing.T, f files) {
	t.Helper()
	c := restart(t, f)
	allQuiet(c)
	if c.ann.Outputs().Evacuate {
		c.minutesPass()
		c.turn()
	}
	c.turn()
	if c.ann.Phase() != annunciate.Quiet || c.sounds() || len(c.engine.Firing()) > 0 {
		t.Errorf("all is over and the key is turned: %v, %+v; rules %v", c.ann.Phase(), c.ann.State(), c.engine.Firing())
	}
	c.says("smoke-1", 1)
	if !c.sounds() {
		t.Error("smoke after that is not told")
	}
}

// A person has just ended it; only power was lost before the rules were saved.
func TestAResetBeforeACrashStays(t *testing.T) {
	for _, event := range crashes() {
		if event.alarm {
			continue
		}
		c := still(t)
		event.before(c)
		older := c.snapshot(t)
		event.event(c)
		c = restart(t, files{c.snapshot(t).annunciator, older.rules})
		if c.ann.Phase() != annunciate.Quiet || c.sounds() {
			t.Errorf("%s is undone by a crash: %v", event.name, c.ann.Phase())
		}
		allQuiet(c)
		told := c.journal.alarms
		if len(told) == 0 || told[len(told)-1].Transition.To != safety.Inactive {
			t.Errorf("%s: the server is not told that it is over: %+v", event.name, told)
		}
	}
}

func TestRulesAreNeverKeptBeforeTheAnnunciator(t *testing.T) {
	dir := t.TempDir()
	k := newKeeper(dir, func(bool) {}, quiet)
	blocked := filepath.Join(dir, annunciatorFile+".new")
	if err := os.Mkdir(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 20 { // a map is walked in any order
		k.keep(rulesFile, []byte(`{}`), true)
		k.keep(annunciatorFile, []byte(`{}`), false)
		if err := k.flush(); err == nil {
			t.Fatal("a file whose place is taken was written")
		}
		if _, err := os.Stat(filepath.Join(dir, rulesFile)); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("the rules are kept and the annunciator is not: %v", err)
		}
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if err := k.flush(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{annunciatorFile, rulesFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}
