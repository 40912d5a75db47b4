package ingest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"nirapod/internal/mqttconn"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/store/tsdbstore"
	"nirapod/wire"
)

const killRules = `
rules:
  - name: hot
    hazard: fire
    class: alarm
    severity: alarm
    scope: sensor
    quantity: temperature
    when: value >= limit
    runs: [server]
    clause: test
    limits:
      limit: {value: 50, unit: Cel, source: test, clause: test, confidence: chosen}
  - name: hot-mean
    hazard: fire
    class: alarm
    severity: alarm
    scope: sensor
    quantity: temperature
    when: mean("4s") >= limit
    runs: [server]
    clause: test
    limits:
      limit: {value: 45, unit: Cel, source: test, clause: test, confidence: chosen}
  - name: fast
    hazard: fire
    class: alarm
    severity: alarm
    scope: sensor
    quantity: temperature
    when: rise("4s") >= limit
    runs: [server]
    clause: test
    limits:
      limit: {value: 12, unit: K/min, source: test, clause: test, confidence: chosen}
`

func loadRules(t testing.TB, text string) []rules.Pack {
	t.Helper()
	packs, err := rules.Load(fstest.MapFS{"test.yml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

// killSite has sensors that do not go stale within the test: what the rules
// say then depends on the readings alone.
func killSite() safety.Site {
	s := testSite("padma", 4, "gw-1")
	for i := range s.Sensors {
		s.Sensors[i].Period = time.Hour
	}
	return s
}

// offline is an Ingest without a broker: what it publishes goes to publish.
func offline(t testing.TB, cfg Config, db *state.DB, series store.Store, publish func(mqttconn.Message) error) *Ingest {
	t.Helper()
	i := New(cfg, db, series, prometheus.NewRegistry(), discard)
	i.out.publish = func(_ context.Context, m mqttconn.Message) error { return publish(m) }
	i.grace = time.Minute // disks of test machines are slow
	if err := i.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return i
}

func openBoth(t testing.TB, dir string) (*state.DB, *tsdbstore.Store) {
	t.Helper()
	db, err := state.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	series, err := tsdbstore.Open(filepath.Join(dir, "series"), tsdbstore.Options{}, discard)
	if err != nil {
		t.Fatal(err)
	}
	return db, series
}

// TestKillChild is the child of TestKill9: ingest with the real state and
// series store, its messages on stdin, its commits on stdout.
func TestKillChild(t *testing.T) {
	dir := os.Getenv("NIRAPOD_KILL_DIR")
	if dir == "" {
		t.Skip("runs as the child of TestKill9")
	}
	db, series := openBoth(t, dir)
	i := offline(t, Config{Rules: loadRules(t, killRules)}, db, series, func(m mqttconn.Message) error {
		topic, err := wire.ParseTopic(m.Topic)
		if err != nil || topic.Kind != wire.KindCommit {
			return err
		}
		c, err := wire.DecodeCommit(topic, m.Payload)
		fmt.Printf("commit %d\n", c.Upto)
		return err
	})
	go func() {
		in := bufio.NewScanner(os.Stdin)
		in.Buffer(nil, 2*wire.MaxPack)
		for in.Scan() {
			topic, payload, _ := strings.Cut(in.Text(), " ")
			i.enqueue(mqttconn.Message{Topic: topic, Payload: []byte(payload)})
		}
	}()
	go func() { _ = i.out.run(t.Context()) }()
	t.Fatal(i.loop(t.Context()))
}

// killGateway is a gateway that measures as it goes and sends what is not
// committed, oldest first.
type killGateway struct {
	records []safety.Reading
	upto    uint64
}

func (g *killGateway) measure() {
	n := len(g.records)
	at := time.Now().UTC().Truncate(time.Millisecond)
	if n > 0 && !at.After(g.records[n-1].At) {
		at = g.records[n-1].At.Add(time.Millisecond)
	}
	g.records = append(g.records, safety.Reading{
		Sensor: sensorID("gw-1", n%4), Quality: safety.Good, At: at,
		Value: 45 + 10*math.Sin(float64(n)/40) + float64(n*7919%13),
	})
}

func (g *killGateway) pack(first uint64) wire.Pack {
	p := wire.Pack{
		Factory: "padma", Gateway: "gw-1", Run: testRun, Stream: wire.Readings, First: first,
		Boot: "b1", Clock: wire.Synced, Sent: time.Now().UTC().Truncate(time.Millisecond),
	}
	for seq := first; seq <= uint64(len(g.records)) && seq < first+20; seq++ {
		r := g.records[seq-1]
		at := r.At
		r.At = time.Time{}
		p.Records = append(p.Records, wire.Record{At: at, Reading: r})
	}
	return p
}

// Kill -9 neither loses nor doubles a transition, nor a reading. The child is
// killed again and again with packs under way; at the end the disk must hold
// exactly what was sent, and the transitions that one engine, never killed,
// makes of the same readings.
func TestKill9(t *testing.T) {
	dir := t.TempDir()
	db, series := openBoth(t, dir)
	if _, err := db.ImportSite(t.Context(), killSite(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Close(), series.Close()); err != nil {
		t.Fatal(err)
	}
	g, rounds := &killGateway{}, 8
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		g.runAndKill(t, dir, time.Duration(60+round*50)*time.Millisecond, round == rounds-1)
	}
	db, series = openBoth(t, dir)
	defer db.Close()
	defer series.Close()
	g.checkReadings(t, series)
	g.checkTransitions(t, db)
}

// runAndKill runs the child, feeds it and kills it a while after its first
// commit; the last time only once everything is committed.
func (g *killGateway) runAndKill(t *testing.T, dir string, life time.Duration, last bool) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
	child.Env = append(os.Environ(), "NIRAPOD_KILL_DIR="+dir)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	commits := make(chan uint64, 10_000)
	go readCommits(out, commits)
	g.feed(t, in, commits, life, last)
	_ = child.Process.Kill()
	_ = child.Wait()
}

func readCommits(out io.Reader, commits chan<- uint64) {
	defer close(commits)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var upto uint64
		if _, err := fmt.Sscanf(lines.Text(), "commit %d", &upto); err == nil {
			commits <- upto
		} else {
			fmt.Fprintln(os.Stderr, "child:", lines.Text())
		}
	}
}

func (g *killGateway) feed(t *testing.T, in io.Writer, commits <-chan uint64, life time.Duration, last bool) {
	t.Helper()
	started := uint64(len(g.records))
	full := len(g.records) + 500 // of the last round
	next := g.upto + 1
	deadline := time.After(time.Minute)
	var kill <-chan time.Time
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-deadline:
			t.Fatalf("%d of %d records are committed after a minute", g.upto, len(g.records))
		case <-kill:
			return
		case upto, alive := <-commits:
			if !alive {
				t.Fatal("the child ended by itself")
			}
			g.upto = max(g.upto, upto)
			if kill == nil && !last && g.upto > started {
				kill = time.After(life)
			}
			if last && len(g.records) == full && g.upto == uint64(full) {
				return
			}
		case <-tick.C:
			if !last || len(g.records) < full {
				g.measure()
			}
			for next <= uint64(len(g.records)) {
				p := g.pack(next)
				topic, payload := encode(t, p)
				if _, err := fmt.Fprintf(in, "%s %s\n", topic, payload); err != nil {
					t.Fatal(err)
				}
				next = p.Last() + 1
			}
		}
	}
}

func (g *killGateway) checkReadings(t *testing.T, series store.Store) {
	t.Helper()
	stored := map[time.Time]safety.Reading{}
	n := 0
	err := series.Query(t.Context(), store.Query{Factory: "padma", From: day.Add(-365 * 24 * time.Hour), To: time.Now().Add(time.Hour)},
		func(s store.Sample) error {
			stored[s.At] = s.Reading
			n++
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range g.records {
		if stored[want.At] != want {
			t.Fatalf("record %d: stored %+v, want %+v", i+1, stored[want.At], want)
		}
	}
	if n != len(g.records) {
		t.Errorf("%d readings are stored, %d were made", n, len(g.records))
	}
}

func (g *killGateway) checkTransitions(t *testing.T, db *state.DB) {
	t.Helper()
	site := killSite()
	engine, err := rules.New(loadRules(t, killRules), rules.PlantOf(site),
		rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	var want []safety.Transition
	for _, r := range g.records {
		want = append(want, engine.Observe(r)...)
	}
	got, err := db.TransitionsAfter(t.Context(), 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) < 100 {
		t.Fatalf("only %d transitions: nothing was tested", len(want))
	}
	for i := range min(len(got), len(want)) {
		got[i].ID = 0
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("transition %d of %d:\n got %+v\nwant %+v", i, len(want), got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d transitions, want %d", len(got), len(want))
	}
	t.Logf("%d readings, %d transitions", len(g.records), len(got))
}
