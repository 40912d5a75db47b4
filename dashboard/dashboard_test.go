package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nirapod/alerts/ledger"
	"nirapod/internal/password"
	"nirapod/permit"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
	"nirapod/store/tsdbstore"
)

var noon = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

const secret = "a long enough password"

// people are one of each role in each of two tenants, which share nothing.
var people = []state.User{
	{Name: "committee-a", Role: state.Committee, Factory: "a"},
	{Name: "installer-a", Role: state.Installer, Factory: "a"},
	{Name: "officer-a", Role: state.Officer, Office: "office-a"},
	{Name: "committee-b", Role: state.Committee, Factory: "b"},
	{Name: "installer-b", Role: state.Installer, Factory: "b"},
	{Name: "officer-b", Role: state.Officer, Office: "office-b"},
}

func site(factory string) safety.Site {
	sensor := func(id string, q safety.Quantity) safety.Sensor {
		return safety.Sensor{ID: id, Gateway: "gw-" + factory, Zone: "hall", Quantity: q, Grade: safety.Industrial, Period: time.Second, LifeSafety: true}
	}
	heat := sensor("heat-"+factory, safety.Temperature)
	heat.Class = "A1S"
	return safety.Site{
		Version:  1,
		Factory:  safety.Factory{ID: factory, Name: safety.Name{BN: "কারখানা", EN: "Factory " + factory}, Office: safety.Fact{Value: "office-" + factory}},
		Floors:   []safety.Floor{{ID: "f1"}},
		Zones:    []safety.Zone{{ID: "hall", Floor: "f1", Height: 3, NormalMax: 40}},
		Exits:    []safety.Exit{{ID: "door", From: "hall", Sensor: "door-" + factory}},
		Gateways: []safety.Gateway{{ID: "gw-" + factory}},
		Sensors:  []safety.Sensor{heat, sensor("smoke-"+factory, safety.Smoke), sensor("door-"+factory, safety.DoorOpen)},
		Outputs:  []safety.Output{{ID: "sounder-" + factory, Gateway: "gw-" + factory, Kind: "evacuate"}, {ID: "buzzer-" + factory, Gateway: "gw-" + factory, Kind: "staff_alert"}},
	}
}

type bench struct {
	*Server
	desk   *deskBench
	db     *state.DB
	series store.Store
	now    time.Time
	acted  []string
	tokens map[string]string
}

// newBench is a server over a real state and a real series store with two
// tenants, each with one alert, incident and notice.
func newBench(t *testing.T) *bench {
	t.Helper()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	db, err := state.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	series, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(series.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	b := &bench{db: db, series: series, now: noon, tokens: map[string]string{}}
	b.seed(t)
	act := func(_ context.Context, by state.User, id string, _ time.Time) (safety.Alert, error) {
		b.acted = append(b.acted, by.Name+" "+id)
		return safety.Alert{ID: id, AcknowledgedBy: by.Name}, nil
	}
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	b.desk = newDesk(t)
	book, err := ledger.Open(db, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b.Server = New(Config{DeskURL: b.desk.url, DeskToken: officersToken}, Deps{
		DB: db, Series: series, Page: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}},
		Acknowledge: act, Reset: act, Permits: permit.NewOffice(db, packs), Ready: func() error { return nil }, Metrics: http.NotFoundHandler(), Now: func() time.Time { return b.now },
		Delays: func(safety.Site, time.Time) (v1, v2 time.Duration) { return 30 * time.Second, 3 * time.Minute },
		Head: func(ctx context.Context, factory string) (string, error) {
			head, _, err := book.Sign(ctx, factory)
			return head.Short(), err
		},
		Evidence: func(ctx context.Context, w io.Writer, by state.User, id string, full bool, purpose string) error {
			return book.Evidence(ctx, w, series, ledger.Request{User: by, Incident: id, Full: full, Purpose: purpose, At: b.now})
		},
		Paper: func(w io.Writer, n safety.Notice, lang string) error { _, err := fmt.Fprint(w, n.ID, lang); return err },
		Print: func(w io.Writer, n safety.Notice, lang string) error {
			_, err := fmt.Fprint(w, "%PDF-", n.ID, lang)
			return err
		},
	}, log)
	for _, p := range people {
		b.tokens[p.Name] = b.logIn(t, p.Name).Token
	}
	return b
}

// standing is a permit that isolates the door's neighbour for an hour.
func standing(id, factory string) safety.PermitRecord {
	return safety.PermitRecord{
		FactoryID: factory, OpenedBy: "committee-" + factory, OpenedAt: noon, Reason: "welding", Tested: []safety.PermitTest{},
		Permit: safety.Permit{
			ID: id, Work: safety.HotWork, Zone: "hall", Sensors: []string{"heat-" + factory}, From: noon, Until: noon.Add(time.Hour),
			IssuedBy: "Rahim", AcceptedBy: "Salma", Watch: "Karim",
		},
	}
}

func (b *bench) seed(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	hash := password.Hash(secret)
	for _, f := range []string{"a", "b"} {
		if _, err := b.db.ImportSite(ctx, site(f), noon); err != nil {
			t.Fatal(err)
		}
		err := b.db.Book(ctx, func(book *state.Book) error {
			return errors.Join(
				book.SaveAlert(ctx, state.Alert{Alert: safety.Alert{ID: "alert-" + f, Point: "p" + f, FactoryID: f, ZoneID: "hall", Class: safety.ClassAlarm, Severity: safety.Alarm, State: safety.Unacknowledged, OccurredAt: noon}}),
				book.ActOnPermit(ctx, state.PermitAct{Factory: f, Kind: state.PermitOpened, By: "committee-" + f, At: noon}, standing("permit-"+f, f)),
				book.SaveIncident(ctx, state.Incident{Incident: safety.Incident{ID: "incident-" + f, FactoryID: f, State: "open", OccurredAt: noon}}),
				book.SaveNotice(ctx, safety.Notice{ID: "notice-" + f, FactoryID: f, IncidentID: "incident-" + f, Kind: "immediate", Status: safety.NoticeDraft, OccurredAt: noon}))
		})
		if err != nil {
			t.Fatal(err)
		}
		sample := store.Sample{Factory: f, Gateway: "gw-" + f, Quantity: safety.Temperature, Reading: safety.Reading{Sensor: "heat-" + f, Value: 25.5, Quality: safety.Good, At: noon.Add(-2 * time.Second)}}
		if err := b.series.Append(ctx, []store.Sample{sample}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range people {
		p.PasswordHash, p.Language = hash, "bn"
		if _, err := b.db.CreateUser(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
}

type opened struct {
	Token, CSRF string
	Cookie      *http.Cookie
}

func (b *bench) logIn(t *testing.T, name string) opened {
	t.Helper()
	got := b.do(t, http.MethodPost, "/api/v1/login", map[string]string{"username": name, "password": secret}, nil)
	if got.status != http.StatusOK {
		t.Fatalf("login of %s: %d", name, got.status)
	}
	var o opened
	if err := json.Unmarshal(got.body, &o); err != nil {
		t.Fatal(err)
	}
	o.Cookie = got.cookies[0]
	return o
}

// answer is a response, read whole.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    []byte
}

func (b *bench) do(t *testing.T, method, path string, body any, header http.Header) answer {
	t.Helper()
	var in io.Reader
	if body != nil {
		doc, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		in = bytes.NewReader(doc)
	}
	req := httptest.NewRequest(method, path, in)
	req.Header.Set("Content-Type", "application/json")
	maps.Copy(req.Header, header)
	got, err := b.app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, got.Cookies(), text}
}

func (b *bench) as(t *testing.T, name, method, path string) (int, string) {
	t.Helper()
	got := b.do(t, method, path, nil, http.Header{"Authorization": {"Bearer " + b.tokens[name]}})
	return got.status, string(got.body)
}

// belongs reports whether text names anything of factory.
func belongs(text, factory string) bool {
	for _, thing := range []string{"alert-", "incident-", "notice-", "permit-", "smoke-", "heat-", "gw-", "office-", "Factory "} {
		if strings.Contains(text, thing+factory) {
			return true
		}
	}
	return strings.Contains(text, `"factory_id":"`+factory+`"`)
}
