package state_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

// tenants is a database with a factory of each of two offices, each with one
// of everything, named after its factory.
func tenants(t *testing.T) *state.DB {
	d := open(t, t.TempDir())
	for factory, office := range map[string]string{"padma": "gazipur", "meghna": "dhaka"} {
		site := safety.Site{Factory: safety.Factory{ID: factory, Office: safety.Fact{Value: office}}}
		site.Gateways = []safety.Gateway{{ID: "gw-" + factory}}
		_, err := d.ImportSite(t.Context(), site, at(0))
		must(t, err)
		x := transition(1)
		x.Factory, x.Point = factory, "point-"+factory
		must(t, d.CommitBatch(t.Context(), state.Batch{Transitions: []safety.Transition{x}}))
		put(t, d, "alerts", factory, "alert-"+factory, safety.Alert{ID: "alert-" + factory, FactoryID: factory, Point: x.Point, IncidentID: "incident-" + factory})
		put(t, d, "incidents", factory, "incident-"+factory, safety.Incident{ID: "incident-" + factory, FactoryID: factory})
		put(t, d, "notices", factory, "notice-"+factory, safety.Notice{ID: "notice-" + factory, FactoryID: factory})
		put(t, d, "permits", factory, "permit-"+factory, safety.PermitRecord{Permit: safety.Permit{ID: "permit-" + factory}, FactoryID: factory})
		must(t, d.Book(t.Context(), func(b *state.Book) error {
			return errors.Join(
				b.AddReset(t.Context(), state.Reset{Factory: factory, Point: x.Point, By: "committee", At: at(2)}),
				b.SaveSignal(t.Context(), safety.Signal{ID: "signal-" + factory, FactoryID: factory, IncidentID: "incident-" + factory}),
				b.Enqueue(t.Context(), state.Item{Key: "signal/" + factory, Dest: "desk", Factory: factory, Kind: "signal", Ref: "signal-" + factory, Created: at(1)}),
				b.Enqueue(t.Context(), state.Item{Key: "command/" + factory, Dest: "gateway", Factory: factory, Kind: "command", Ref: "gw-" + factory, Created: at(1)}))
		}))
	}
	return d
}

var written int64

// put writes a row as package alerts does, as far as a View reads it.
func put(t *testing.T, d *state.DB, table, factory, id string, doc any) {
	t.Helper()
	text, err := json.Marshal(doc)
	must(t, err)
	var row map[string]any
	must(t, json.Unmarshal(text, &row))
	word := func(key string) string { s, _ := row[key].(string); return s }
	written++
	point := cmp.Or(word("point"), id)
	must(t, d.Write(t.Context(), func(tx *sql.Tx) error {
		var err error
		switch table {
		case "alerts":
			_, err = tx.Exec(`INSERT INTO alerts (id, factory, point, class, state, incident, occurred_at, grouped, change, doc, work)
				VALUES (?, ?, ?, ?, ?, ?, 0, 1, ?, ?, '{}')`, id, factory, point, word("class"), word("state"), word("incident_id"), written, string(text))
		case "permits":
			_, err = tx.Exec(`INSERT INTO permits (id, factory, open, until, change, doc) VALUES (?, ?, 1, 0, ?, ?)`, id, factory, written, string(text))
		case "incidents":
			_, err = tx.Exec(`INSERT INTO incidents (id, factory, kind, state, occurred_at, change, doc)
				VALUES (?, ?, ?, ?, 0, ?, ?)`, id, factory, word("kind"), word("state"), written, string(text))
		case "notices":
			_, err = tx.Exec(`INSERT INTO notices (id, factory, incident, kind, exercise, status, occurred_at, change, doc)
				VALUES (?, ?, ?, ?, 0, ?, 0, ?, ?)`, id, factory, id, word("kind"), word("status"), written, string(text))
		}
		return err
	}))
}

// doors are all ways to read through a View. Each answers with text in which
// the name of every factory it speaks of stands.
var doors = map[string]func(ctx context.Context, v *state.View, factory string) (any, error){
	"Factories": func(ctx context.Context, v *state.View, _ string) (any, error) { return v.Factories(ctx) },
	"Sites":     func(ctx context.Context, v *state.View, _ string) (any, error) { return v.Sites(ctx) },
	"Site":      func(ctx context.Context, v *state.View, f string) (any, error) { return v.Site(ctx, f) },
	"Gateways":  func(ctx context.Context, v *state.View, _ string) (any, error) { return v.Gateways(ctx) },
	"Transitions": func(ctx context.Context, v *state.View, f string) (any, error) {
		return v.Transitions(ctx, "point-"+f, "", 0)
	},
	"Alerts": func(ctx context.Context, v *state.View, _ string) (any, error) {
		return v.Alerts(ctx, state.AlertFilter{}, "", 0)
	},
	"Alert": func(ctx context.Context, v *state.View, f string) (any, error) { return v.Alert(ctx, "alert-"+f) },
	"Incidents": func(ctx context.Context, v *state.View, _ string) (any, error) {
		return v.Incidents(ctx, state.IncidentFilter{}, "", 0)
	},
	"Incident": func(ctx context.Context, v *state.View, f string) (any, error) {
		return v.Incident(ctx, "incident-"+f)
	},
	"Notices": func(ctx context.Context, v *state.View, _ string) (any, error) {
		return v.Notices(ctx, state.NoticeFilter{}, "", 0)
	},
	"Notice": func(ctx context.Context, v *state.View, f string) (any, error) { return v.Notice(ctx, "notice-"+f) },
	"Permits": func(ctx context.Context, v *state.View, _ string) (any, error) {
		return v.Permits(ctx, state.PermitFilter{Open: true}, "", 0)
	},
	"Permit": func(ctx context.Context, v *state.View, f string) (any, error) { return v.Permit(ctx, "permit-"+f) },
	"Happened": func(ctx context.Context, v *state.View, f string) (any, error) {
		return v.Happened(ctx, "incident-"+f, at(0), at(10), 10)
	},
	"Evidence": func(ctx context.Context, v *state.View, f string) (any, error) {
		pieces, err := v.Evidence(ctx, "incident-"+f, at(0), time.Now(), 3, true)
		leaves := []string{}
		for _, p := range pieces {
			leaves = append(leaves, string(p.Leaf), string(p.Open), string(p.Full))
		}
		return leaves, err
	},
	"Resets":  func(ctx context.Context, v *state.View, f string) (any, error) { return v.Resets(ctx, "incident-"+f) },
	"Signals": func(ctx context.Context, v *state.View, f string) (any, error) { return v.Signals(ctx, "incident-"+f) },
	"Undelivered": func(ctx context.Context, v *state.View, f string) (any, error) {
		return v.Undelivered(ctx, "incident-"+f)
	},
}

// naming are the doors that name one thing: another tenant's does not exist.
// listing are those that list what belongs to one thing.
var (
	naming  = []string{"Site", "Alert", "Incident", "Notice", "Permit", "Evidence"}
	listing = []string{"Transitions", "Happened", "Resets", "Signals", "Undelivered"}
)

func TestEveryDoorIsTested(t *testing.T) {
	for method := range reflect.TypeFor[*state.View]().Methods() {
		if doors[method.Name] == nil {
			t.Errorf("View.%s is not among the doors of this test", method.Name)
		}
	}
}

func TestTenants(t *testing.T) {
	d := tenants(t)
	people := []struct {
		name string
		user state.User
		sees []string
	}{
		{"committee of padma", state.User{Role: state.Committee, Factory: "padma"}, []string{"padma"}},
		{"installer of meghna", state.User{Role: state.Installer, Factory: "meghna"}, []string{"meghna"}},
		{"officer of gazipur", state.User{Role: state.Officer, Office: "gazipur"}, []string{"padma"}},
		{"officer of an office without factories", state.User{Role: state.Officer, Office: "khulna"}, nil},
		{"officer who names a factory", state.User{Role: state.Officer, Factory: "padma"}, nil},
		{"committee that names an office", state.User{Role: state.Committee, Office: "gazipur"}, nil},
		{"inspector", state.User{Role: state.Inspector, Factory: "padma", Office: "gazipur"}, nil},
		{"nobody", state.User{}, nil},
		{"unheard-of role", state.User{Role: "owner", Factory: "padma", Office: "gazipur"}, nil},
		{"quoting", state.User{Role: state.Committee, Factory: "' OR '1'='1"}, nil},
	}
	for _, person := range people {
		view := d.As(state.Viewer{User: person.user})
		for door, read := range doors {
			for _, factory := range []string{"padma", "meghna"} {
				answer, err := read(t.Context(), view, factory)
				if denied := slices.Contains(naming, door) && !slices.Contains(person.sees, factory); denied != errors.Is(err, safety.ErrNotFound) {
					t.Errorf("%s, %s(%s): error %v", person.name, door, factory, err)
				}
				shown := strings.Contains(fmt.Sprintf("%+v", answer), factory)
				asked := slices.Contains(naming, door) || slices.Contains(listing, door)
				if may := slices.Contains(person.sees, factory); shown && !may || !shown && may && (asked || err == nil) {
					t.Errorf("%s, %s(%s): shown %v, may see %v: %+v", person.name, door, factory, shown, may, answer)
				}
			}
		}
	}
}

func TestFactoryMovesToAnotherOffice(t *testing.T) {
	d := tenants(t)
	dhaka := d.As(state.Viewer{User: state.User{Role: state.Officer, Office: "dhaka"}})
	gazipur := d.As(state.Viewer{User: state.User{Role: state.Officer, Office: "gazipur"}})
	site, err := d.Site(t.Context(), "padma")
	must(t, err)
	site.Factory.Office.Value = "dhaka"
	_, err = d.ImportSite(t.Context(), site, at(1))
	must(t, err)
	if _, err := dhaka.Alert(t.Context(), "alert-padma"); err != nil {
		t.Errorf("the new office does not see the alert: %v", err)
	}
	if _, err := gazipur.Alert(t.Context(), "alert-padma"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("the old office still sees the alert: %v", err)
	}
}

func TestGatewayNeverHeard(t *testing.T) {
	d := tenants(t)
	v := d.As(state.Viewer{User: state.User{Role: state.Committee, Factory: "padma"}})
	for _, want := range []bool{false, true} {
		got, err := v.Gateways(t.Context())
		if err != nil || len(got) != 1 || got[0].ID != "gw-padma" || got[0].Online != want || got[0].At.IsZero() == want {
			t.Errorf("heard %v: %+v, %v", want, got, err)
		}
		must(t, d.SetPresence(t.Context(), state.GatewayStatus{Factory: "padma", ID: "gw-padma", Online: true, At: at(3)}))
	}
}

func TestUndeliveredEndsWithTheAnswer(t *testing.T) {
	d := tenants(t)
	v := d.As(state.Viewer{User: state.User{Role: state.Officer, Office: "gazipur"}})
	waiting, err := v.Undelivered(t.Context(), "incident-padma")
	if err != nil || len(waiting) != 1 || waiting[0].Ref != "signal-padma" {
		t.Fatalf("%+v, %v", waiting, err)
	}
	must(t, d.Book(t.Context(), func(b *state.Book) error {
		_, err := b.Finish(t.Context(), waiting[0].Seq, state.Done, "DEMO-1")
		return err
	}))
	if waiting, err = v.Undelivered(t.Context(), "incident-padma"); err != nil || len(waiting) != 0 {
		t.Errorf("after the receipt: %+v, %v", waiting, err)
	}
}

func TestPages(t *testing.T) {
	d := open(t, t.TempDir())
	v := d.As(state.Viewer{User: state.User{Role: state.Committee, Factory: "padma"}})
	empty, err := v.Alerts(t.Context(), state.AlertFilter{}, "", 0)
	must(t, err)
	if text, _ := json.Marshal(empty); string(text) != `{"items":[],"next":null}` {
		t.Errorf("an empty list is %s", text)
	}
	for i := range 7 {
		a := safety.Alert{ID: fmt.Sprintf("A%d", i), FactoryID: "padma", State: safety.Acknowledged}
		if i%2 == 0 {
			a.State = safety.Cleared
		}
		put(t, d, "alerts", "padma", a.ID, a)
		put(t, d, "alerts", "meghna", a.ID+"-other", a)
	}
	read := func(f state.AlertFilter, limit int) (ids string, pages int) {
		for cursor := ""; ; pages++ {
			p, err := v.Alerts(t.Context(), f, cursor, limit)
			must(t, err)
			for _, a := range p.Items {
				ids += a.ID + " "
			}
			if p.Next == nil {
				return ids, pages + 1
			}
			cursor = *p.Next
		}
	}
	for _, test := range []struct {
		filter state.AlertFilter
		limit  int
		ids    string
		pages  int
	}{
		{state.AlertFilter{}, 0, "A6 A5 A4 A3 A2 A1 A0 ", 1},
		{state.AlertFilter{}, 7, "A6 A5 A4 A3 A2 A1 A0 ", 1},
		{state.AlertFilter{}, 3, "A6 A5 A4 A3 A2 A1 A0 ", 3},
		{state.AlertFilter{Open: true}, 2, "A5 A3 A1 ", 2},
		{state.AlertFilter{State: safety.Cleared, Factory: "padma"}, 9999, "A6 A4 A2 A0 ", 1},
		{state.AlertFilter{Factory: "meghna"}, 0, "", 1},
	} {
		if ids, pages := read(test.filter, test.limit); ids != test.ids || pages != test.pages {
			t.Errorf("%+v by %d: %q in %d pages, want %q in %d", test.filter, test.limit, ids, pages, test.ids, test.pages)
		}
	}
}

func TestTransitionPages(t *testing.T) {
	d := open(t, t.TempDir())
	v := d.As(state.Viewer{User: state.User{Role: state.Committee, Factory: "padma"}})
	must(t, d.CommitBatch(t.Context(), state.Batch{Transitions: []safety.Transition{transition(1), transition(2), transition(3)}}))
	first, err := v.Transitions(t.Context(), "p1", "", 2)
	must(t, err)
	if len(first.Items) != 2 || first.Items[0].Seq != 3 || first.Next == nil {
		t.Fatalf("first page %+v", first)
	}
	second, err := v.Transitions(t.Context(), "p1", *first.Next, 2)
	if err != nil || len(second.Items) != 1 || second.Items[0].Seq != 1 || second.Next != nil {
		t.Errorf("second page %+v, %v", second, err)
	}
	if _, err := v.Transitions(t.Context(), "p1", "yesterday", 2); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("a cursor that is none: %v", err)
	}
}
