package alerts

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

func (r *rig) faults(rule string) (found []safety.Alert) {
	r.t.Helper()
	for _, a := range r.alerts() {
		if a.Rule == rule {
			found = append(found, a)
		}
	}
	return found
}

// What waits for a desk that does not answer is told after a minute, once, and
// ends when all of it has been taken.
func TestADeskThatIsNotHeardIsTold(t *testing.T) {
	var up atomic.Bool
	url, _ := deskThat(t, func(int) int {
		if up.Load() {
			return 0
		}
		return http.StatusServiceUnavailable
	})
	r := newRig(t, plant(), Deps{}, Config{DeskURL: url, DeskToken: senderToken})
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	r.round(destDesk, r.now)
	r.pass(unheardAfter - time.Second)
	if got := r.faults(faultUnheard); len(got) != 0 {
		t.Fatalf("before a minute: %+v", got)
	}
	r.pass(time.Second)
	for range 3 {
		r.pass(time.Minute)
		r.round(destDesk, r.now)
	}
	r.open(Deps{}, Config{DeskURL: url, DeskToken: senderToken}) // a restart
	r.pass(time.Minute)
	got := r.faults(faultUnheard)
	if len(got) != 1 || got[0].Class != safety.ClassFault || got[0].State != safety.Unacknowledged || got[0].Condition != conditionFiring ||
		!strings.Contains(got[0].Clause, "telephone") {
		t.Fatalf("people see %+v", got)
	}
	up.Store(true)
	for r.notices()[0].Status != safety.NoticeReceived {
		r.round(destDesk, r.now)
		r.pass(time.Minute)
	}
	r.step()
	if got := r.faults(faultUnheard); len(got) != 1 || got[0].State != safety.Returned {
		t.Errorf("after all was taken: %+v", got)
	}
	transitions, err := r.db.TransitionsAfter(t.Context(), 0, 100)
	r.must(err)
	told := ""
	for _, tr := range transitions {
		if tr.Rule == faultUnheard {
			told += tr.To.String() + " "
		}
	}
	if told != "firing inactive " {
		t.Errorf("told %q", told)
	}
}

// A filing that the desk refuses has a fault of its own: the desk is heard.
func TestARefusalIsAnAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer server.Close()
	r := newRig(t, plant(), Deps{}, Config{DeskURL: server.URL, DeskToken: senderToken})
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	r.round(destDesk, r.now)
	r.pass(time.Hour)
	if got := r.faults(faultUnheard); len(got) != 0 {
		t.Errorf("people see %+v", got)
	}
	if got := r.faults(faultRefused); len(got) != 2 {
		t.Errorf("refused: %+v", got)
	}
}

// Where there is no desk nothing waits for its answer.
func TestNoDeskIsNotUnheard(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	r.pass(time.Hour)
	if got := r.faults(faultUnheard); len(got) != 0 {
		t.Errorf("people see %+v", got)
	}
}

// An officer's look comes back to the sender's papers and stays the first one's.
func TestSeenComesBack(t *testing.T) {
	url, _ := startDesk(t, t.TempDir())
	changed := 0
	r := newRig(t, plant(), Deps{Changed: func() { changed++ }}, Config{DeskURL: url, DeskToken: senderToken})
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	r.round(destDesk, r.now)
	incident := r.notices()[0].IncidentID
	ask := func() (safety.Signal, safety.Notice) {
		t.Helper()
		r.must(r.a.askSeen(t.Context()))
		s, _ := r.signal(incident, false)
		return s, r.notices()[0]
	}
	if s, n := ask(); s.SeenAt != nil || n.SeenAt != nil || n.SeenBy != "" {
		t.Fatalf("seen before anyone looked: %+v, %+v", s, n)
	}
	look(t, url, incident, "Rahima")
	look(t, url, incident, "Karim")
	before := changed
	s, n := ask()
	if s.SeenBy != "Rahima" || n.SeenBy != "Rahima" || s.SeenAt == nil || n.SeenAt == nil || changed == before {
		t.Errorf("seen: %+v, %+v, changed %d", s, n, changed-before)
	}
	if s.Status != safety.NoticeReceived || n.Status != safety.NoticeReceived || n.ReceiptNumber == "" {
		t.Errorf("received no longer: %+v, %+v", s, n)
	}
	last, err := r.db.LastChange(t.Context())
	r.must(err)
	ask()
	if now, err := r.db.LastChange(t.Context()); err != nil || now != last {
		t.Errorf("asking again changed %d to %d, %v", last, now, err)
	}
	// A desk of another database tells all again; the first one stays.
	r.must(r.db.Book(t.Context(), func(b *state.Book) error { return b.SetCursor(t.Context(), "desk-seen "+url, 99) }))
	if _, n := ask(); n.SeenBy != "Rahima" {
		t.Errorf("seen by %s", n.SeenBy)
	}
	stranger := safety.Seen{ID: "01JD8Z3V5N0000000000000001", Kind: "notice", By: "X", At: t0}
	err = r.db.Book(t.Context(), func(b *state.Book) error {
		return errors.Join(markSeen(t.Context(), b, stranger), markSeen(t.Context(), b, safety.Seen{ID: stranger.ID, Kind: "signal", At: t0}))
	})
	r.must(err)
}

func look(t *testing.T, url, incident, officer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/cases/"+incident+"/seen", strings.NewReader(`{"officer":"`+officer+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+officerToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
}
