package ingest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/permit"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

const permitRules = `
rules:
  - {name: smoke, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: smoke, when: value == 1, permit: hot_work, runs: server, clause: c}
  - {name: press, hazard: fire, class: alarm, severity: evacuate, scope: sensor, quantity: call_point, when: value == 1, runs: server, clause: c}
  - {name: apart, hazard: system, class: isolation, severity: info, scope: sensor, quantity: any, when: isolated, runs: server, clause: c}
  - {name: test, hazard: system, class: fault, severity: warning, scope: sensor, quantity: any, when: untested, runs: server, clause: c}
`

const spanningRules = permitRules + `
  - {name: two, hazard: fire, class: alarm, severity: alarm, scope: zone, when: 'count(smoke, .value == 1) >= 2', permit: hot_work, runs: server, clause: c}
`

// headSite has n smoke heads on each gateway, which do not go stale within the test.
func headSite(factory string, n int, gateways ...string) safety.Site {
	s := testSite(factory, n, gateways...)
	for i := range s.Sensors {
		s.Sensors[i].Quantity, s.Sensors[i].Class, s.Sensors[i].Period = safety.Smoke, "", time.Hour
	}
	s.Sensors = append(s.Sensors, safety.Sensor{
		ID: "call", Gateway: gateways[0], Zone: "store", Quantity: safety.CallPoint, Grade: safety.Certified, Period: time.Hour,
	})
	return s
}

func hotWork(now time.Time, sensors ...string) permit.Request {
	return permit.Request{
		Work: safety.HotWork, Zone: "store", Sensors: sensors, Until: now.Add(2 * time.Hour),
		IssuedBy: "Rahim", AcceptedBy: "Salma", Watch: "Karim", Reason: "welding",
	}
}

// permitBench is an office and what ingest publishes, over one directory.
type permitBench struct {
	*permit.Office
	dir  string
	db   *state.DB
	sent map[string][]wire.Command // by factory/gateway
	in   *Ingest
	stop func()
}

func newPermitBench(t *testing.T, sites ...safety.Site) *permitBench {
	t.Helper()
	b := &permitBench{dir: t.TempDir(), sent: map[string][]wire.Command{}}
	b.start(t, sites...)
	t.Cleanup(func() { b.stop() })
	return b
}

// start is a new process over what the one before made durable.
func (b *permitBench) start(t *testing.T, sites ...safety.Site) {
	t.Helper()
	db, series := openBoth(t, b.dir)
	b.db, b.stop = db, func() {
		if err := errors.Join(series.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
	for _, s := range sites {
		if _, err := db.ImportSite(t.Context(), s, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	packs := loadRules(t, permitRules)
	b.Office = permit.NewOffice(db, packs)
	b.in = offline(t, Config{Rules: packs}, db, series, func(m mqttconn.Message) error {
		topic, err := wire.ParseTopic(m.Topic)
		if err != nil || topic.Kind != wire.KindCommand {
			return err
		}
		cmd, err := wire.DecodeCommand(m.Payload)
		key := topic.Factory + "/" + topic.Gateway
		b.sent[key] = append(b.sent[key], cmd)
		return err
	})
}

func (b *permitBench) restart(t *testing.T, sites ...safety.Site) {
	t.Helper()
	b.stop()
	b.start(t, sites...)
}

// round is what the loop does about permits in a second.
func (b *permitBench) round(t *testing.T) {
	t.Helper()
	now := b.in.now()
	b.in.permits(t.Context(), now)
	if err := b.in.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.in.tellPermits(t.Context(), now)
	b.in.out.sendAll(t.Context())
}

// born lets a gateway introduce itself.
func (b *permitBench) born(t *testing.T, factory, gateway string) {
	t.Helper()
	payload, err := wire.EncodeBirth(wire.Birth{Gateway: gateway, Run: testRun, Boot: "b1", Clock: wire.Unsynced})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.in.core.take(t.Context(), wire.BirthTopic(factory, gateway).String(), payload, b.in.now()); err != nil {
		t.Fatal(err)
	}
}

func (b *permitBench) told(t *testing.T) (lines []string) {
	t.Helper()
	all, err := b.db.TransitionsAfter(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range all {
		if tr.Pack == "test" && (tr.From != safety.Unknown || tr.To == safety.Firing) {
			lines = append(lines, strings.Join([]string{tr.Factory, tr.Rule, tr.Sensor, tr.To.String()}, " "))
		}
	}
	return lines
}

func count(lines []string, want string) (n int) {
	for _, l := range lines {
		if l == want {
			n++
		}
	}
	return n
}

// Between storing an act and applying it, and between applying it and making
// that durable, the process may end: the act is applied once.
func TestAnActAboutAPermitIsAppliedOnce(t *testing.T) {
	b := newPermitBench(t, headSite("padma", 2, "gw-1"))
	p, err := b.Open(t.Context(), "padma", "committee", hotWork(time.Now(), "gw-1-s0"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.restart(t) // stored, not applied
	b.in.permits(t.Context(), b.in.now())
	b.restart(t) // applied, not durable
	b.round(t)
	b.round(t)
	b.restart(t)
	b.round(t)
	if told := b.told(t); count(told, "padma apart gw-1-s0 firing") != 1 {
		t.Errorf("told %q, want the isolation once", told)
	}
	if r, err := b.db.PermitsSince(t.Context(), "padma", time.Now()); err != nil || r[0].AppliedAt == nil || r[0].Refused != "" {
		t.Errorf("the record says %+v %v", r, err)
	}
	if _, err := b.End(t.Context(), "padma", p.ID, "committee", time.Now()); err != nil {
		t.Fatal(err)
	}
	b.restart(t)
	b.in.permits(t.Context(), b.in.now())
	b.restart(t)
	b.round(t)
	told := b.told(t)
	if count(told, "padma apart gw-1-s0 inactive") != 1 || count(told, "padma test gw-1-s0 firing") != 1 {
		t.Errorf("told %q, want the end once and the wish for a test once", told)
	}
	b.restart(t)
	if _, err := b.Tested(t.Context(), "padma", "gw-1-s0", "installer", time.Now()); err != nil {
		t.Fatal(err)
	}
	b.round(t)
	b.restart(t)
	b.round(t)
	if told := b.told(t); count(told, "padma test gw-1-s0 inactive") != 1 {
		t.Errorf("told %q, want the test once", told)
	}
}

// TestPermitKillChild is the child of TestKill9WhilePermitsAreGiven.
func TestPermitKillChild(t *testing.T) {
	dir := os.Getenv("NIRAPOD_PERMIT_DIR")
	if dir == "" {
		t.Skip("runs as the child of TestKill9WhilePermitsAreGiven")
	}
	db, series := openBoth(t, dir)
	i := offline(t, Config{Rules: loadRules(t, permitRules)}, db, series, func(mqttconn.Message) error { return nil })
	fmt.Println("ready")
	t.Fatal(i.loop(t.Context()))
}

// Kill -9 neither loses nor doubles an act: while people open and end permits,
// the process that applies them is killed again and again.
func TestKill9WhilePermitsAreGiven(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	b := newPermitBench(t, headSite("padma", rounds, "gw-1"))
	for round := range rounds {
		child := exec.Command(os.Args[0], "-test.run=^TestPermitKillChild$")
		child.Env = append(os.Environ(), "NIRAPOD_PERMIT_DIR="+b.dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 6)); err != nil {
			t.Fatal(err)
		}
		id := sensorID("gw-1", round)
		p, err := b.Open(t.Context(), "padma", "committee", hotWork(time.Now(), id), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if round%2 == 1 {
			if _, err := b.End(t.Context(), "padma", p.ID, "committee", time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(850+60*round) * time.Millisecond) // the child looks each second
		_ = child.Process.Kill()
		_ = child.Wait()
	}
	b.restart(t)
	b.round(t)
	told := b.told(t)
	for round := range rounds {
		id := sensorID("gw-1", round)
		fired, ended := count(told, "padma apart "+id+" firing"), count(told, "padma apart "+id+" inactive")
		if want := round % 2; fired != 1 || ended != want || count(told, "padma test "+id+" firing") != want {
			t.Errorf("%s: isolated %d times, ended %d times: %q", id, fired, ended, told)
		}
	}
}

func kinds(cmds []wire.Command) (out []string) {
	for _, c := range cmds {
		out = append(out, c.Kind)
	}
	return out
}

// A gateway that was away when a permit was given hears of it when it comes,
// as long as it stands, and of no other gateway's or factory's.
func TestAGatewayHearsOfItsPermitsWhenItComes(t *testing.T) {
	b := newPermitBench(t, headSite("padma", 2, "gw-1", "gw-2"), headSite("meghna", 2, "gw-1"))
	ctx := t.Context()
	p, err := b.Open(ctx, "padma", "committee", hotWork(time.Now(), "gw-1-s0", "gw-2-s1"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.round(t)
	for key, sensor := range map[string]string{"padma/gw-1": "gw-1-s0", "padma/gw-2": "gw-2-s1"} {
		if got := b.sent[key]; len(got) != 1 || !slices.Equal(got[0].Permit.Sensors, []string{sensor}) || got[0].Permit.Watch != "Karim" {
			t.Fatalf("%s was told %+v", key, got)
		}
	}
	first := b.sent["padma/gw-1"][0].ID
	clear(b.sent)
	b.restart(t)
	b.round(t)
	if len(b.sent) > 0 {
		t.Errorf("nobody came, and somebody is told: %v", b.sent)
	}
	b.born(t, "padma", "gw-1")
	b.born(t, "meghna", "gw-1")
	b.round(t)
	if got := b.sent["padma/gw-1"]; len(got) != 1 || got[0].ID != first || len(b.sent) != 1 {
		t.Errorf("when it comes: %v, want the same command and nobody else", b.sent)
	}
	clear(b.sent)
	if _, err := b.End(ctx, "padma", p.ID, "committee", time.Now()); err != nil {
		t.Fatal(err)
	}
	b.round(t)
	if got := kinds(b.sent["padma/gw-2"]); !slices.Equal(got, []string{wire.CommandPermitEnd}) {
		t.Errorf("the end: %v", got)
	}
	clear(b.sent)
	if _, err := b.Tested(ctx, "padma", "gw-1-s0", "installer", time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(ctx, "padma", "committee", hotWork(time.Now(), "gw-2-s1"), time.Now()); err != nil {
		t.Fatal(err)
	}
	b.round(t)
	want := map[string][]string{
		"padma/gw-1": {wire.CommandPermitEnd, wire.CommandTested},
		"padma/gw-2": {wire.CommandPermitEnd, wire.CommandPermit},
	}
	for key := range want {
		if got := kinds(b.sent[key]); !slices.Equal(got, want[key]) {
			t.Errorf("%s is told %v, want %v", key, got, want[key])
		}
	}
	if len(b.sent["meghna/gw-1"]) > 0 {
		t.Errorf("another factory is told %v", b.sent["meghna/gw-1"])
	}
}

// A site that changed between storing and applying: the permit has no effect,
// and its record says why.
func TestAPermitThatDoesNotFitAnyMoreSaysSo(t *testing.T) {
	b := newPermitBench(t, headSite("padma", 2, "gw-1"))
	if _, err := b.Open(t.Context(), "padma", "committee", hotWork(time.Now(), "gw-1-s1"), time.Now()); err != nil {
		t.Fatal(err)
	}
	b.restart(t, headSite("padma", 1, "gw-1"))
	b.round(t)
	page, err := b.db.As(state.Viewer{User: state.User{Role: state.Committee, Factory: "padma"}}).Permits(t.Context(), state.PermitFilter{}, "", 0)
	if err != nil || len(page.Items) != 1 || !strings.Contains(page.Items[0].Refused, "none of that name") {
		t.Errorf("%+v %v", page.Items, err)
	}
	b.born(t, "padma", "gw-1")
	b.round(t)
	if len(b.sent) > 0 {
		t.Errorf("a gateway is told of it: %v", b.sent)
	}
}

// spanWatch is a watch over two gateways, fed by hand.
func spanWatch(t *testing.T, saved map[string][]byte) *watch {
	t.Helper()
	w, err := newWatch(loadRules(t, spanningRules), plant(newRegistry(1, []safety.Site{headSite("padma", 1, "gw-1", "gw-2")}).sites["padma"]))
	if err != nil {
		t.Fatal(err)
	}
	if dropped := w.Restore(saved); len(dropped) > 0 {
		t.Fatalf("dropped %v", dropped)
	}
	return w
}

func smokeAt(gateway string, at time.Time) safety.Reading {
	return safety.Reading{Sensor: sensorID(gateway, 0), At: at, Quality: safety.Good, Value: 1}
}

// What is in order takes a permit in its turn: smoke before it counts, smoke
// after it does not, whether or not the process was killed in between.
func TestAPermitInItsTurn(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		for _, c := range []struct {
			name    string
			smokeAt time.Duration // of the second head; the permit stands from 10 s on
			fires   bool
		}{
			{"smoke before the permit", 8 * time.Second, true},
			{"smoke under the permit", 12 * time.Second, false},
		} {
			saved := map[string][]byte{}
			w := spanWatch(t, saved)
			told := w.Tick(day.Add(6 * time.Second))
			told = append(told, w.Observe(smokeAt("gw-1", day.Add(7*time.Second)))...)
			ts, err := w.Act(state.PermitAct{
				Factory: "padma", Kind: state.PermitOpened, At: day.Add(10 * time.Second), Permit: safety.Permit{
					ID: "p", Work: safety.HotWork, Zone: "store", Sensors: []string{"gw-2-s0"}, From: day.Add(10 * time.Second), Until: day.Add(time.Hour),
					IssuedBy: "Rahim", AcceptedBy: "Salma", Watch: "Karim",
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, ts...)
			if restarted {
				maps.Copy(saved, w.Snapshot())
				w = spanWatch(t, saved)
				w.Warm(smokeAt("gw-1", day.Add(7*time.Second)))
			}
			told = append(told, w.Observe(smokeAt("gw-2", day.Add(c.smokeAt)))...)
			told = append(told, w.Tick(day.Add(time.Minute))...)
			fires, apart := false, 0
			for _, tr := range told {
				fires = fires || tr.Rule == "two" && tr.To == safety.Firing
				if tr.Rule == "apart" && tr.To == safety.Firing {
					apart++
				}
			}
			if fires != c.fires || apart != 1 {
				t.Errorf("%s, restarted %t: fires %t, isolated %d times", c.name, restarted, fires, apart)
			}
			if left := w.Snapshot()[actsKey]; len(left) > 0 || len(w.acts) > 0 {
				t.Errorf("%s: acts are left: %s", c.name, left)
			}
		}
	}
}

// A permit runs out by itself, also in a process that was started after it was
// given; a call point is heard all the while.
func TestAPermitRunsOutByItself(t *testing.T) {
	b := newPermitBench(t, headSite("padma", 1, "gw-1"))
	begun := time.Now().UTC().Truncate(time.Millisecond)
	p, err := b.Open(t.Context(), "padma", "committee", hotWork(begun, "gw-1-s0"), begun)
	if err != nil {
		t.Fatal(err)
	}
	b.round(t)
	b.restart(t)
	engine := b.in.core.engines["padma"]
	hears := func(sensor string, at time.Time) (rules []string) {
		for _, tr := range engine.Observe(safety.Reading{Sensor: sensor, At: at, Quality: safety.Good, Value: 1}) {
			if tr.To == safety.Firing {
				rules = append(rules, tr.Rule)
			}
		}
		return rules
	}
	if got := hears("gw-1-s0", begun.Add(time.Minute)); len(got) > 0 {
		t.Errorf("smoke under the permit fires %v", got)
	}
	if got := hears("call", begun.Add(time.Minute)); !slices.Equal(got, []string{"press"}) {
		t.Errorf("the call point fires %v", got)
	}
	told := map[string]bool{}
	for _, tr := range engine.Tick(p.Until.Add(time.Second)) {
		told[tr.Rule+" "+tr.To.String()] = true
	}
	if !told["apart inactive"] || !told["test firing"] || !told["smoke firing"] {
		t.Errorf("at its end: %v", slices.Sorted(maps.Keys(told)))
	}
}
