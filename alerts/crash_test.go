package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nirapod/alerts/ledger"
	"nirapod/alerts/receiver"
	"nirapod/desk"
	"nirapod/internal/freeport"
	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
)

// A child process is this test binary again; it kills itself with SIGKILL at
// the crash point whose number it was given.
const (
	childRole  = "NIRAPOD_TEST_CHILD" // alerts | desk
	childDir   = "NIRAPOD_TEST_DIR"
	childDesk  = "NIRAPOD_TEST_DESK"
	childCrash = "NIRAPOD_TEST_CRASH"
	childHook  = "NIRAPOD_TEST_HOOK" // where a program hears messages; "" = nowhere
)

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(childRole) {
	case "alerts":
		err = alertsChild()
	case "desk":
		err = deskChild()
	default:
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, "child:", err)
	os.Exit(1)
}

// dieAt returns a crash point counter that kills the process at the nth.
func dieAt(n int64) func(string) {
	var passed atomic.Int64
	return func(string) {
		if passed.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

func alertsChild() error {
	crash, err := strconv.ParseInt(os.Getenv(childCrash), 10, 64)
	if err != nil {
		return err
	}
	ctx := context.Background()
	db, err := state.Open(ctx, os.Getenv(childDir))
	if err != nil {
		return err
	}
	book, err := ledger.Open(db, os.Getenv(childDir))
	if err != nil {
		return err
	}
	cfg := Config{DeskURL: os.Getenv(childDesk), DeskToken: senderToken}
	if hook := os.Getenv(childHook); hook != "" {
		cfg.Receivers = []receiver.Receiver{receiver.NewWebhook(receiver.WebhookConfig{URL: hook}, "shared", http.DefaultClient, time.Now)}
	}
	a, err := New(cfg, Deps{DB: db, Ledger: book}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	a.at = dieAt(crash)
	return a.Run(ctx)
}

func deskChild() error {
	l, err := net.Listen("tcp", os.Getenv(childDesk))
	if err != nil {
		return err
	}
	ctx := context.Background()
	d, err := desk.New(ctx, desk.Config{
		Listener: l, Dir: os.Getenv(childDir),
		Senders:  []desk.Sender{{Name: "server", Token: senderToken}},
		Officers: []desk.Officer{{Name: "officers", Token: officerToken}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return d.Run(ctx)
}

// child starts a child process; the test waits for it or kills it.
func child(t *testing.T, role, dir, deskAt string, crash int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childDir+"="+dir, childDesk+"="+deskAt, childCrash+"="+strconv.Itoa(crash))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd
}

// killed reports whether the child has died of SIGKILL.
func killed(cmd *exec.Cmd) bool {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// scene is a state with a confirmed fire that nobody has looked at yet.
func scene(t *testing.T) *rig {
	r := newRig(t, demoPlant(), Deps{}, Config{})
	r.now = time.Now().UTC().Truncate(time.Millisecond)
	smoke, heat := r.firing("store-smoke", simulated), r.firing("store-heat", simulated)
	smoke.Seq, heat.Seq = 1, 2
	r.must(r.db.CommitBatch(t.Context(), batch(smoke, heat)))
	return r
}

// whole reports whether the fire has been told, filed and received, and fails
// the test if anything was doubled or claimed too early on the way.
func (r *rig) whole(deskURL string) bool {
	r.t.Helper()
	key, err := tree.LoadKey(r.dir)
	r.must(err)
	if _, err := r.db.Audit(r.t.Context(), key.Public, nil); err != nil {
		r.t.Fatalf("the ledger after a kill: %v", err)
	}
	alerts, incidents, notices := r.alerts(), r.incidents(), r.notices()
	if len(alerts) > 2 || len(incidents) > 1 || len(notices) > 1 {
		r.t.Fatalf("doubled: %d alerts, %d incidents, %d notices", len(alerts), len(incidents), len(notices))
	}
	kinds := map[string]int{}
	for _, n := range r.drafts() {
		if kinds[n.Kind]++; n.Status != safety.NoticeDraft || kinds[n.Kind] > 1 {
			r.t.Fatalf("a paper that waits for a person: %s, %d of %s", n.Status, kinds[n.Kind], n.Kind)
		}
	}
	for _, n := range notices {
		if (n.Status == safety.NoticeReceived) != (n.ReceiptNumber != "") {
			r.t.Fatalf("status %s with receipt %q", n.Status, n.ReceiptNumber)
		}
	}
	items := queue(r.t, deskURL)
	numbers := map[string]string{}
	for _, it := range items {
		if numbers[it.Kind] != "" {
			r.t.Fatalf("the desk has two of %s: %+v", it.Kind, items)
		}
		numbers[it.Kind] = it.Number
	}
	if len(notices) == 0 || notices[0].Status != safety.NoticeReceived {
		return false
	}
	if len(alerts) != 2 || len(kinds) != 2 || numbers["notice"] != notices[0].ReceiptNumber {
		r.t.Fatalf("%d alerts, drafts %v; the desk gave %v, the notice says %s", len(alerts), kinds, numbers, notices[0].ReceiptNumber)
	}
	if s, ok := r.signal(notices[0].IncidentID, true); !ok || s.ReceiptNumber != numbers["signal"] {
		r.t.Fatalf("signal %+v; the desk gave %v", s, numbers)
	}
	return true
}

// program hears messages and knows which steps of which alerts it was told.
func program(t *testing.T) (url string, steps func() int) {
	t.Helper()
	var mu sync.Mutex
	heard := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var m receiver.Message
		if err := json.NewDecoder(req.Body).Decode(&m); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		heard[m.Alert+"/"+m.Step] = true
	}))
	t.Cleanup(s.Close)
	return s.URL, func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(heard)
	}
}

// kill -9 at every crash point between reading a transition and storing the
// desk's receipt, each followed by a start anew: nothing lost, nothing twice.
func TestKilledAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes; the run without -short does this")
	}
	points := 0
	for crash := 1; ; crash++ {
		url, stop := startDesk(t, t.TempDir())
		r := scene(t)
		hook, heard := program(t)
		t.Setenv(childHook, hook)
		// Both alarms: the committee, and the owner, since they confirm each other.
		done := func() bool { return r.whole(url) && heard() == 4 }
		cmd := child(t, "alerts", r.dir, url, crash)
		died := make(chan struct{})
		go func() { _ = cmd.Wait(); close(died) }()
		ended := false
		r.until("it is killed or done", func() bool {
			select {
			case <-died:
				ended = true
				return true
			default:
				return done()
			}
		})
		if !ended { // the work was done before the crash point came
			_ = cmd.Process.Kill()
			<-died
			if points = crash - 1; points < 8 {
				t.Fatalf("only %d crash points", points)
			}
			stop()
			break
		}
		if !killed(cmd) {
			t.Fatalf("crash %d: the child ended with %v", crash, cmd.ProcessState)
		}
		again := child(t, "alerts", r.dir, url, 0)
		r.until(fmt.Sprintf("all is received after crash %d", crash), done)
		_ = again.Process.Kill()
		_ = again.Wait()
		stop()
	}
	t.Logf("killed at %d points", points)
}

// In waves of that many factories, each with a confirmed fire of its own.
const (
	waves     = 8
	waveSize  = 3
	factories = waves * waveSize
)

func (r *rig) wave(n int) {
	r.t.Helper()
	var fires []safety.Transition
	for i := range waveSize {
		site := demoPlant()
		site.Factory.ID = fmt.Sprintf("factory-%d-%d", n, i)
		_, err := r.db.ImportSite(r.t.Context(), site, r.now)
		r.must(err)
		for _, sensor := range []string{"store-smoke", "store-heat"} {
			fires = append(fires, r.firing(sensor, simulated, func(t *safety.Transition) {
				t.Factory, t.Seq = site.Factory.ID, uint64(len(fires)+1)
				t.Point = safety.PointID(t.Factory, t.Rule, sensor)
			}))
		}
	}
	r.must(r.db.CommitBatch(r.t.Context(), batch(fires...)))
}

// Many factories file while the desk is killed amid every wave of them, and now
// and then their server: each signal and notice is at the desk once, and never
// received before.
func TestManyFilingsThroughKills(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes; the run without -short does this")
	}
	addr, deskDir := freeport.Address(t), t.TempDir()
	r := newRig(t, demoPlant(), Deps{}, Config{})
	r.now = time.Now().UTC().Truncate(time.Millisecond)
	server := child(t, "alerts", r.dir, "http://"+addr, 0)
	kills, amid := 0, map[int]bool{}
	for n := range waves {
		r.wave(n)
		for all := 2 * waveSize * (n + 1); r.filed() < all; kills++ {
			theDesk := child(t, "desk", deskDir, addr, 0)
			kept := keptBy(t, deskDir)
			r.within(time.Minute, "the desk has kept some more", func() bool { // not all of which have been answered
				return keptBy(t, deskDir) > kept || r.filed() == all
			})
			_ = theDesk.Process.Kill()
			_ = theDesk.Wait()
			amid[keptBy(t, deskDir)] = true
			if kills%6 == 5 {
				_ = server.Process.Kill()
				_ = server.Wait()
				server = child(t, "alerts", r.dir, "http://"+addr, 0)
			}
		}
	}
	_ = server.Process.Kill()
	_ = server.Wait()
	child(t, "desk", deskDir, addr, 0)
	r.until("the desk listens", func() bool { return listens(addr) })
	numbers, papers := map[string]bool{}, map[string]string{}
	for _, it := range queue(t, "http://"+addr) {
		if papers[it.ID] != "" || numbers[it.Number] {
			t.Errorf("the desk has %s %s twice, or its number %s", it.Kind, it.ID, it.Number)
		}
		papers[it.ID], numbers[it.Number] = it.Number, true
	}
	for _, n := range r.notices() {
		s, _ := r.signal(n.IncidentID, true)
		if papers[n.ID] != n.ReceiptNumber || papers[s.ID] != s.ReceiptNumber || n.ReceiptNumber == "" || s.ReceiptNumber == "" {
			t.Errorf("notice %s %q, signal %s %q; the desk has %q and %q", n.ID, n.ReceiptNumber, s.ID, s.ReceiptNumber, papers[n.ID], papers[s.ID])
		}
	}
	if len(papers) != 2*factories || len(r.notices()) != factories || len(r.drafts()) != 2*factories {
		t.Errorf("%d filings, %d notices, %d drafts", len(papers), len(r.notices()), len(r.drafts()))
	}
	if len(amid) < waves {
		t.Errorf("the kills fell at %v filings: they hit too little", amid)
	}
	t.Logf("%d filings through %d kills of the desk, which fell at %d different counts", len(papers), kills, len(amid))
}

// filed counts the signals and notices that the sender calls received.
func (r *rig) filed() (n int) {
	r.t.Helper()
	r.must(r.db.Write(r.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT (SELECT count(*) FROM signals WHERE status = 'received') +
			(SELECT count(*) FROM notices WHERE status = 'received')`).Scan(&n)
	}))
	return n
}

// keptBy counts what a desk, running or killed, has on its disk.
func keptBy(t *testing.T, dir string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "desk.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT count(*) FROM filings`).Scan(&n); err != nil {
		return 0 // it has not made its tables yet
	}
	return n
}

func listens(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// Server and desk are killed again and again at moments that nobody chose.
func TestServerAndDeskKilledAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes; the run without -short does this")
	}
	for round := range 4 {
		addr := freeport.Address(t)
		r := scene(t)
		deskDir := t.TempDir()
		for i := range 5 {
			server := child(t, "alerts", r.dir, "http://"+addr, 0)
			theDesk := child(t, "desk", deskDir, addr, 0)
			<-time.After(time.Duration(20+17*i+31*round) * time.Millisecond)
			_ = theDesk.Process.Kill()
			_ = server.Process.Kill()
			if err := errors.Join(theDesk.Wait(), server.Wait()); err == nil {
				t.Fatal("a child ended by itself")
			}
		}
		child(t, "desk", deskDir, addr, 0)
		child(t, "alerts", r.dir, "http://"+addr, 0)
		r.until("the desk listens", func() bool { return listens(addr) })
		r.until("all is received", func() bool { return r.whole("http://" + addr) })
	}
}
