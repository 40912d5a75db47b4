package forward

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nirapod/gateway-agent/spool"
	"nirapod/internal/mqttconn"
	"nirapod/safety"
	"nirapod/wire"
)

var quiet = slog.New(slog.DiscardHandler)

// line is a connection to a test server.
type line struct {
	f       *Forwarder
	srv     *server
	online  atomic.Bool
	delay   time.Duration           // until PUBACK, and until the commit
	hang    func(topic string) bool // PUBACK never comes; nil = it does
	retains map[string][]byte
}

func (c *line) Run(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
func (c *line) Online() bool                  { return c.online.Load() }

func (c *line) Publish(ctx context.Context, m mqttconn.Message) error {
	if !c.online.Load() {
		return mqttconn.ErrOffline
	}
	if m.Retain {
		c.retains[m.Topic] = m.Payload
		return nil
	}
	if c.hang != nil && c.hang(m.Topic) {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(c.delay)
	if commit, ok := c.srv.receive(m.Topic, m.Payload); ok {
		time.AfterFunc(c.delay, func() { c.commit(commit) })
	}
	return nil
}

func (c *line) commit(commit wire.Commit) {
	payload, err := wire.EncodeCommit(commit)
	if err != nil {
		c.srv.t.Error(err)
	}
	c.f.receive(mqttconn.Message{Topic: wire.CommitTopic("padma", "gw-1", commit.Stream).String(), Payload: payload})
}

func (c *line) connect() {
	c.online.Store(true)
	signal(c.f.up)
}

func (c *line) cut() {
	c.online.Store(false)
	c.f.wake()
}

// bench is one agent in fake time.
type bench struct {
	*line
	t     *testing.T
	sp    *spool.Spool
	began time.Time
	stop  func()
}

// inTime runs test with a forwarder that is not yet connected.
func inTime(t *testing.T, edit func(*Config), test func(b *bench)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t, dir, 1, edit)
		test(b)
		b.stop()
	})
}

func begin(t *testing.T, dir string, run int, edit func(*Config)) *bench {
	t.Helper()
	began := time.Now().Add(-time.Hour)
	cfg := testConfig(run, began, true)
	if edit != nil {
		edit(&cfg)
	}
	sp, err := spool.Open(dir, spool.Config{Run: cfg.Run, Boot: cfg.Boot, MaxBytes: 8 << 20}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	f := newForwarder(cfg, sp, quiet)
	l := &line{f: f, srv: newTestServer(t), delay: 20 * time.Millisecond, retains: map[string][]byte{}}
	f.conn = l
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	b := &bench{line: l, t: t, sp: sp, began: began}
	b.stop = func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("run: %v", err)
		}
		if err := sp.Close(); err != nil {
			t.Error(err)
		}
	}
	synctest.Wait()
	return b
}

// pass lets d go by.
func (b *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) stamp() spool.Stamp {
	mono := time.Since(b.began).Milliseconds()
	wall, _ := b.f.cfg.Wall(mono)
	return spool.Stamp{Mono: mono, Wall: wall}
}

func (b *bench) read(v float64) {
	b.t.Helper()
	rec := spool.Record{Stamp: b.stamp(), Reading: safety.Reading{Sensor: "store-heat", Value: v, Quality: safety.Good}}
	if err := b.sp.Append(wire.Readings, rec); err != nil {
		b.t.Fatal(err)
	}
}

func alarm(rule string) *safety.Transition {
	return &safety.Transition{Point: safety.PointID("padma", rule, "store"), Rule: rule, Pack: "fire", RuleVersion: "v1",
		Hazard: safety.HazardFire, Class: safety.ClassAlarm, Severity: safety.Alarm, Zone: "store",
		From: safety.Inactive, To: safety.Firing, Factory: "padma", Seq: 99}
}

func (b *bench) raise(t *safety.Transition) {
	b.t.Helper()
	if err := b.sp.Append(wire.Alarms, spool.Record{Stamp: b.stamp(), Transition: t}); err != nil {
		b.t.Fatal(err)
	}
}

func TestReadingsAreGatheredAndAlarmsGoAtOnce(t *testing.T) {
	inTime(t, nil, func(b *bench) {
		b.connect()
		synctest.Wait()
		for range 30 { // 3 s
			b.read(21)
			b.pass(100 * time.Millisecond)
		}
		b.raise(alarm("smoke"))
		b.pass(25 * time.Millisecond)
		if got := b.srv.count(wire.Alarms); got != 1 {
			t.Errorf("%d alarms after 25 ms", got)
		}
		b.pass(2 * time.Second)
		packs := b.srv.sent(wire.Readings)
		if len(packs) < 3 || len(packs) > 4 || b.srv.count(wire.Readings) != 30 {
			t.Errorf("%d packs for 3 s of readings, %d stored", len(packs), b.srv.count(wire.Readings))
		}
		for range 1200 {
			b.read(22)
			time.Sleep(time.Millisecond)
		}
		b.pass(500 * time.Millisecond)
		if got := b.srv.count(wire.Readings); got < 1030 {
			t.Errorf("%d stored: 500 records must not wait", got)
		}
	})
}

func TestSilenceIsAnsweredByRepeatingAndAFault(t *testing.T) {
	inTime(t, nil, func(b *bench) {
		b.srv.silence(true)
		b.connect()
		b.raise(alarm("smoke"))
		began := time.Now()
		var at []time.Duration
		for n := 0; time.Since(began) < 119*time.Second; b.pass(100 * time.Millisecond) {
			if sent := len(b.srv.sent(wire.Alarms)); sent > n {
				n = sent
				at = append(at, time.Since(began))
			}
		}
		want := []time.Duration{0, 5 * time.Second, 15 * time.Second, 35 * time.Second, 75 * time.Second}
		if len(at) < len(want) || len(at) > len(want)+1 {
			t.Fatalf("sent at %v, want about %v", at, want)
		}
		for i, w := range want {
			if off := (at[i] - w).Abs(); off > w/4+300*time.Millisecond {
				t.Errorf("sent at %v, want about %v", at, want)
			}
		}
		if b.f.Stalled() {
			t.Error("stalled before two minutes")
		}
		b.pass(10 * time.Second)
		if !b.f.Stalled() {
			t.Error("two minutes without a commit are no fault")
		}
		b.srv.silence(false)
		b.pass(70 * time.Second)
		if b.f.Stalled() || b.srv.count(wire.Alarms) != 1 {
			t.Errorf("after the commit: stalled %v", b.f.Stalled())
		}
	})
}

func TestAReconnectSendsAgainAtOnce(t *testing.T) {
	inTime(t, nil, func(b *bench) {
		b.srv.silence(true)
		b.connect()
		b.raise(alarm("smoke"))
		b.pass(time.Second)
		b.cut()
		b.pass(time.Second)
		b.connect()
		b.pass(100 * time.Millisecond)
		if got := len(b.srv.sent(wire.Alarms)); got != 2 {
			t.Errorf("sent %d times", got)
		}
		b.srv.epoch = "e2"
		b.srv.silence(false)
		b.raise(alarm("heat"))
		b.pass(100 * time.Millisecond)
		if got := len(b.srv.sent(wire.Alarms)); got != 3 {
			t.Errorf("sent %d times", got)
		}
	})
}

func TestANewEpochSendsAgainWhatIsHeld(t *testing.T) {
	inTime(t, nil, func(b *bench) {
		b.connect()
		b.raise(alarm("smoke"))
		b.pass(time.Second)
		if got := len(b.srv.sent(wire.Alarms)); got != 1 {
			t.Fatalf("sent %d times", got)
		}
		b.commit(wire.Commit{Run: runName(1), Stream: wire.Alarms, Epoch: "e2"})
		b.pass(100 * time.Millisecond)
		if got := len(b.srv.sent(wire.Alarms)); got != 2 {
			t.Errorf("sent %d times after the server forgot", got)
		}
	})
}

func TestHangingTelemetryDoesNotHoldUpAlarms(t *testing.T) {
	inTime(t, nil, func(b *bench) {
		b.hang = func(topic string) bool { return strings.HasSuffix(topic, "/r") }
		b.connect()
		b.read(21)
		b.pass(2 * time.Second)
		b.raise(alarm("smoke"))
		b.pass(50 * time.Millisecond)
		if got := b.srv.count(wire.Alarms); got != 1 {
			t.Errorf("%d alarms arrived", got)
		}
	})
}

func TestNeverMoreThan64PacksAreInFlight(t *testing.T) {
	inTime(t, func(c *Config) { c.CBOR = true }, func(b *bench) {
		b.srv.silence(true)
		for n := range 40_000 {
			rec := spool.Record{Stamp: spool.Stamp{Mono: int64(n)}, Reading: safety.Reading{Sensor: "store-heat", Quality: safety.Good}}
			if err := b.sp.Append(wire.Readings, rec); err != nil {
				t.Fatal(err)
			}
		}
		for range 3000 {
			b.raise(alarm("smoke"))
		}
		b.connect()
		b.pass(3 * time.Second)
		r, a := len(b.srv.sent(wire.Readings)), len(b.srv.sent(wire.Alarms))
		if r != windowReadings || a != windowAlarms || r+a != 64 {
			t.Errorf("%d packs of readings and %d of alarms are in flight", r, a)
		}
		b.srv.silence(false)
		b.pass(2 * time.Minute)
		if r, a := b.srv.count(wire.Readings), b.srv.count(wire.Alarms); r != 40_000 || a != 3000 {
			t.Errorf("%d readings and %d alarms arrived", r, a)
		}
	})
}

func TestOldRunsGoFirstAndAreForgottenOnceCommitted(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := begin(t, dir, 1, nil)
		b.read(1)
		b.raise(alarm("smoke"))
		b.stop()
		b = begin(t, dir, 2, nil)
		b.read(2)
		b.connect()
		b.pass(3 * time.Second)
		var runs []string
		for _, p := range b.srv.sent(wire.Readings) {
			runs = append(runs, p.Run)
		}
		if want := []string{runName(1), runName(2)}; !slices.Equal(runs, want) {
			t.Errorf("sent runs %v, want %v", runs, want)
		}
		if x := b.sp.Extents(wire.Alarms); len(x) != 1 || x[0].Run != runName(2) {
			t.Errorf("still held: %+v", x)
		}
		b.stop()
		p, err := wire.DecodePresence(b.retains[wire.PresenceTopic("padma", "gw-1").String()])
		if err != nil || p.Online || p.Run != runName(2) {
			t.Errorf("left with presence %+v, %v", p, err)
		}
	})
}

func TestWhatFitsNoPackIsDeclaredAndHoldsUpNothing(t *testing.T) {
	inTime(t, nil, func(b *bench) {
		long := alarm("smoke")
		long.Clause = strings.Repeat("x", 600) // longer than the wire takes
		b.raise(alarm("heat"))
		b.raise(long)
		big := alarm("gas")
		big.Clause, big.Values = strings.Repeat("y", 500), map[string]float64{}
		for i := range 60 {
			big.Values[strings.Repeat("v", 60)+string(rune('A'+i))] = 1.0 / float64(i+3)
		}
		for range 100 {
			b.raise(big)
		}
		b.connect()
		b.pass(5 * time.Second)
		if got := b.srv.count(wire.Alarms); got != 101 {
			t.Errorf("%d alarms arrived, want 101", got)
		}
		if got := b.srv.gone[ident{runName(1), wire.Alarms, 2}]; got != wire.GoneRefused {
			t.Errorf("the alarm that cannot be sent is %q", got)
		}
		if b.f.Stalled() {
			t.Error("stalled")
		}
	})
}

func TestCommandsAreDoneOnceAndInTime(t *testing.T) {
	var done []string
	set := true
	inTime(t, func(c *Config) {
		wall := c.Wall
		c.Wall = func(mono int64) (time.Time, string) {
			if !set {
				return time.Time{}, ""
			}
			return wall(mono)
		}
		c.Command = func(c wire.Command) { done = append(done, c.ID) }
	}, func(b *bench) {
		send := func(id string, life time.Duration) {
			t.Helper()
			payload, err := wire.EncodeCommand(wire.Command{ID: id, Kind: wire.CommandAck, Point: "0011223344556677",
				By: "committee", Expires: time.Now().UTC().Add(life).Truncate(time.Millisecond)})
			if err != nil {
				t.Fatal(err)
			}
			b.f.receive(mqttconn.Message{Topic: wire.CmdTopic("padma", "gw-1").String(), Payload: payload})
		}
		send("one", time.Minute)
		send("one", time.Minute)
		send("late", -time.Second)
		set = false
		send("who-knows-when", time.Minute)
		b.f.receive(mqttconn.Message{Topic: wire.CmdTopic("padma", "gw-1").String(), Payload: []byte("{}")})
		b.f.receive(mqttconn.Message{Topic: wire.CommitTopic("padma", "gw-1", "r").String(), Payload: []byte("{}")})
	})
	if !slices.Equal(done, []string{"one"}) {
		t.Errorf("done %v, want one", done)
	}
}

// A day and a half without a server, in a spool too small for it.
func TestAfterALongOutageEverythingIsStoredOrDeclaredGone(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 12 MiB")
	}
	const accepted, perCall = 260_000, 100
	inTime(t, func(c *Config) { c.CBOR = true }, func(b *bench) {
		for n := 0; n < accepted; n += perCall {
			recs := make([]spool.Record, perCall)
			for i := range recs {
				mono := int64(n+i) * 500
				wall, _ := b.f.cfg.Wall(mono - 3_600_000*40)
				recs[i] = spool.Record{Stamp: spool.Stamp{Mono: mono, Wall: wall},
					Reading: safety.Reading{Sensor: "store-heat", Value: float64(n + i), Quality: safety.Good}}
			}
			if err := b.sp.Append(wire.Readings, recs...); err != nil {
				t.Fatal(err)
			}
		}
		for range 50 {
			b.raise(alarm("smoke"))
		}
		b.connect()
		for began := time.Now(); b.srv.count(wire.Readings)+len(b.srv.gone) < accepted && time.Since(began) < time.Hour; {
			b.pass(time.Second)
		}
		thinned := 0
		for id, reason := range b.srv.gone {
			if _, both := b.srv.stored[id]; both || reason != wire.GoneThinned {
				t.Fatalf("%v is stored %v and gone: %s", id, both, reason)
			}
			thinned++
		}
		if got := b.srv.count(wire.Readings); got+thinned != accepted || thinned == 0 || b.srv.count(wire.Alarms) != 50 {
			t.Errorf("%d stored, %d thinned, %d accepted; %d alarms", got, thinned, accepted, b.srv.count(wire.Alarms))
		}
		b.pass(time.Second)
		if x := b.sp.Extents(wire.Readings)[0]; x.From <= x.To && x.From < accepted/2 {
			t.Errorf("after the commit %+v is held", x)
		}
	})
}
