package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"nirapod/desk"
	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
)

const (
	senderToken  = "sender-token-0123456789"
	officerToken = "officer-token-012345678"
)

// rig is the role over a real state, at a time that the test sets.
type rig struct {
	t   testing.TB
	dir string
	cfg Config
	db  *state.DB
	a   *Alerts
	now time.Time
	seq uint64
}

func newRig(t testing.TB, site safety.Site, deps Deps, cfg Config) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), now: t0}
	r.open(deps, cfg)
	_, err := r.db.ImportSite(t.Context(), site, t0)
	r.must(err)
	return r
}

// open opens the state anew, as a process that starts does.
func (r *rig) open(deps Deps, cfg Config) {
	r.t.Helper()
	var err error
	r.db, err = state.Open(r.t.Context(), r.dir)
	r.must(err)
	db := r.db
	r.t.Cleanup(func() {
		// Whatever the test did, every row has its leaf. The state may have been closed.
		key, err := tree.LoadKey(r.dir)
		if err == nil {
			_, err = db.Audit(context.Background(), key.Public, nil)
		}
		if errors.Is(err, state.ErrTampered) {
			r.t.Error(err)
		}
		_ = db.Close()
	})
	deps.DB, r.cfg = r.db, cfg
	r.a, err = New(cfg, deps, slog.New(slog.DiscardHandler))
	r.must(err)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// firing is a transition of a fire rule at a sensor, from its gateway, now.
func (r *rig) firing(sensor string, change ...func(*safety.Transition)) safety.Transition {
	site := plant()
	s, _ := sensorOf(site, sensor)
	tr := safety.Transition{
		Factory: "padma", Source: s.Gateway, Run: "00000000000000aa", Point: safety.PointID("padma", "fire", sensor),
		Pack: "fire", Rule: "fire", RuleVersion: "v1", Hazard: safety.HazardFire, Class: safety.ClassAlarm, Severity: safety.Alarm,
		Zone: s.Zone, Sensor: sensor, Grade: s.Grade, From: safety.Inactive, To: safety.Firing, At: r.now,
		Values: map[string]float64{"value": 1},
	}
	for _, fn := range change {
		fn(&tr)
	}
	return tr
}

func inactive(t *safety.Transition) { t.From, t.To = safety.Firing, safety.Inactive }

func from(source string) func(*safety.Transition) {
	return func(t *safety.Transition) {
		if t.Source = source; source == safety.ServerSource {
			t.Run = ""
		}
	}
}

func simulated(t *safety.Transition) { t.Flags = safety.Simulated }

// put stores transitions as ingest does and lets the role work.
func (r *rig) put(transitions ...safety.Transition) {
	r.t.Helper()
	for i := range transitions {
		r.seq++
		transitions[i].Seq = r.seq
	}
	r.must(r.db.CommitBatch(r.t.Context(), state.Batch{Transitions: transitions}))
	r.step()
}

func (r *rig) step() {
	r.t.Helper()
	r.must(r.a.Step(r.t.Context(), r.now))
}

func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	r.now = r.now.Add(d)
	r.step()
}

// all returns the documents of one kind, oldest first.
func all[T any](r *rig, kind string) []T {
	r.t.Helper()
	changes, err := r.db.ChangesAfter(r.t.Context(), 0, 10000)
	r.must(err)
	docs := []T{}
	for _, c := range changes {
		if c.Kind != kind {
			continue
		}
		var v T
		r.must(json.Unmarshal(c.Doc, &v))
		docs = append(docs, v)
	}
	return docs
}

func (r *rig) alerts() []safety.Alert       { return all[safety.Alert](r, "alert") }
func (r *rig) incidents() []safety.Incident { return all[safety.Incident](r, "incident") }

// papers are the notices of every kind; notices those that a machine may send,
// drafts those that wait for a person.
func (r *rig) papers() []safety.Notice { return all[safety.Notice](r, "notice") }

func (r *rig) notices() (sendable []safety.Notice) {
	r.t.Helper()
	for _, n := range r.papers() {
		if n.Kind == "immediate" {
			sendable = append(sendable, n)
		}
	}
	return sendable
}

func (r *rig) drafts() (waiting []safety.Notice) {
	r.t.Helper()
	for _, n := range r.papers() {
		if n.Kind != "immediate" {
			waiting = append(waiting, n)
		}
	}
	return waiting
}

// signal returns an incident's signal, or false.
func (r *rig) signal(incident string, exercise bool) (s safety.Signal, ok bool) {
	r.t.Helper()
	err := r.db.Book(r.t.Context(), func(b *state.Book) (err error) {
		s, err = b.IncidentSignal(r.t.Context(), incident, exercise)
		return err
	})
	if errors.Is(err, safety.ErrNotFound) {
		return s, false
	}
	r.must(err)
	return s, true
}

// run runs the role until the test ends or stop is called.
func (r *rig) run() (stop func()) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.a.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				r.t.Errorf("Run returned %v", err)
			}
		})
	}
	r.t.Cleanup(stop)
	return stop
}

// until waits for a condition.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	r.within(20*time.Second, what, ok)
}

func (r *rig) within(limit time.Duration, what string, ok func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// startDesk serves a real desk and returns its address and how to stop it.
func startDesk(t testing.TB, dir string) (url string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := desk.New(t.Context(), desk.Config{
		Listener: l, Dir: dir,
		Senders:  []desk.Sender{{Name: "server", Token: senderToken}},
		Officers: []desk.Officer{{Name: "officers", Token: officerToken}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { _ = d.Run(ctx); close(done) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return "http://" + l.Addr().String(), stop
}

// queue returns what the desk has, newest first.
func queue(t testing.TB, url string) []desk.Item {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/queue", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+officerToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct{ Items []desk.Item }
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func batch(transitions ...safety.Transition) state.Batch {
	return state.Batch{Transitions: transitions}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
