package state_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

func bookAlert(id, point string, st safety.AlertState) state.Alert {
	return state.Alert{Alert: safety.Alert{ID: id, FactoryID: "padma", Point: point, Class: safety.ClassAlarm, State: st, OccurredAt: at(1), RaisedAt: at(1)}}
}

func TestOneOpenAlertPerPoint(t *testing.T) {
	db := open(t, t.TempDir())
	save := func(a state.Alert) error {
		return db.Book(t.Context(), func(b *state.Book) error { return b.SaveAlert(t.Context(), a) })
	}
	first := bookAlert("A1", "p", safety.Unacknowledged)
	first.Work.Evidence = []state.Evidence{{Values: map[string]float64{"rise": math.NaN(), "t": 54.25}}}
	must(t, save(first))
	if err := save(bookAlert("A2", "p", safety.Unacknowledged)); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("a second open alert: %v", err)
	}
	must(t, save(bookAlert("A3", "q", safety.Unacknowledged)))
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		got, err := b.OpenAlert(t.Context(), "p")
		if v := got.Work.Evidence[0].Values; err != nil || got.ID != "A1" || v["t"] != 54.25 || !math.IsNaN(v["rise"]) {
			t.Errorf("open alert %+v, %v", got, err)
		}
		return err
	}))
	first.State = safety.Cleared
	must(t, save(first))
	must(t, save(bookAlert("A2", "p", safety.Returned)))
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		closed, err := b.ClosedAlerts(t.Context(), "p", 10)
		if len(closed) != 1 || closed[0].ID != "A1" {
			t.Errorf("closed %+v", closed)
		}
		return err
	}))
}

func TestBookIsAllOrNothing(t *testing.T) {
	db := open(t, t.TempDir())
	stop := errors.New("stop")
	err := db.Book(t.Context(), func(b *state.Book) error {
		must(t, b.SaveAlert(t.Context(), bookAlert("A1", "p", safety.Unacknowledged)))
		must(t, b.SetCursor(t.Context(), "alerts", 7))
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		cursor, err := b.Cursor(t.Context(), "alerts")
		if _, alertErr := b.Alert(t.Context(), "A1"); cursor != 0 || !errors.Is(alertErr, safety.ErrNotFound) {
			t.Errorf("cursor %d, alert %v", cursor, alertErr)
		}
		return err
	}))
	if last, err := db.LastChange(t.Context()); err != nil || last != 0 {
		t.Errorf("last change %d, %v", last, err)
	}
}

func TestOutbox(t *testing.T) {
	db := open(t, t.TempDir())
	item := func(key, factory string) state.Item {
		return state.Item{Key: key, Dest: "desk", Factory: factory, Kind: "signal", Ref: key, Body: []byte(`{}`), Created: at(1)}
	}
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		for _, it := range []state.Item{item("a1", "a"), item("b1", "b"), item("a2", "a"), item("a1", "a")} {
			must(t, b.Enqueue(t.Context(), it))
		}
		return nil
	}))
	heads := func() (keys []string, all []state.Item) {
		all, err := db.Heads(t.Context(), "desk")
		must(t, err)
		for _, it := range all {
			keys = append(keys, it.Key)
		}
		return keys, all
	}
	keys, all := heads()
	if len(keys) != 2 || keys[0] != "a1" || keys[1] != "b1" {
		t.Fatalf("heads %v", keys)
	}
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		must(t, b.Delay(t.Context(), all[1].Seq, at(9)))
		for i, want := range []bool{true, false} {
			ended, err := b.Finish(t.Context(), all[0].Seq, state.Done, "R-1")
			if err != nil || ended != want {
				t.Errorf("finish %d: %t, %v", i, ended, err)
			}
		}
		return b.Enqueue(t.Context(), item("a1", "a"))
	}))
	keys, all = heads()
	if len(keys) != 2 || keys[0] != "b1" || keys[1] != "a2" {
		t.Fatalf("after a1 ended: %v", keys)
	}
	if all[0].Attempts != 1 || !all[0].NotBefore.Equal(at(9)) {
		t.Errorf("delayed %+v", all[0])
	}
}

// What was refused holds up nothing, and may yet be taken.
func TestObjected(t *testing.T) {
	db := open(t, t.TempDir())
	first := state.Item{Key: "a1", Dest: "desk", Factory: "a", Kind: "signal", Ref: "a1", Body: []byte(`{}`), Created: at(1)}
	second := first
	second.Key = "a2"
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		return errors.Join(b.Enqueue(t.Context(), first), b.Enqueue(t.Context(), second))
	}))
	heads := func(want ...string) []state.Item {
		t.Helper()
		all, err := db.Heads(t.Context(), "desk")
		must(t, err)
		var keys []string
		for _, it := range all {
			keys = append(keys, it.Key)
		}
		if !slices.Equal(keys, want) {
			t.Fatalf("heads %v, want %v", keys, want)
		}
		return all
	}
	head := heads("a1")[0]
	must(t, db.Book(t.Context(), func(b *state.Book) error { return b.Object(t.Context(), head.Seq, "no", at(9)) }))
	if all := heads("a1", "a2"); !all[0].Objected || all[1].Objected || !all[0].NotBefore.Equal(at(9)) || all[0].Attempts != 1 {
		t.Errorf("after the objection: %+v", all)
	}
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		ended, err := b.Finish(t.Context(), head.Seq, state.Done, "R-1")
		if !ended {
			t.Error("it cannot be taken any more")
		}
		return errors.Join(err, b.Object(t.Context(), head.Seq, "too late", at(10)))
	}))
	heads("a2")
}

func TestAlertsDue(t *testing.T) {
	db := open(t, t.TempDir())
	due := func(now time.Time) bool {
		d, err := db.AlertsDue(t.Context(), now)
		must(t, err)
		return d
	}
	next := at(30)
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		return b.SaveIncident(t.Context(), state.Incident{Incident: safety.Incident{ID: "I1", FactoryID: "padma", State: "open", OccurredAt: at(1)}, NextAt: &next})
	}))
	if due(at(29)) || !due(at(30)) {
		t.Errorf("at 29 s %t, at 30 s %t", due(at(29)), due(at(30)))
	}
	must(t, db.Book(t.Context(), func(b *state.Book) error {
		return b.SaveAlert(t.Context(), bookAlert("A1", "p", safety.Unacknowledged))
	}))
	if !due(at(0)) {
		t.Error("an alert without its incident is due at once")
	}
}
