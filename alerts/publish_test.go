package alerts

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"nirapod/alerts/ledger"
	"nirapod/internal/tree"
	"nirapod/safety"
	"nirapod/state"
)

// heads are what the desk shows officers.
func heads(t *testing.T, url string) []safety.HeldHead {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/heads", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+officerToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var page struct{ Items []safety.HeldHead }
	if err := json.Unmarshal(text, &page); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", resp.Status, text)
	}
	return page.Items
}

// show publishes once, as a process that has just started does.
func (r *rig) show() (err error) {
	r.t.Helper()
	r.a.deps.Ledger, err = ledger.Open(r.db, r.dir)
	r.must(err)
	return r.a.publishAll(r.t.Context(), map[string]*published{}, time.Now().UTC())
}

// rewrite lets somebody who owns the machine and the key make the ledger anew
// with one transition less, as if it had never been there.
func (r *rig) rewrite(drop uint64, site safety.Site) {
	r.t.Helper()
	all, err := r.db.TransitionsAfter(r.t.Context(), 0, 1000)
	r.must(err)
	r.must(r.db.Close())
	raw, err := sql.Open("sqlite", "file:"+filepath.Join(r.dir, "state.db"))
	r.must(err)
	for _, table := range []string{"ledger_leaves", "ledger_texts", "ledger_heads", "transitions", "sites", "site_versions", "alerts", "incidents", "signals", "notices", "outbox"} {
		_, err := raw.Exec(`DROP TRIGGER IF EXISTS ledger_stays; DROP TRIGGER IF EXISTS ledger_remains; DELETE FROM ` + table)
		r.must(err)
	}
	r.must(raw.Close())
	r.open(Deps{}, r.cfg)
	_, err = r.db.ImportSite(r.t.Context(), site, t0)
	r.must(err)
	for _, tr := range all {
		if tr.Seq != drop {
			r.must(r.db.CommitBatch(r.t.Context(), state.Batch{Transitions: []safety.Transition{tr}}))
		}
	}
}

func TestTheDeskFindsARewrittenHistory(t *testing.T) {
	url, _ := startDesk(t, t.TempDir())
	r := newRig(t, plant(), Deps{}, Config{DeskURL: url, DeskToken: senderToken})
	for range 6 {
		r.seq++
		r.must(r.db.CommitBatch(t.Context(), batch(r.firing("store-smoke", func(tr *safety.Transition) { tr.Seq = r.seq }))))
		r.must(r.show())
	}
	before := heads(t, url)
	if len(before) != 1 || before[0].FactoryID != "padma" || before[0].Office != "gazipur" || before[0].Size < 6 || len(before[0].Faults) != 0 {
		t.Fatalf("the desk holds %+v", before)
	}
	held, err := tree.OpenHead([]byte(before[0].Head), before[0].Key)
	r.must(err)
	if now, err := r.db.Head(t.Context(), "padma"); err != nil || now != held {
		t.Errorf("the desk holds %+v, the server %+v, %v", held, now, err)
	}

	r.rewrite(2, plant())
	if found, err := r.db.Audit(t.Context(), before[0].Key, nil); err != nil || len(found) != 1 {
		t.Fatalf("the rewritten history is not whole, so this tests nothing: %v", err)
	}
	if err := r.show(); err == nil {
		t.Error("a shorter history was taken")
	}
	for r.size() <= held.Size {
		r.seq++
		r.must(r.db.CommitBatch(t.Context(), batch(r.firing("store-smoke", func(tr *safety.Transition) { tr.Seq = r.seq }))))
	}
	if err := r.show(); err == nil {
		t.Error("a longer history that is another was taken")
	}
	after := heads(t, url)
	if len(after) != 1 || after[0].Head != before[0].Head || len(after[0].Faults) != 2 {
		t.Errorf("the desk holds %+v", after)
	}
	if word, err := r.db.LastState(t.Context(), "padma", safety.PointID("padma", faultRewritten, "")); err != nil || word != safety.Firing {
		t.Errorf("people of the factory are not told: %s, %v", word, err)
	}
	if _, err := r.db.Audit(t.Context(), before[0].Key, [][]byte{[]byte(before[0].Head)}); err == nil {
		t.Error("an audit with the desk's head finds nothing")
	}
}

func (r *rig) size() int64 {
	r.t.Helper()
	head, err := r.db.Head(r.t.Context(), "padma")
	r.must(err)
	return head.Size
}

// Another key is another history, however true the tree.
func TestTheDeskPinsTheKey(t *testing.T) {
	url, _ := startDesk(t, t.TempDir())
	r := newRig(t, plant(), Deps{}, Config{DeskURL: url, DeskToken: senderToken})
	r.must(r.show())
	other, err := tree.LoadKey(t.TempDir())
	r.must(err)
	r.put(r.firing("store-smoke"))
	size, err := r.a.desk.holds(t.Context(), "padma")
	r.must(err)
	growth, head, err := r.a.deps.Ledger.Growth(t.Context(), "padma", "gazipur", size)
	r.must(err)
	note, err := other.Sign(head)
	r.must(err)
	growth.Key, growth.Head = other.Public, string(note)
	if err := r.a.desk.grow(t.Context(), growth); err == nil {
		t.Error("a head of another key was taken")
	}
	if got := heads(t, url); len(got) != 1 || len(got[0].Faults) != 1 {
		t.Errorf("the desk holds %+v", got)
	}
}

// The desk lost its database: it takes the ledger as it is now.
func TestADeskThatForgot(t *testing.T) {
	url, _ := startDesk(t, t.TempDir())
	r := newRig(t, plant(), Deps{}, Config{DeskURL: url, DeskToken: senderToken})
	r.must(r.show())
	r.a.desk.url, _ = startDesk(t, t.TempDir())
	r.put(r.firing("store-smoke"))
	r.must(r.show())
	if got := heads(t, r.a.desk.url); len(got) != 1 || len(got[0].Faults) != 0 || got[0].Size != r.size() {
		t.Errorf("the desk holds %+v", got)
	}
}
