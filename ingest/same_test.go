package ingest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nirapod/rules"
	"nirapod/rules/rulestest"
	"nirapod/safety"
	"nirapod/wire"
)

// drawnSite is a drawn plant as a site.
func drawnSite(p rules.Plant, gateways int) safety.Site {
	s := safety.Site{Version: 1, Factory: safety.Factory{ID: p.Factory}, Zones: p.Zones, Hazards: p.Hazards, Sensors: p.Sensors}
	for i := range gateways {
		s.Gateways = append(s.Gateways, safety.Gateway{ID: fmt.Sprintf("gw-%d", i+1)})
	}
	return s
}

// parcel is a pack of a gateway's readings, and when it arrives.
type parcel struct {
	wire.Pack
	due time.Time
}

// parcels makes the packs of one gateway, in the order of its readings; each
// arrives at most late after its newest reading.
func parcels(t *rapid.T, gateway string, mine []safety.Reading, runs []string, late time.Duration) (out []parcel) {
	var due time.Time
	begun := 0
	for first := 0; first < len(mine); {
		if runs[first] != runs[begun] {
			begun = first
		}
		n := min(rapid.IntRange(1, 30).Draw(t, "records"), len(mine)-first)
		for n > 1 && runs[first+n-1] != runs[first] {
			n--
		}
		for n > 1 && mine[first+n-1].At.Sub(mine[first].At) > 900*time.Millisecond { // as an agent sends
			n--
		}
		last := mine[first+n-1].At
		p := wire.Pack{
			Factory: rulestest.Factory, Gateway: gateway, Run: runs[first], Stream: wire.Readings, First: uint64(first-begun) + 1,
			Boot: "b", Mono: last.UnixMilli() - rulestest.Start.UnixMilli() + 1, Clock: wire.Synced, Sent: last,
		}
		for _, r := range mine[first : first+n] {
			at := r.At
			r.At = time.Time{}
			p.Records = append(p.Records, wire.Record{At: at, Reading: r})
		}
		delay := time.Duration(rapid.IntRange(0, int(late.Milliseconds())).Draw(t, "late")) * time.Millisecond
		due = maxTime(due, last.Add(delay))
		out = append(out, parcel{p, due})
		first += n
	}
	return out
}

// server is a core with its disk, which may be killed.
type server struct {
	*core
	t    *testing.T
	disk *disk
}

func (s *server) flush(now time.Time, cut int) {
	if _, alive := s.disk.flush(s.core, now, cut, true); !alive {
		s.core = s.disk.boot(s.t)
	}
}

// run delivers the parcels, all given twice, lets time pass and, at so many
// points, kills the process; gateways then send again what is not committed.
func (s *server) run(t *rapid.T, all []parcel) {
	slices.SortStableFunc(all, func(a, b parcel) int { return a.due.Compare(b.due) })
	kills := rapid.SliceOfN(rapid.IntRange(0, len(all)), 0, 3).Draw(t, "kills")
	every := rapid.SampledFrom([]int{1, 4, 30}).Draw(t, "flush")
	now := rulestest.Start
	for i := range all {
		for second := now.Truncate(time.Second).Add(time.Second); !second.After(all[i].due) && all[i].due.Sub(second) < time.Hour; second = second.Add(time.Second) {
			s.tick(second)
		}
		now = all[i].due
		give(s.t, s.core, all[i].Pack, now)
		give(s.t, s.core, all[i].Pack, now)
		if slices.Contains(kills, i) {
			s.flush(now, rapid.IntRange(beforeStore, beforePublishing).Draw(t, "cut"))
			for _, again := range all[:i+1] {
				give(s.t, s.core, again.Pack, now)
			}
		}
		if i%every == 0 {
			s.flush(now, nowhere)
		}
	}
	for range 90 {
		now = now.Add(time.Second)
		s.tick(now)
	}
	s.flush(now, nowhere)
}

// tick tells the rules the time, which trails what is under way, as core.tick
// does once it knows how far its gateways trail.
func (s *server) tick(now time.Time) {
	s.transitions(s.engines[rulestest.Factory].Tick(now.Add(-trails)))
}

// trails is what the drawn packs take to arrive, at most.
const trails = 4 * time.Second

func (s *server) said() (all []safety.Transition) {
	for _, tr := range s.disk.transitions {
		if tr.Pack != faultPack { // of ingest itself
			all = append(all, tr)
		}
	}
	return all
}

// inOrder is what the rules say of all readings in the order of what happened,
// and of the time until 90 s after the last.
func inOrder(t *rapid.T, packs []rules.Pack, plant rules.Plant, readings []safety.Reading, runs []string, end time.Time) []safety.Transition {
	plant.Together = true
	e, err := rules.New(packs, plant, rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	out := e.Tick(rulestest.Start)
	for i, r := range readings {
		e.Begin(gatewayOf(plant, r), runs[i], r.At)
		out = append(out, e.Observe(r)...)
	}
	return append(out, e.Tick(end)...)
}

func gatewayOf(p rules.Plant, r safety.Reading) string {
	return p.Sensors[slices.IndexFunc(p.Sensors, func(s safety.Sensor) bool { return s.ID == r.Sensor })].Gateway
}

func startServer(t *testing.T, rt *rapid.T, plant rules.Plant, packs []rules.Pack, gateways int) *server {
	d := newDisk(drawnSite(plant, gateways))
	d.packs = packs
	s := &server{core: d.boot(t), t: t, disk: d}
	w := s.engines[rulestest.Factory]
	if w == nil {
		rt.Fatal("no engine")
	}
	s.transitions(w.hearPrompt(w.prompt.Tick(rulestest.Start))) // both engines begin here
	if w.ordered != nil {
		s.transitions(w.hearOrdered(w.ordered.Tick(rulestest.Start)))
	}
	s.flush(rulestest.Start, nowhere)
	return s
}

// The server says of one gateway's readings what the rules say in one go:
// in packs, repeated, and killed anywhere.
func TestTheServerSaysWhatTheRulesSay(t *testing.T) {
	told := 0
	rapid.Check(t, func(rt *rapid.T) {
		plant, packs := rulestest.Plant(rt, 1), rulestest.Packs(rt)
		readings := rulestest.Readings(rt, plant, 0, safety.Simulated, safety.Drill)
		runs := rulestest.Runs(rt, plant, readings)
		s := startServer(t, rt, plant, packs, 1)
		all := parcels(rt, "gw-1", readings, runs, trails-time.Second)
		s.run(rt, all)
		want, got := rulestest.Said{}, rulestest.Said{}
		want.Add(inOrder(rt, packs, plant, readings, runs, s.engines[rulestest.Factory].prompt.Elapsed())...)
		got.Add(s.said()...)
		told += len(s.said())
		if diff := want.Differs(got); diff != "" {
			rt.Fatal(diff)
		}
	})
	if !testing.Short() && told < 1000 {
		t.Errorf("%d transitions: the draws say little", told)
	}
}

// Several gateways, whose packs arrive in any order of theirs within the
// watermark: what is no alarm is exact; an alarm comes no later than in order,
// is not taken back while it stands in order, and in the end all is the same.
func TestDisorderBetweenGatewaysRaisesEarlyAndNeverLate(t *testing.T) {
	exact, alarms, shared := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		plant, packs := rulestest.Plant(rt, 3), rulestest.Packs(rt)
		readings := rulestest.Readings(rt, plant, 0, safety.Simulated)
		runs := rulestest.Runs(rt, plant, readings)
		s := startServer(t, rt, plant, packs, 3)
		var all []parcel
		for g := range 3 {
			gateway := fmt.Sprintf("gw-%d", g+1)
			var mine []safety.Reading
			var theirs []string
			for i, r := range readings {
				if gatewayOf(plant, r) == gateway {
					mine, theirs = append(mine, r), append(theirs, runs[i])
				}
			}
			all = append(all, parcels(rt, gateway, mine, theirs, disorder)...)
		}
		s.run(rt, all)
		w := s.engines[rulestest.Factory]
		end := w.prompt.Elapsed()
		if w.ordered != nil {
			end = w.ordered.Elapsed()
			shared++
		}
		want, got := byPoint(inOrder(rt, packs, plant, readings, runs, end)), byPoint(s.said())
		for point, in := range want {
			if len(in) == 0 || w.ordered == nil || !w.ordered.Watches(point) {
				continue // of one gateway, which another test is about
			}
			if in[0].Class != safety.ClassAlarm {
				exact += len(in)
				a, b := rulestest.Said{}, rulestest.Said{}
				a.Add(in...)
				b.Add(got[point]...)
				if diff := a.Differs(b); diff != "" {
					rt.Fatal(diff)
				}
				continue
			}
			alarms += early(rt, in, got[point])
		}
	})
	if !testing.Short() && (exact < 500 || alarms < 20 || shared < 20) {
		t.Errorf("%d exact transitions, %d alarms, %d sites with rules over several gateways: the draws say little", exact, alarms, shared)
	}
}

func byPoint(all []safety.Transition) map[string][]safety.Transition {
	out := map[string][]safety.Transition{}
	for _, t := range all {
		out[t.Point] = append(out[t.Point], t)
	}
	return out
}

// active returns the spans in which an alarm stood.
func active(ts []safety.Transition) (out [][2]time.Time) {
	far := rulestest.Start.AddDate(1, 0, 0)
	on := false
	for _, t := range ts {
		switch {
		case t.To == safety.Firing && !on:
			on, out = true, append(out, [2]time.Time{t.At, far})
		case on && t.To != safety.Firing && t.To != safety.Unknown:
			on = false
			out[len(out)-1][1] = t.At
		}
	}
	return out
}

// disorder is how much later than another a reading may arrive that happened before it.
const disorder = watermark + trails - 2*time.Second

// early checks one alarm and returns how often it stood in order. What was told
// early is dated by the evidence that came first, which may have happened last.
func early(t *rapid.T, want, got []safety.Transition) int {
	told := active(got)
	for _, w := range active(want) {
		covered := slices.ContainsFunc(told, func(g [2]time.Time) bool { return !g[0].After(w[0].Add(disorder)) && !g[1].Before(w[1]) })
		if !covered {
			t.Fatalf("%s at %s%s stands from %v to %v in order, and was told as %v", want[0].Rule, want[0].Zone, want[0].Sensor, w[0], w[1], told)
		}
	}
	standsWant := len(active(want)) > 0 && active(want)[len(active(want))-1][1].Year() > rulestest.Start.Year()
	standsGot := len(told) > 0 && told[len(told)-1][1].Year() > rulestest.Start.Year()
	if standsWant && !standsGot {
		t.Fatalf("%s at %s%s stands in order and is over as told", want[0].Rule, want[0].Zone, want[0].Sensor)
	}
	return len(active(want))
}
