package state_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

// What people did stays as it was written down, whoever asks for a change.
func TestActsAboutPermitsAreOnlyAdded(t *testing.T) {
	d := open(t, t.TempDir())
	r := safety.PermitRecord{FactoryID: "padma", Permit: safety.Permit{ID: "p", Sensors: []string{"s"}, Until: at(60)}}
	must(t, d.Book(t.Context(), func(b *state.Book) error {
		return b.ActOnPermit(t.Context(), state.PermitAct{Factory: "padma", Kind: state.PermitOpened, By: "committee", At: at(1)}, r)
	}))
	for _, change := range []string{`UPDATE permit_acts SET by = 'nobody'`, `DELETE FROM permit_acts`} {
		err := d.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(change)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "never") {
			t.Errorf("%s: %v", change, err)
		}
	}
	acts, err := d.PermitActsAfter(t.Context(), 0, 10)
	if err != nil || len(acts) != 1 || acts[0].By != "committee" || !acts[0].Permit.Until.Equal(at(60)) {
		t.Errorf("acts %+v %v", acts, err)
	}
}

// A permit is open until its last sensor was tested, and one that the rules did
// not take never was.
func TestWhenAPermitIsOpen(t *testing.T) {
	d := open(t, t.TempDir())
	ctx, opened := t.Context(), map[string]bool{}
	for _, id := range []string{"stands", "tested", "refused", "untested"} {
		r := safety.PermitRecord{FactoryID: "padma", Permit: safety.Permit{ID: id, Sensors: []string{"s"}, Until: at(60)}}
		if id == "tested" {
			r.Tested = []safety.PermitTest{{Sensor: "s", By: "installer", At: at(70)}}
		}
		if id == "untested" {
			early := at(5)
			r.EndedAt = &early
		}
		must(t, d.Book(ctx, func(b *state.Book) error {
			return b.ActOnPermit(ctx, state.PermitAct{Factory: "padma", Kind: state.PermitOpened, By: "committee", At: at(1)}, r)
		}))
	}
	must(t, d.CommitBatch(ctx, state.Batch{Permits: []state.PermitOutcome{{ID: "refused", At: at(2), Refused: "because"}, {ID: "stands", At: at(2)}}}))
	found, err := d.PermitsSince(ctx, "padma", at(0).Add(24*time.Hour))
	must(t, err)
	for _, r := range found {
		opened[r.ID] = true
	}
	if len(opened) != 2 || !opened["stands"] || !opened["untested"] {
		t.Errorf("open are %v", opened)
	}
	changes, err := d.ChangesAfter(ctx, 0, 10)
	must(t, err)
	if len(changes) != 4 || changes[3].Kind != "permit" || !strings.Contains(string(changes[2].Doc), "because") {
		t.Errorf("changes %+v", changes)
	}
}

// A gateway's word is about the newest permit of the sensor, and not an old one
// that came late.
func TestWhoTookAPermit(t *testing.T) {
	d := open(t, t.TempDir())
	ctx := t.Context()
	for i, id := range []string{"a", "b"} {
		r := safety.PermitRecord{FactoryID: "padma", Permit: safety.Permit{ID: id, Sensors: []string{"s"}, From: at(1000 * (i + 1)), Until: at(1000*(i+1) + 60)}}
		must(t, d.Book(ctx, func(b *state.Book) error {
			return b.ActOnPermit(ctx, state.PermitAct{Factory: "padma", Kind: state.PermitOpened, By: "committee", At: at(1)}, r)
		}))
	}
	word := func(factory, gateway, sensor string, second int) state.PermitTaken {
		return state.PermitTaken{Factory: factory, Gateway: gateway, Sensor: sensor, At: at(second)}
	}
	must(t, d.CommitBatch(ctx, state.Batch{Taken: []state.PermitTaken{
		word("padma", "gw-1", "s", 2001), word("padma", "gw-1", "s", 2002), word("padma", "gw-2", "s", 1001), word("padma", "gw-3", "other", 2001), word("meghna", "gw-4", "s", 2001),
	}}))
	found, err := d.PermitsSince(ctx, "padma", at(0))
	must(t, err)
	if len(found) != 2 || len(found[0].TakenBy) != 0 || !slices.Equal(found[1].TakenBy, []string{"gw-1"}) {
		t.Errorf("taken by %+v", found)
	}
}
