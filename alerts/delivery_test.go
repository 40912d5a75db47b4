package alerts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

func demoPlant() safety.Site {
	site := plant()
	site.Factory.Demo = true
	return site
}

func TestFireReachesTheDesk(t *testing.T) {
	url, _ := startDesk(t, t.TempDir())
	changed := make(chan struct{}, 1)
	r := newRig(t, demoPlant(), Deps{Changed: func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}}, Config{DeskURL: url, DeskToken: senderToken})
	r.run()
	r.now = time.Now().UTC().Truncate(time.Millisecond)
	r.must(r.db.CommitBatch(t.Context(), batch(
		r.firing("store-smoke", simulated, func(t *safety.Transition) { t.Seq = 1 }),
		r.firing("store-heat", simulated, func(t *safety.Transition) { t.Seq = 2 }))))
	r.a.Wake()
	r.until("the notice is received", func() bool {
		n := r.notices()
		return len(n) == 1 && n[0].Status == safety.NoticeReceived
	})
	n := r.notices()[0]
	if !strings.HasPrefix(n.ReceiptNumber, "DEMO-") || n.SentAt == nil || n.ReceivedAt == nil || !n.Exercise || !n.Body.Demo {
		t.Errorf("notice %+v", n)
	}
	for _, c := range n.Clocks {
		if met := c.MetAt != nil; met != (c.Recipient == "dife_office") {
			t.Errorf("clock to %s: met %t", c.Recipient, met)
		}
	}
	s, ok := r.signal(n.IncidentID, true)
	if !ok || s.Status != safety.NoticeReceived || !strings.HasPrefix(s.ReceiptNumber, "DEMO-") || s.ReceiptNumber == n.ReceiptNumber {
		t.Errorf("signal %+v", s)
	}
	got := queue(t, url)
	if len(got) != 2 || got[0].ID != n.ID || got[1].ID != s.ID || got[0].Number != n.ReceiptNumber {
		t.Errorf("the desk has %+v", got)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told that something changed")
	}
}

// deskThat answers as the test says, and forwards to a real desk when it says 0.
func deskThat(t *testing.T, answer func(n int) int) (url, realURL string) {
	t.Helper()
	realURL, _ = startDesk(t, t.TempDir())
	var n atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		code := answer(int(n.Add(1)))
		if code > 0 {
			_, _ = io.Copy(io.Discard, req.Body)
			w.WriteHeader(code)
			return
		}
		forward, err := http.NewRequestWithContext(req.Context(), req.Method, realURL+req.URL.Path, req.Body)
		if err != nil {
			panic(err)
		}
		forward.Header = req.Header.Clone()
		resp, err := http.DefaultClient.Do(forward)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		if code < 0 { // it was kept, but the answer is lost
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, realURL
}

func (r *rig) round(dest string, now time.Time) {
	r.t.Helper()
	for _, c := range r.a.carry {
		if c.dest == dest {
			for {
				more, err := c.round(r.t.Context(), now)
				r.must(err)
				if !more {
					return
				}
			}
		}
	}
}

func TestStatusesNeverRunAhead(t *testing.T) {
	cases := []struct {
		name    string
		answers []int // one per attempt; 0: the real desk's, -1: kept and the answer lost
		want    []safety.NoticeStatus
	}{
		{"received at once", []int{0, 0}, []safety.NoticeStatus{safety.NoticeReceived}},
		{"an overloaded desk has it, but gave no receipt", []int{0, 503, 0}, []safety.NoticeStatus{safety.NoticeSent, safety.NoticeReceived}},
		{"a lost answer", []int{0, -1, 0}, []safety.NoticeStatus{safety.NoticeSent, safety.NoticeReceived}},
		{"a wrong token waits for a person", []int{0, 401, 0}, []safety.NoticeStatus{safety.NoticeSent, safety.NoticeReceived}},
		{"refused", []int{0, 400}, []safety.NoticeStatus{safety.NoticeSent, safety.NoticeSent}},
		{"no answer that could be a receipt", []int{0, 204, 0}, []safety.NoticeStatus{safety.NoticeSent, safety.NoticeReceived}},
		{"a redirect is not followed", []int{0, 307, 0}, []safety.NoticeStatus{safety.NoticeSent, safety.NoticeReceived}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			url, realURL := deskThat(t, func(n int) int { return c.answers[min(n, len(c.answers))-1] })
			r := newRig(t, plant(), Deps{}, Config{DeskURL: url, DeskToken: senderToken})
			r.put(r.firing("store-smoke"), r.firing("store-heat"))
			if got := r.notices()[0].Status; got != safety.NoticePrepared {
				t.Fatalf("before anything was sent: %s", got)
			}
			now := time.Now()
			for _, want := range c.want {
				r.round(destDesk, now)
				n := r.notices()[0]
				if n.Status != want {
					t.Fatalf("got %s, want %s", n.Status, want)
				}
				if (n.ReceiptNumber != "") != (n.Status == safety.NoticeReceived) || (n.ReceivedAt != nil) != (n.Status == safety.NoticeReceived) {
					t.Fatalf("status %s with receipt %q at %v", n.Status, n.ReceiptNumber, n.ReceivedAt)
				}
				now = now.Add(time.Hour)
			}
			kinds := map[string]int{}
			for _, it := range queue(t, realURL) {
				kinds[it.Kind]++
			}
			wantNotices := 1
			if slices.Contains(c.answers, 400) {
				wantNotices = 0
			}
			if kinds["signal"] != 1 || kinds["notice"] != wantNotices {
				t.Errorf("the desk has %v", kinds)
			}
		})
	}
}

func TestAnUnreachableDeskMakesNothingSent(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{DeskURL: "http://127.0.0.1:1", DeskToken: senderToken})
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	r.round(destDesk, r.now)
	if n := r.notices()[0]; n.Status != safety.NoticePrepared || n.SentAt != nil {
		t.Errorf("notice %+v", n)
	}
	heads, err := r.db.Heads(t.Context(), destDesk)
	r.must(err)
	if len(heads) != 1 || heads[0].Attempts != 1 || !heads[0].NotBefore.After(t0) {
		t.Errorf("heads %+v", heads)
	}
}

func TestForgedReceiptsAreNotBelieved(t *testing.T) {
	real := safety.Filing{ID: "N1", Version: 1, Notice: &safety.Notice{ID: "N1"}}
	drill := safety.Filing{ID: "N1", Version: 1, Notice: &safety.Notice{ID: "N1", Exercise: true}}
	at := time.Now()
	cases := []struct {
		name   string
		filing safety.Filing
		r      safety.Receipt
		ok     bool
	}{
		{"a real one", real, safety.Receipt{ID: "N1", Version: 1, Number: "GAZIPUR-2026-000001", ReceivedAt: at}, true},
		{"an exercise's", drill, safety.Receipt{ID: "N1", Version: 1, Number: "EX-2026-000001", ReceivedAt: at}, true},
		{"for another filing", real, safety.Receipt{ID: "N2", Version: 1, Number: "GAZIPUR-2026-000001", ReceivedAt: at}, false},
		{"for another version", real, safety.Receipt{ID: "N1", Version: 2, Number: "GAZIPUR-2026-000001", ReceivedAt: at}, false},
		{"without a number", real, safety.Receipt{ID: "N1", Version: 1, ReceivedAt: at}, false},
		{"without a time", real, safety.Receipt{ID: "N1", Version: 1, Number: "GAZIPUR-2026-000001"}, false},
		{"a demonstration's number on a real notice", real, safety.Receipt{ID: "N1", Version: 1, Number: "DEMO-2026-000001", ReceivedAt: at}, false},
		{"a real number on an exercise", drill, safety.Receipt{ID: "N1", Version: 1, Number: "GAZIPUR-2026-000001", ReceivedAt: at}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := checkReceipt(state.Item{Body: marshal(t, c.filing)}, c.r); (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

// One factory's trouble holds up its own later papers and nobody else's.
func TestOrderPerFactory(t *testing.T) {
	var mu sync.Mutex
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		text := string(body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, text)
		if strings.Contains(text, "meghna") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusBadRequest) // an answer: the item ends
	}))
	defer server.Close()
	r := newRig(t, plant(), Deps{}, Config{DeskURL: server.URL, DeskToken: senderToken})
	r.must(r.db.Book(t.Context(), func(b *state.Book) error {
		for i, factory := range []string{"meghna", "padma", "meghna", "padma"} {
			id := fmt.Sprintf("%s-%d", factory, i)
			if err := b.SaveSignal(t.Context(), safety.Signal{ID: id, FactoryID: factory, IncidentID: id}); err != nil {
				return err
			}
			it := state.Item{Key: id, Dest: destDesk, Factory: factory, Kind: "signal", Ref: id, Body: []byte(`"` + id + `"`), NotBefore: t0, Created: t0}
			if err := errors.Join(b.Enqueue(t.Context(), it), b.Enqueue(t.Context(), it)); err != nil {
				return err
			}
		}
		return nil
	}))
	r.round(destDesk, r.now)
	slices.Sort(got)
	if want := []string{`"meghna-0"`, `"padma-1"`, `"padma-3"`}; !slices.Equal(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
}

func TestCommandsAreTriedAgainAndExpire(t *testing.T) {
	fails := 2
	var got []wire.Command
	send := func(_ context.Context, factory, gateway string, c wire.Command) error {
		if fails--; fails >= 0 {
			return errors.New("the broker is away")
		}
		if factory != "padma" || gateway != "gw-1" {
			t.Errorf("to %s of %s", gateway, factory)
		}
		got = append(got, c)
		return c.Validate()
	}
	r := newRig(t, plant(), Deps{Command: send}, Config{})
	r.put(r.firing("store-smoke"))
	alert := r.alerts()[0]
	_, err := r.a.Acknowledge(t.Context(), "rahima", alert.ID, second(5))
	r.must(err)
	now := second(5)
	for range 4 {
		r.round(destGateway, now)
		heads, err := r.db.Heads(t.Context(), destGateway)
		r.must(err)
		if len(heads) == 1 {
			now = heads[0].NotBefore
		}
	}
	if len(got) != 1 || got[0].Kind != wire.CommandAck || got[0].Point != alert.Point || got[0].By != "rahima" {
		t.Fatalf("commands %+v", got)
	}
	r.put(r.firing("store-heat"))
	_, err = r.a.Acknowledge(t.Context(), "rahima", r.alerts()[1].ID, second(7))
	r.must(err)
	r.round(destGateway, second(7).Add(commandLife+time.Second))
	if len(got) != 1 {
		t.Errorf("an expired command was sent: %+v", got)
	}
	if heads, err := r.db.Heads(t.Context(), destGateway); err != nil || len(heads) != 0 {
		t.Errorf("still waiting: %+v, %v", heads, err)
	}
}

func TestBackoff(t *testing.T) {
	for attempts := range 100 {
		if d := backoff(attempts); d < firstBackoff/2 || d > lastBackoff {
			t.Errorf("after %d attempts %v", attempts, d)
		}
	}
}

// A command that the broker does not take holds up its own factory only, and
// that for a bounded time.
func TestACommandIsBounded(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	synctest.Test(t, func(t *testing.T) {
		r.a.deps.Command = func(ctx context.Context, _, _ string, _ wire.Command) error {
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()
		err := r.a.toGateway(t.Context(), state.Item{Body: []byte("{}")}, t0)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != commandTimeout {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// A desk that refuses a filing is asked again until it has been mended. People
// see that it did not take it, and why, and no other filing waits for it.
func TestARefusedFilingIsTriedAgain(t *testing.T) {
	mended := atomic.Bool{}
	realURL, _ := startDesk(t, t.TempDir())
	back := http.DefaultClient
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/signals") && !mended.Load() {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"detail":"version: from 1"}`)
			return
		}
		forward, err := http.NewRequestWithContext(req.Context(), req.Method, realURL+req.URL.Path, req.Body)
		if err != nil {
			panic(err)
		}
		forward.Header = req.Header.Clone()
		resp, err := back.Do(forward)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	defer proxy.Close()
	r := newRig(t, plant(), Deps{}, Config{DeskURL: proxy.URL, DeskToken: senderToken})
	faults := func() (found []safety.Alert) {
		for _, a := range r.alerts() {
			if a.Rule == faultRefused {
				found = append(found, a)
			}
		}
		return found
	}
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	r.now = time.Now().UTC().Truncate(time.Millisecond)
	for range 3 { // as often as it is refused, it is one fault
		r.round(destDesk, r.now)
		r.pass(time.Hour)
	}
	n := r.notices()[0]
	s, _ := r.signal(n.IncidentID, false)
	if n.Status != safety.NoticeReceived || s.Status != safety.NoticeSent {
		t.Fatalf("notice %s, signal %s", n.Status, s.Status)
	}
	if got := faults(); len(got) != 1 || got[0].State != safety.Unacknowledged || got[0].Class != safety.ClassFault ||
		!strings.Contains(got[0].Clause, s.ID) || !strings.Contains(got[0].Clause, "version: from 1") {
		t.Fatalf("people see %+v", got)
	}
	mended.Store(true)
	r.round(destDesk, r.now)
	r.step()
	if s, _ = r.signal(n.IncidentID, false); s.Status != safety.NoticeReceived || s.ReceiptNumber == "" {
		t.Errorf("after the desk was mended: signal %+v", s)
	}
	if got := faults(); len(got) != 1 || got[0].State != safety.Returned {
		t.Errorf("after the desk was mended: %+v", got)
	}
}
