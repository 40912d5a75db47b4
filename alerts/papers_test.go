package alerts

import (
	"database/sql"
	"testing"
	"time"

	"nirapod/safety"
)

func (r *rig) paper(kind string, exercise bool) (found safety.Notice) {
	r.t.Helper()
	n := 0
	for _, p := range r.papers() {
		if p.Kind == kind && p.Exercise == exercise {
			found, n = p, n+1
		}
	}
	if n != 1 {
		r.t.Fatalf("%d notices %s with exercise %t, want 1: %+v", n, kind, exercise, r.papers())
	}
	return found
}

// A fire opens every paper that the law asks for, with its own clocks; only the
// immediate one leaves without a signature.
func TestAFireOpensItsPapers(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	if len(r.papers()) != 3 {
		t.Fatalf("papers %+v", r.papers())
	}
	for kind, want := range map[string]struct {
		status  safety.NoticeStatus
		clauses []string
	}{
		"immediate": {safety.NoticePrepared, []string{"s.80(1) proviso"}},
		"s80":       {safety.NoticeDraft, []string{"s.80(1)"}},
		"s81":       {safety.NoticeDraft, []string{"s.81, r.71 (Form 27ka)"}},
	} {
		n := r.paper(kind, false)
		if n.Status != want.status || !n.AwareAt.Equal(t0) || n.DueAt == nil || len(n.Blank) == 0 || n.Body.Factory.BN != "পদ্মা" {
			t.Errorf("%s: %+v", kind, n)
		}
		for _, c := range n.Clocks {
			if c.Clause != want.clauses[0] || c.MetAt != nil || !c.StartsAt.Equal(t0) {
				t.Errorf("%s carries the clock %+v", kind, c)
			}
		}
	}
	heads, err := r.db.Heads(t.Context(), destDesk)
	r.must(err)
	for len(heads) > 0 { // take all that is on its way
		if heads[0].Kind == "notice" && heads[0].Ref != r.paper("immediate", false).ID {
			t.Errorf("%s leaves without a signature", heads[0].Ref)
		}
		r.must(r.a.end(t.Context(), heads[0], "done", ""))
		heads, err = r.db.Heads(t.Context(), destDesk)
		r.must(err)
	}
}

// A draft follows what is known and keeps its clocks' beginning; when nothing
// new is known it is not written again.
func TestDraftsFollowTheIncident(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	before := r.paper("s80", false)
	r.now = second(60)
	r.put(r.firing("boiler-co", func(t *safety.Transition) { t.Hazard = safety.HazardGas }))
	after := r.paper("s80", false)
	if after.ID != before.ID || len(after.Body.Evidence) != 3 || len(after.Body.Place) != 2 || !after.AwareAt.Equal(before.AwareAt) ||
		!after.CreatedAt.Equal(before.CreatedAt) || !after.DueAt.Equal(*before.DueAt) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	last, err := r.db.LastChange(t.Context())
	r.must(err)
	inc := r.incidents()[0]
	r.must(r.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE incidents SET next_at = 1 WHERE id = ?`, inc.ID)
		return err
	}))
	r.step()
	now, err := r.db.LastChange(t.Context())
	r.must(err)
	if now != last+1 { // the incident itself
		t.Errorf("%d changes where nothing was new", now-last)
	}
}

// In an EPZ the desk hears of the fire, and no paper of section 80 is opened.
func TestAnEPZFactoryFilesNothingOfSection80(t *testing.T) {
	site := plant()
	site.Factory.Regime = "epz"
	r := newRig(t, site, Deps{}, Config{})
	r.put(r.firing("store-smoke"), r.firing("store-heat"))
	if got := r.papers(); len(got) != 1 || got[0].Kind != "epz" || got[0].Status != safety.NoticeDraft || got[0].Clocks[0].Recipient != "zone_authority" {
		t.Fatalf("papers %+v", got)
	}
	if s, ok := r.signal(r.incidents()[0].ID, false); !ok || !s.Confirmed {
		t.Errorf("signal %+v, %t", s, ok)
	}
	heads, err := r.db.Heads(t.Context(), destDesk)
	r.must(err)
	if len(heads) != 1 || heads[0].Kind != "signal" {
		t.Errorf("on its way: %+v", heads)
	}
}

// Every paper of a drill is the drill's. When the fire turns out to be real its
// papers begin with it: a drill makes nobody aware of a fire.
func TestPapersOfADrillThatTurnsOutToBeReal(t *testing.T) {
	r := newRig(t, demoPlant(), Deps{}, Config{})
	r.put(r.firing("store-smoke", simulated), r.firing("store-heat", simulated))
	for _, kind := range []string{"immediate", "s80", "s81"} {
		if n := r.paper(kind, true); !n.Exercise || !n.Body.Demo {
			t.Errorf("%s of a drill: %+v", kind, n)
		}
	}
	r.now = t0.Add(time.Hour)
	r.put(r.firing("boiler-co"), r.firing("twin-heat"))
	for _, kind := range []string{"immediate", "s80", "s81"} {
		n := r.paper(kind, false)
		if !n.AwareAt.Equal(r.now) || n.CreatedAt.Before(r.now) {
			t.Errorf("%s: aware %v, created %v, the fire was confirmed at %v", kind, n.AwareAt, n.CreatedAt, r.now)
		}
		for _, c := range n.Clocks {
			if !c.StartsAt.Equal(r.now) {
				t.Errorf("%s: a clock starts at %v", kind, c.StartsAt)
			}
		}
	}
	if n := r.paper("immediate", true); n.Status != safety.NoticePrepared || !n.AwareAt.Equal(t0) {
		t.Errorf("what the drill sent has changed: %+v", n)
	}
}
