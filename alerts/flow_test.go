package alerts

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
)

func TestGatewayAndServerMakeOneAlert(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.now = second(2)
	early := r.firing("store-smoke", func(t *safety.Transition) { t.At = second(0) })
	r.put(r.firing("store-smoke", from(safety.ServerSource)), early)
	got := r.alerts()
	if len(got) != 1 || !got[0].OccurredAt.Equal(second(0)) || got[0].State != safety.Unacknowledged {
		t.Fatalf("alerts %+v", got)
	}
	r.put(r.firing("store-smoke", inactive))
	if got = r.alerts(); got[0].Condition != "firing" {
		t.Errorf("one source of two ended it: %s", got[0].Condition)
	}
	r.put(r.firing("store-smoke", from(safety.ServerSource), inactive))
	if got = r.alerts(); len(got) != 1 || got[0].State != safety.Returned {
		t.Errorf("alerts %+v", got)
	}
}

func TestLateAlarm(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.now = second(3600)
	then := func(t *safety.Transition) { t.At = second(0) }
	r.put(r.firing("store-smoke", then), r.firing("store-smoke", inactive, func(t *safety.Transition) { t.At = second(90) }))
	got := r.alerts()
	if len(got) != 1 || !got[0].Late || got[0].State != safety.Returned || !got[0].RaisedAt.Equal(r.now) || !got[0].OccurredAt.Equal(second(0)) {
		t.Fatalf("a late alarm that is over: %+v", got)
	}
	if inc := r.incidents(); len(inc) != 1 {
		t.Fatalf("incidents %+v", inc)
	}
	r.pass(defaultV1)
	if n := r.notices(); len(n) != 1 || n[0].Status != safety.NoticeDraft {
		t.Errorf("nobody looked at it, yet the notices are %+v", n)
	}
}

// After an outage an agent may send its newest packs first.
func TestNewestFirst(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.now = second(100)
	at := func(n int) func(*safety.Transition) {
		return func(t *safety.Transition) { t.At = second(n) }
	}
	r.put(r.firing("store-smoke", inactive, at(60)))
	r.put(r.firing("store-smoke", at(10)))
	got := r.alerts()
	if len(got) != 1 || got[0].State != safety.Returned || !got[0].OccurredAt.Equal(second(10)) {
		t.Fatalf("alerts %+v", got)
	}
	_, err := r.a.Acknowledge(t.Context(), "rahima", got[0].ID, r.now)
	r.must(err)
	r.put(r.firing("store-smoke", from("gw-2"), inactive, at(60)))
	r.put(r.firing("store-smoke", from("gw-2"), at(10)))
	if got = r.alerts(); len(got) != 1 || got[0].State != safety.Cleared {
		t.Errorf("old news of a cleared alert told people again: %+v", got)
	}
	r.put(r.firing("store-smoke", at(95)))
	if got = r.alerts(); len(got) != 2 || got[1].State != safety.Unacknowledged || got[1].Late {
		t.Errorf("a new fire at the same point: %+v", got)
	}
}

func TestIncidentGrouping(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.put(r.firing("store-heat"))
	r.now = second(5)
	r.put(r.firing("boiler-co", func(t *safety.Transition) { t.Hazard = safety.HazardGas }))
	r.put(r.firing("store-smoke", func(t *safety.Transition) { t.At = second(-3) }))
	r.put(r.firing("sewing-smoke"))
	r.put(r.firing("twin-rh", func(t *safety.Transition) { t.Class = safety.ClassFault }))
	got := r.incidents()
	if len(got) != 2 {
		t.Fatalf("%d incidents: %+v", len(got), got)
	}
	alerts := map[string]safety.Alert{}
	for _, a := range r.alerts() {
		alerts[a.ID] = a
		if (a.Class == safety.ClassAlarm) != (a.IncidentID != "") {
			t.Errorf("%s of class %s has incident %q", a.SensorID, a.Class, a.IncidentID)
		}
	}
	var both safety.Incident
	for _, inc := range got {
		if len(inc.Alerts) == 3 {
			both = inc
		}
	}
	if both.Kind != "fire" || !both.Confirmed || len(both.Zones) != 2 || !both.OccurredAt.Equal(second(-3)) {
		t.Fatalf("the larger incident: %+v", both)
	}
	if first := alerts[both.Alerts[0]]; first.SensorID != "store-smoke" {
		t.Errorf("first-out is %s, want store-smoke, which came last and happened first", first.SensorID)
	}
}

func TestExitsCrowdsAndFaultsFileNothing(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	for _, hazard := range []safety.Hazard{safety.HazardExit, safety.HazardCrowd, safety.HazardSystem} {
		for _, sensor := range []string{"store-smoke", "store-heat", "call-point-1"} {
			r.put(r.firing(sensor, func(t *safety.Transition) {
				t.Hazard, t.Severity, t.Grade = hazard, safety.Evacuate, safety.Certified
				t.Point = safety.PointID("padma", string(hazard), sensor)
			}))
		}
	}
	r.pass(time.Hour)
	for _, inc := range r.incidents() {
		for _, exercise := range []bool{false, true} {
			if s, ok := r.signal(inc.ID, exercise); ok {
				t.Errorf("incident of kind %s sent the signal %+v", inc.Kind, s)
			}
		}
	}
	if n := r.notices(); len(n) != 0 || len(r.incidents()) != 3 {
		t.Errorf("%d incidents, notices %+v", len(r.incidents()), n)
	}
}

func TestCallPoint(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.put(r.firing("call-point-1"))
	inc := r.incidents()[0]
	s, ok := r.signal(inc.ID, false)
	if !ok || s.Confidence != becauseCallPoint || s.Confirmed || s.Grade != safety.Certified {
		t.Fatalf("signal %+v, %t", s, ok)
	}
	if n := r.notices(); len(n) != 0 {
		t.Fatalf("its notice did not wait for V2: %+v", n)
	}
	_, err := r.a.Acknowledge(t.Context(), "rahima", r.alerts()[0].ID, second(10))
	r.must(err)
	r.now = second(10)
	r.step()
	r.pass(defaultV2 - time.Second)
	if n := r.notices(); len(n) != 0 {
		t.Fatalf("before V2 ended: %+v", n)
	}
	r.pass(time.Second)
	n := r.notices()
	if len(n) != 1 || n[0].Status != safety.NoticePrepared || !n[0].AwareAt.Equal(r.now) {
		t.Errorf("after V2: %+v", n)
	}
}

func TestUnconfirmedStaysADraftUntilConfirmed(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.put(r.firing("store-smoke"))
	r.pass(defaultV1)
	inc := r.incidents()[0]
	if s, ok := r.signal(inc.ID, false); !ok || s.Confidence != becauseUnresolved {
		t.Fatalf("signal %+v, %t", s, ok)
	}
	n := r.notices()
	if len(n) != 1 || n[0].Status != safety.NoticeDraft || len(n[0].Clocks) == 0 || !n[0].AwareAt.Equal(t0) {
		t.Fatalf("notices %+v", n)
	}
	heads, err := r.db.Heads(t.Context(), destDesk)
	r.must(err)
	if len(heads) != 1 || heads[0].Kind != "signal" {
		t.Fatalf("on its way: %+v", heads)
	}
	r.now = second(60)
	r.put(r.firing("store-heat"))
	after := r.notices()
	if len(after) != 1 || after[0].ID != n[0].ID || after[0].Status != safety.NoticePrepared {
		t.Fatalf("notices %+v", after)
	}
	if !after[0].AwareAt.Equal(t0) || !after[0].CreatedAt.Equal(n[0].CreatedAt) || len(after[0].Body.Evidence) != 2 {
		t.Errorf("aware %v, created %v, evidence %v", after[0].AwareAt, after[0].CreatedAt, after[0].Body.Evidence)
	}
}

func TestADrillThatTurnsOutToBeReal(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.put(r.firing("store-smoke", simulated), r.firing("store-heat", simulated))
	n := r.notices()
	if len(n) != 1 || !n[0].Exercise || n[0].Status != safety.NoticePrepared || !r.incidents()[0].Exercise {
		t.Fatalf("exercise: %+v", n)
	}
	r.put(r.firing("boiler-co"))
	inc := r.incidents()[0]
	if inc.Exercise || inc.Confirmed || len(r.incidents()) != 1 {
		t.Fatalf("one real alarm makes it real and not yet confirmed: %+v", inc)
	}
	r.put(r.firing("twin-heat"))
	n = r.notices()
	inc = r.incidents()[0]
	if len(n) != 2 || n[1].Exercise || n[1].Status != safety.NoticePrepared || !inc.Confirmed {
		t.Fatalf("two real ones confirm it: %+v, %+v", inc, n)
	}
	if _, ok := r.signal(inc.ID, false); !ok {
		t.Error("no real signal")
	}
	if _, ok := r.signal(inc.ID, true); !ok {
		t.Error("the exercise's signal is gone")
	}
}

// A fire is told before anyone asks what it belongs to.
func TestToldWithoutGrouping(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.must(r.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`CREATE TRIGGER broken BEFORE INSERT ON incidents BEGIN SELECT raise(ABORT, 'grouping is broken'); END`)
		return err
	}))
	r.must(r.db.CommitBatch(t.Context(), batch(r.firing("store-smoke"))))
	if err := r.a.Step(t.Context(), r.now); err == nil {
		t.Fatal("grouping should have failed")
	}
	var alerts int
	r.must(r.db.Write(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM alerts WHERE state = 'unacknowledged'`).Scan(&alerts)
	}))
	if alerts != 1 {
		t.Errorf("%d alerts", alerts)
	}
}

// A transition that cannot be applied holds up no other.
func TestABadTransitionIsSkipped(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	bad := r.firing("store-heat", func(t *safety.Transition) { t.At = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) })
	r.put(bad, r.firing("store-smoke"))
	got := r.alerts()
	slices.SortFunc(got, func(x, y safety.Alert) int { return strings.Compare(x.Rule, y.Rule) })
	if len(got) != 2 || got[1].SensorID != "store-smoke" {
		t.Fatalf("alerts %+v", got)
	}
	told := got[0]
	if told.Rule != faultSkipped || told.SensorID != "store-heat" || told.ZoneID != bad.Zone || told.Class != safety.ClassFault ||
		told.State != safety.Returned || !strings.Contains(told.Clause, "rule fire went to firing") {
		t.Errorf("of the one that was skipped people see %+v", told)
	}
	if ack, err := r.a.Acknowledge(t.Context(), "rahima", told.ID, r.now); err != nil || ack.State != safety.Cleared {
		t.Errorf("acknowledged: %+v, %v", ack, err)
	}
}

// Trouble with the disk is no word about the transition that met it: nothing is
// passed over, and it is told when the trouble is over.
func TestNothingIsSkippedForTroubleWithTheState(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.must(r.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`CREATE TRIGGER disk_full BEFORE INSERT ON alerts BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END`)
		return err
	}))
	r.must(r.db.CommitBatch(t.Context(), batch(
		r.firing("store-heat", func(t *safety.Transition) { t.Seq = 1 }), r.firing("store-smoke", func(t *safety.Transition) { t.Seq = 2 }))))
	for range 3 {
		if err := r.a.Step(t.Context(), r.now); err == nil {
			t.Fatal("no word of the trouble")
		}
	}
	r.must(r.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DROP TRIGGER disk_full`)
		return err
	}))
	r.step()
	if got := r.alerts(); len(got) != 2 || got[0].SensorID != "store-heat" || got[1].SensorID != "store-smoke" {
		t.Errorf("alerts %+v", got)
	}
}

func TestAcknowledge(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	r.put(r.firing("store-smoke"))
	id := r.alerts()[0].ID
	first, err := r.a.Acknowledge(t.Context(), "rahima", id, second(5))
	r.must(err)
	again, err := r.a.Acknowledge(t.Context(), "karim", id, second(9))
	r.must(err)
	if first.AcknowledgedBy != "rahima" || again.AcknowledgedBy != "rahima" || !again.AcknowledgedAt.Equal(second(5)) || again.State != safety.Acknowledged {
		t.Errorf("first %+v, again %+v", first, again)
	}
	if _, err := r.a.Acknowledge(t.Context(), "rahima", "no such", second(5)); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("unknown alert: %v", err)
	}
	heads, err := r.db.Heads(t.Context(), destGateway)
	r.must(err)
	if len(heads) != 1 || heads[0].Ref != "gw-1" {
		t.Errorf("commands %+v", heads)
	}
}

func TestReset(t *testing.T) {
	r := newRig(t, plant(), Deps{Latched: func(string) bool { return true }}, Config{})
	r.put(r.firing("store-smoke"))
	id := r.alerts()[0].ID
	if _, err := r.a.Reset(t.Context(), "rahima", id, second(1)); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("not acknowledged: %v", err)
	}
	_, err := r.a.Acknowledge(t.Context(), "rahima", id, second(2))
	r.must(err)
	r.put(r.firing("store-smoke", inactive))
	if a := r.alerts()[0]; a.State != safety.Acknowledged || !a.Latched {
		t.Fatalf("a latched alert ended by itself: %+v", a)
	}
	got, err := r.a.Reset(t.Context(), "rahima", id, second(3))
	r.must(err)
	if got.State != safety.Cleared || got.ClearedAt == nil {
		t.Errorf("after the reset: %+v", got)
	}
	resets, err := r.db.ResetsAfter(t.Context(), 0, 10)
	r.must(err)
	if len(resets) != 1 || resets[0].Point != got.Point || resets[0].By != "rahima" {
		t.Errorf("for the server's engine: %+v", resets)
	}
}

// The same page for a process that starts anew, and the same transitions from
// a gateway that sends them again, change nothing.
func TestReplayChangesNothing(t *testing.T) {
	r := newRig(t, plant(), Deps{}, Config{})
	transitions := []safety.Transition{r.firing("store-smoke"), r.firing("store-heat"), r.firing("store-smoke", inactive)}
	r.put(transitions...)
	before, err := r.db.LastChange(t.Context())
	r.must(err)
	r.must(r.db.CommitBatch(t.Context(), batch(transitions...)))
	r.step()
	r.a.cursor = 0
	r.step()
	r.open(Deps{}, Config{})
	r.step()
	after, err := r.db.LastChange(context.WithoutCancel(t.Context()))
	r.must(err)
	if before != after || len(r.alerts()) != 2 {
		t.Errorf("change %d became %d, %d alerts", before, after, len(r.alerts()))
	}
}

// Faults of gateways, said by themselves or by the server, are told apart and
// say which gateway they are about; those of the server are about none.
func TestFaultsOfGateways(t *testing.T) {
	site := plant()
	site.Gateways = []safety.Gateway{{ID: "gw-1"}, {ID: "gw-2"}}
	r := newRig(t, site, Deps{}, Config{})
	of := func(source, rule, gateway string) safety.Transition {
		return r.firing("", from(source), func(t *safety.Transition) {
			t.Rule, t.Hazard, t.Class, t.Point = rule, safety.HazardSystem, safety.ClassFault, safety.PointID("padma", rule, gateway)
		})
	}
	r.put(of("gw-1", "gateway-fault/outputs", "gw-1"), of("gw-1", "gateway-fault/spool", "gw-1"),
		of("gw-2", "gateway-fault/outputs", "gw-2"), of(safety.ServerSource, "gateway-offline", "gw-2"),
		of(safety.ServerSource, "server-clock", ""))
	var got []string
	for _, a := range r.alerts() {
		got = append(got, a.Rule+" "+a.GatewayID)
	}
	want := []string{"gateway-fault/outputs gw-1", "gateway-fault/spool gw-1", "gateway-fault/outputs gw-2", "gateway-offline gw-2", "server-clock "}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
}
