package permit_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nirapod/permit"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
)

// ten is 10:00 in Dhaka on a working Monday.
var ten = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// plant is a factory whose shift ends at 17:00, with a head of each kind.
func plant(factory string) safety.Site {
	sensor := func(id, zone string, q safety.Quantity, class string) safety.Sensor {
		return safety.Sensor{
			ID: id, Gateway: "gw-1", Zone: zone, Quantity: q, Class: class, Grade: safety.Industrial,
			Period: time.Second, LifeSafety: true,
		}
	}
	return safety.Site{
		Version: 1,
		Factory: safety.Factory{
			ID: factory, WeeklyHoliday: "friday",
			Shifts: []safety.Shift{{ID: "day", From: "08:00", To: "17:00"}},
		},
		Zones:    []safety.Zone{{ID: "hall", Floor: "f1", Height: 3, NormalMax: 40}, {ID: "store", Floor: "f1", Height: 3, NormalMax: 40}},
		Exits:    []safety.Exit{{ID: "door", From: "hall", To: "outside", Sensor: "door"}},
		Gateways: []safety.Gateway{{ID: "gw-1"}},
		Sensors: []safety.Sensor{
			sensor("smoke-1", "hall", safety.Smoke, ""), sensor("smoke-2", "hall", safety.Smoke, ""), sensor("smoke-3", "store", safety.Smoke, ""),
			sensor("heat", "hall", safety.Temperature, "A1S"), sensor("lel", "hall", safety.LEL, ""), sensor("co", "hall", safety.CO, ""),
			sensor("call", "hall", safety.CallPoint, ""), sensor("door", "hall", safety.DoorOpen, ""),
		},
	}
}

func office(t *testing.T) (*permit.Office, *state.DB) {
	t.Helper()
	db, err := state.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, f := range []string{"padma", "meghna"} {
		if _, err := db.ImportSite(t.Context(), plant(f), ten); err != nil {
			t.Fatal(err)
		}
	}
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	return permit.NewOffice(db, packs), db
}

func welding(sensors ...string) permit.Request {
	return permit.Request{
		Work: safety.HotWork, Zone: "hall", Sensors: sensors, Until: ten.Add(2 * time.Hour),
		IssuedBy: "Rahim", AcceptedBy: "Salma", Watch: "Karim", Reason: "welding a rail at the north wall",
	}
}

func TestWhatTheRulesRefuseIsRefusedAtTheDoor(t *testing.T) {
	o, db := office(t)
	for _, c := range []struct {
		name string
		with func(*permit.Request)
		kind error
		want string
	}{
		{"a call point", func(r *permit.Request) { r.Sensors = []string{"smoke-1", "call"} }, safety.ErrInvalid, "leave it out"},
		{"a door", func(r *permit.Request) { r.Sensors = []string{"door"} }, safety.ErrInvalid, "leave it out"},
		{"heat without a rise", func(r *permit.Request) { r.Work, r.Sensors = safety.Painting, []string{"heat"} }, safety.ErrInvalid, "static heat"},
		{"poisonous gas", func(r *permit.Request) { r.Work, r.Sensors = safety.Painting, []string{"co"} }, safety.ErrInvalid, "second gas stage"},
		{"another zone", func(r *permit.Request) { r.Sensors = []string{"smoke-3"} }, safety.ErrInvalid, "a permit for each zone"},
		{"a sensor that is none", func(r *permit.Request) { r.Sensors = []string{"ghost"} }, safety.ErrNotFound, "none of that name"},
		{"no sensor", func(r *permit.Request) { r.Sensors = nil }, safety.ErrInvalid, "name the zone and the sensors"},
		{"more than four hours", func(r *permit.Request) { r.Until = ten.Add(4*time.Hour + time.Second) }, safety.ErrInvalid, "open another when it is over"},
		{"an end before its begin", func(r *permit.Request) { r.Until = ten }, safety.ErrInvalid, "end"},
		{"one name twice", func(r *permit.Request) { r.AcceptedBy = " rahim " }, safety.ErrInvalid, "two people"},
		{"nobody watches", func(r *permit.Request) { r.Watch = " " }, safety.ErrInvalid, "fire watch"},
		{"no reason", func(r *permit.Request) { r.Reason = "" }, safety.ErrInvalid, "reason"},
		{"a name as long as a book", func(r *permit.Request) { r.Watch = strings.Repeat("x", 201) }, safety.ErrInvalid, "200 bytes"},
		{"work that is none", func(r *permit.Request) { r.Work = "cooking" }, safety.ErrInvalid, "is no work"},
	} {
		r := welding("smoke-1")
		c.with(&r)
		_, err := o.Open(t.Context(), "padma", "committee", r, ten)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := o.Open(t.Context(), "jamuna", "committee", welding("smoke-1"), ten); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("a factory that is none: %v", err)
	}
	if acts, err := db.PermitActsAfter(t.Context(), 0, 10); err != nil || len(acts) > 0 {
		t.Errorf("something was kept of what was refused: %v %v", acts, err)
	}
}

func TestAPermitEndsWithTheShift(t *testing.T) {
	o, _ := office(t)
	r := welding("smoke-1")
	three := ten.Add(5 * time.Hour)
	r.Until = three.Add(4 * time.Hour)
	got, err := o.Open(t.Context(), "padma", "committee", r, three)
	if want := ten.Add(7 * time.Hour); err != nil || !got.Until.Equal(want) {
		t.Errorf("until %v, want the end of the shift, %v: %v", got.Until, want, err)
	}
}

func TestFromOpeningToTheLastTest(t *testing.T) {
	o, db := office(t)
	ctx := t.Context()
	p, err := o.Open(ctx, "padma", "committee", welding("smoke-1", "smoke-2"), ten)
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Open(ctx, "padma", "committee", welding("smoke-2", "lel"), ten.Add(time.Minute))
	if !errors.Is(err, safety.ErrInvalid) { // hot work covers no gas
		t.Errorf("gas under hot work: %v", err)
	}
	if _, err := o.Open(ctx, "padma", "committee", welding("smoke-2"), ten.Add(time.Minute)); !errors.Is(err, safety.ErrConflict) || !strings.Contains(err.Error(), "end that one first") {
		t.Errorf("a second permit for the same sensor: %v", err)
	}
	if _, err := o.Open(ctx, "meghna", "committee", welding("smoke-2"), ten.Add(time.Minute)); err != nil {
		t.Errorf("the same sensor id of another factory: %v", err)
	}
	if _, err := o.Tested(ctx, "padma", "smoke-1", "installer", ten.Add(time.Minute)); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("a test while it stands: %v", err)
	}
	if _, err := o.End(ctx, "meghna", p.ID, "committee", ten.Add(time.Hour)); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("another factory ends it: %v", err)
	}
	if _, err := o.End(ctx, "padma", p.ID, "committee", ten.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := o.End(ctx, "padma", p.ID, "committee", ten.Add(2*time.Hour)); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("ended twice: %v", err)
	}
	for _, id := range []string{"smoke-1", "smoke-2"} {
		if done, err := o.Tested(ctx, "padma", id, "installer", ten.Add(3*time.Hour)); err != nil || len(done) != 1 {
			t.Errorf("%s: %v %v", id, done, err)
		}
	}
	if _, err := o.Tested(ctx, "padma", "smoke-1", "installer", ten.Add(3*time.Hour)); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("tested twice: %v", err)
	}
	open, err := db.PermitsSince(ctx, "padma", ten.Add(24*time.Hour))
	if err != nil || len(open) > 0 {
		t.Errorf("still open: %v %v", open, err)
	}
	checkActs(t, db, p)
}

func checkActs(t *testing.T, db *state.DB, p safety.PermitRecord) {
	t.Helper()
	acts, err := db.PermitActsAfter(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, a := range acts {
		if a.Factory == "padma" {
			said = append(said, string(a.Kind)+" "+a.Sensor+" by "+a.By)
		}
	}
	want := []string{"opened  by committee", "ended  by committee", "tested smoke-1 by installer", "tested smoke-2 by installer"}
	if !slices.Equal(said, want) {
		t.Errorf("acts %q, want %q", said, want)
	}
	if got := acts[0].Permit; got.Watch != "Karim" || !slices.Equal(got.Sensors, p.Sensors) || !got.Until.Equal(p.Until) {
		t.Errorf("the act of opening holds %+v", got)
	}
}

// Two people at two screens: one of them is refused.
func TestTwoPermitsForOneSensorAtOnce(t *testing.T) {
	o, _ := office(t)
	var taken sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		taken.Go(func() { _, errs[i] = o.Open(t.Context(), "padma", "committee", welding("smoke-1"), ten) })
	}
	taken.Wait()
	stood := 0
	for _, err := range errs {
		switch {
		case err == nil:
			stood++
		case !errors.Is(err, safety.ErrConflict):
			t.Error(err)
		}
	}
	if stood != 1 {
		t.Errorf("%d permits isolate one sensor", stood)
	}
}
