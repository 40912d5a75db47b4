package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/gateway-agent/clock"
	"nirapod/gateway-agent/spool"
	"nirapod/rules"
	"nirapod/rules/rulestest"
	"nirapod/safety"
	"nirapod/wire"
)

// drawnAgent is the core of an agent for a drawn plant, with journal, keeper and
// spool on a disk. No device feeds it and no clock drives it.
type drawnAgent struct {
	*core
	dir string
	run int
	sp  *spool.Spool

	begin  epoch // while it started
	caught int   // transitions told while it started
}

func startDrawn(t *rapid.T, dir string, run int, plant rules.Plant, packs []rules.Pack, clk *clock.Clock) *drawnAgent {
	cfg := Defaults()
	cfg.Factory, cfg.Gateway, cfg.Zones, cfg.Hazards = plant.Factory, "gw-1", plant.Zones, plant.Hazards
	for _, s := range plant.Sensors {
		cfg.Sensors = append(cfg.Sensors, Sensor{
			ID: s.ID, Zone: s.Zone, Quantity: s.Quantity, Grade: s.Grade, Class: s.Class, Period: s.Period, Contact: &Contact{},
		})
	}
	c := newCore(&cfg, clk, quiet)
	var err error
	if c.engine, err = rules.New(packs, cfg.plant(), rules.Gateway, cfg.Gateway); err != nil {
		t.Fatal(err)
	}
	healthy := func(broken bool) {
		if broken {
			t.Fatal("a part broke")
		}
	}
	c.keeper = newKeeper(dir, healthy, quiet)
	c.journal = newJournal(newRecent(dir, c.engine.Window()), func(data []byte, sync bool) { c.keeper.keep(rulesFile, data, sync) }, healthy, quiet)
	c.outputs = newOutputs(nil, healthy, healthy, quiet)
	c.release = func() []sample { return nil }
	a := &drawnAgent{core: c, dir: dir, run: run}
	a.sp, err = spool.Open(filepath.Join(dir, "spool"), spool.Config{Run: runID(run), Boot: clk.Boot()}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	c.restoreOutputs(dir)
	c.restoreRules(dir)
	a.begin, a.caught = c.epoch, len(c.journal.alarms)
	c.epoch = epoch{rulestest.Start}
	c.kept = 0
	if run == 0 { // what was kept so far is of today
		c.keepRules(0, true)
	}
	return a
}

func runID(n int) string { return "00000000000000a" + string(rune('0'+n)) }

// write does what the goroutines of journal and keeper do when they are woken,
// the second of them if it gets to it.
func (a *drawnAgent) write(t *rapid.T, both bool) {
	if err := a.journal.flush(a.sp); err != nil {
		t.Fatal(err)
	}
	if !both {
		return
	}
	if err := a.keeper.flush(); err != nil {
		t.Fatal(err)
	}
}

// told reads the transitions of a run back from the spool.
func (a *drawnAgent) told(t *rapid.T) (out []safety.Transition) {
	for _, x := range a.sp.Extents(wire.Alarms) {
		if x.Run != runID(a.run) {
			continue
		}
		r := a.sp.Reader(wire.Alarms)
		for from := x.From; from <= x.To; {
			b, err := r.Next(x.Run, from, x.To, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range b.Records {
				tr := *rec.Transition
				tr.At = a.epoch.at(rec.Mono)
				if len(out) < a.caught {
					tr.At = a.begin.at(rec.Mono)
				}
				out = append(out, tr)
			}
			from = b.To + 1
		}
	}
	return out
}

// kill is kill -9: what was not written is gone.
func (a *drawnAgent) kill(t *rapid.T) {
	if err := a.sp.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.journal.recent.close(); err != nil {
		t.Fatal(err)
	}
}

// What a gateway says of its readings is what the rules say of them in one go,
// whenever it was killed.
func TestAGatewaySaysWhatTheRulesSay(t *testing.T) {
	clk, err := clock.New(clock.Trusted, quiet)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	alarms, killed, checks := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		plant, packs := rulestest.Plant(t, 1), rulestest.Packs(t)
		readings := rulestest.Readings(t, plant)
		want, got := rulestest.Said{}, rulestest.Said{}
		once, err := rules.New(packs, plant, rules.Gateway, "gw-1")
		if err != nil {
			t.Fatal(err)
		}
		want.Add(once.Tick(rulestest.Start)...)

		dir := filepath.Join(home, strconv.Itoa(checks))
		checks++
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		run := 0
		a := startDrawn(t, dir, run, plant, packs, clk)
		a.tick(a.epoch.mono(rulestest.Start))
		a.keepRules(0, true)
		a.write(t, true)
		kills := rapid.SliceOfN(rapid.IntRange(0, len(readings)), 0, 3).Draw(t, "kills")
		tickEvery := rapid.SampledFrom([]int{1, 2, 3}).Draw(t, "tick")
		every := rapid.SampledFrom([]int{1, 10, 40}).Draw(t, "written")
		for i, r := range readings {
			trs := once.Observe(r)
			want.Add(trs...)
			alarms += len(trs)
			a.observe(sample{r, a.epoch.mono(r.At)})
			if i%tickEvery == 0 {
				a.tick(a.epoch.mono(r.At))
				want.Add(once.Tick(r.At)...)
			}
			dies := slices.Contains(kills, i) && run < 9
			if dies || i%every == 0 {
				a.write(t, !dies || rapid.Bool().Draw(t, "kept"))
			}
			if dies {
				got.Add(a.told(t)...)
				a.kill(t)
				killed++
				run++
				a = startDrawn(t, dir, run, plant, packs, clk)
			}
		}
		end := rulestest.Start.Add(24 * time.Hour)
		want.Add(once.Tick(end)...)
		a.tick(a.epoch.mono(end))
		a.write(t, true)
		got.Add(a.told(t)...)
		a.kill(t)
		// A transition whose state was not kept in time is told again.
		if diff := want.Once().Differs(got.Once()); diff != "" {
			t.Fatal(diff)
		}
	})
	if !testing.Short() && (alarms < 1000 || killed < 20) {
		t.Errorf("%d transitions, %d kills: the draws say little", alarms, killed)
	}
}
