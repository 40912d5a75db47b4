package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"nirapod/app/demo"
	sim "nirapod/firmware-sim"
	"nirapod/internal/password"
	"nirapod/safety"
	"nirapod/state"
)

// deskPoints are the moments at which the desk is killed, in the order of one filing.
var deskPoints = []string{"desk-before-keep", "desk-in-transaction", "desk-after-commit", "desk-after-answer"}

// The desk is killed at every step of a filing, first of a signal, then of a
// notice; then desk and server are killed at random while another fire is
// filed. Each signal and notice is at the desk once, with the one number that
// its sender shows.
func TestDeskKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	p := newPlant(t, plantOptions{scenario: "calm", deskApart: true})
	p.officer()
	p.broker.start()
	p.server.start()
	p.sim.start()
	p.agent.start()
	c := newClient(p.httpAddr)
	c.ready(t)
	eventually(t, time.Minute, "login", func() error { return c.logIn("committee", userPassword) })
	p.ablaze("store")
	p.throughEveryStep(0, "signal")
	p.throughEveryStep(1, "notice")
	p.ablaze("sewing")
	eventually(t, time.Minute, "the second fire's notice waits", func() error {
		notices, err := c.notices()
		for _, n := range notices {
			if n.Kind == "immediate" && n.Status != safety.NoticeReceived && n.Status != safety.NoticeDraft {
				return err
			}
		}
		return errNotYet
	})
	p.killDeskAndSender()
	amid := len(p.kept())
	eventually(t, time.Minute, "login after the kills", func() error { return c.logIn("committee", userPassword) })
	eventually(t, 90*time.Second, "both notices received", func() error {
		received, err := c.received()
		if err == nil && len(received) != 2 {
			err = fmt.Errorf("%d received", len(received))
		}
		return err
	})
	p.seenByAnOfficer(c)
	p.server.stop()
	p.desk.stop()
	p.agree()
	t.Logf("killed: desk %d, server %d times; %d of the second fire's filings arrived amid them", p.desk.kills, p.server.kills, amid-2)
}

// officer makes the login of an officer of the demo's office.
func (p *plant) officer() {
	p.t.Helper()
	db, err := state.Open(p.t.Context(), p.file("data"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	u := state.User{Name: "officer", Role: state.Officer, Office: demo.Office, Language: "bn", PasswordHash: password.Hash(userPassword)}
	if _, err := db.CreateUser(p.t.Context(), u); err != nil {
		p.t.Fatal(err)
	}
}

// ablaze fills a zone with smoke and heat: two devices, so it is confirmed.
func (p *plant) ablaze(zone string) {
	p.t.Helper()
	world := p.world()
	for quantity, value := range map[string]float64{"smoke_od": 1.5, "temperature": 95} {
		if err := world.Set(sim.Setting{Zone: zone, Quantity: quantity, Value: value}); err != nil {
			p.t.Fatal(err)
		}
	}
}

// throughEveryStep starts the desk again and again, each time to die at the next
// point, while the sender tries to file one thing. Before that the desk has kept
// so many filings.
func (p *plant) throughEveryStep(before int, kind string) {
	t := p.t
	t.Helper()
	for _, point := range deskPoints {
		p.desk.env = []string{"NIRAPOD_CRASH=" + point + ":1"}
		p.desk.start()
		eventually(t, time.Minute, kind+": the desk dies at "+point, func() error {
			if !p.desk.dead() {
				return errNotYet
			}
			return nil
		})
		status, ok := p.desk.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !ok || status.Signal() != syscall.SIGKILL {
			t.Fatalf("%s: the desk ended with %v", point, p.desk.cmd.ProcessState)
		}
		p.desk.end(0)
		want := before
		if point == "desk-after-commit" || point == "desk-after-answer" {
			want++
		}
		if kept := p.kept(); len(kept) != want || want > before && kept[before].kind != kind {
			t.Fatalf("killed at %s the desk has kept %v, want %d", point, kept, want)
		}
	}
}

// kept is what the desk's database holds, in order of arrival.
func (p *plant) kept() []keptFiling {
	p.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.file("data"), "desk", "desk.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT id, kind, number, incident FROM filings ORDER BY seq`)
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	var all []keptFiling
	for rows.Next() {
		var f keptFiling
		if err := rows.Scan(&f.id, &f.kind, &f.number, &f.incident); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, f)
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	return all
}

type keptFiling struct{ id, kind, number, incident string }

// killDeskAndSender kills both at moments that nobody chose, the desk now and
// then at a point of its own, until filings have arrived amid it.
func (p *plant) killDeskAndSender() {
	t := p.t
	t.Helper()
	dice := rand.New(rand.NewPCG(3, 5))
	for round, before := 0, len(p.kept()); round < 12 || len(p.kept()) == before; round++ {
		if round == 60 {
			t.Fatal("nothing arrived amid the kills")
		}
		p.desk.env = nil
		if round%2 == 0 {
			p.desk.env = []string{"NIRAPOD_CRASH=" + deskPoints[dice.IntN(len(deskPoints))] + ":0.5"}
		}
		p.desk.start()
		time.Sleep(time.Duration(100+dice.IntN(600+50*round)) * time.Millisecond)
		p.desk.kill()
		if round%4 == 3 {
			p.server.kill()
			time.Sleep(time.Duration(dice.IntN(200)) * time.Millisecond)
			p.server.start()
		}
	}
	p.desk.env = nil
	p.desk.start()
}

// seenByAnOfficer reads the cases as an officer, looks at one, and waits until
// the factory's notice says so; it stays received.
func (p *plant) seenByAnOfficer(committee *client) {
	t := p.t
	t.Helper()
	officer := newClient(p.httpAddr)
	if err := officer.logIn("officer", userPassword); err != nil {
		t.Fatal(err)
	}
	var queue struct{ Items []safety.Case }
	if err := officer.ask(http.MethodGet, "/api/v1/desk/queue", nil, &queue); err != nil {
		t.Fatal(err)
	}
	if len(queue.Items) != 2 {
		t.Fatalf("cases %+v", queue.Items)
	}
	for _, found := range queue.Items {
		if len(found.Filings) != 2 || found.Urgency != safety.UrgencyConfirmed || !found.Demo || found.SeenBy != "" {
			t.Errorf("case %+v", found)
		}
	}
	var seen safety.Case
	if err := officer.ask(http.MethodPost, "/api/v1/desk/cases/"+queue.Items[0].IncidentID+"/seen", nil, &seen); err != nil || seen.SeenBy != "officer" {
		t.Fatalf("%+v, %v", seen, err)
	}
	eventually(t, 30*time.Second, "the notice is seen", func() error {
		received, err := committee.received()
		if err != nil {
			return err
		}
		for _, n := range received {
			if n.IncidentID == seen.IncidentID && n.SeenAt != nil && n.SeenBy == "officer" {
				return nil
			}
		}
		return errNotYet
	})
}

// agree compares the two sides after both have ended: what the sender calls
// received is at the desk under the same number, each once, and the other way round.
func (p *plant) agree() {
	t := p.t
	t.Helper()
	atDesk, numbers := map[string]string{}, map[string]bool{}
	for _, f := range p.kept() {
		if atDesk[f.id] != "" || numbers[f.number] || !strings.HasPrefix(f.number, "DEMO-") {
			t.Errorf("%s %s is at the desk twice, or shares its number %s", f.kind, f.id, f.number)
		}
		atDesk[f.id], numbers[f.number] = f.number, true
	}
	sent := map[string]string{}
	for _, r := range p.sent() {
		if r.Number == "" || atDesk[r.ID] != r.Number {
			t.Errorf("the sender says that %s was received as %q, the desk has %q", r.ID, r.Number, atDesk[r.ID])
		}
		sent[r.ID] = r.Number
	}
	if len(sent) != 4 || len(atDesk) != 4 {
		t.Errorf("sent %v, at the desk %v: want two signals and two notices", sent, atDesk)
	}
}

// sent is every signal and notice that the sender's state calls received.
func (p *plant) sent() (receipts []safety.Receipt) {
	t := p.t
	t.Helper()
	db, err := state.Open(t.Context(), p.file("data"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	view := db.As(state.Viewer{User: state.User{Role: state.Committee, Factory: demo.Factory}})
	notices, err := view.Notices(t.Context(), state.NoticeFilter{}, "", 200)
	if err != nil {
		t.Fatal(err)
	}
	drafts := map[string]int{}
	for _, n := range notices.Items {
		if n.Status == safety.NoticeDraft {
			drafts[n.Kind]++
			continue
		}
		if n.Kind != "immediate" || n.Status != safety.NoticeReceived {
			t.Errorf("notice %s %s is %s", n.Kind, n.ID, n.Status)
		}
		receipts = append(receipts, safety.Receipt{ID: n.ID, Number: n.ReceiptNumber})
		err := db.Book(t.Context(), func(b *state.Book) error {
			s, err := b.IncidentSignal(t.Context(), n.IncidentID, n.Exercise)
			if err == nil && s.Status != safety.NoticeReceived {
				t.Errorf("signal %s is %s", s.ID, s.Status)
			}
			receipts = append(receipts, safety.Receipt{ID: s.ID, Number: s.ReceiptNumber})
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if len(drafts) != 2 || drafts["s80"] != 2 || drafts["s81"] != 2 {
		t.Errorf("drafts %v, want s80 and s81 of each fire", drafts)
	}
	return receipts
}
