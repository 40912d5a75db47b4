package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"nirapod/desk"
	"nirapod/safety"
	"nirapod/state"
)

const (
	officersToken = "officers-token-0123456"
	filersToken   = "filers-token-012345678"
)

// caseOf is the incident that the desk knows of each factory.
var caseOf = map[string]string{"a": "01JD8Z3V5N000000000000000A", "b": "01JD8Z3V5N000000000000000B"}

// deskBench is a real desk with a signal of each factory.
type deskBench struct {
	url  string
	stop func()
}

func newDesk(t *testing.T) *deskBench {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := desk.New(t.Context(), desk.Config{
		Listener: l, Dir: t.TempDir(),
		Senders:  []desk.Sender{{Name: "server", Token: filersToken}},
		Officers: []desk.Officer{{Name: "dashboard", Token: officersToken, OneOffice: true}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { _ = d.Run(ctx); close(done) }()
	b := &deskBench{url: "http://" + l.Addr().String(), stop: func() { cancel(); <-done }}
	t.Cleanup(b.stop)
	for _, f := range []string{"a", "b"} {
		b.file(t, signalOf(f))
	}
	return b
}

func signalOf(factory string) safety.Filing {
	id := "01JD8Z3V5N000000000000001" + strings.ToUpper(factory)
	return safety.Filing{ID: id, Version: 1, Signal: &safety.Signal{
		ID: id, IncidentID: caseOf[factory], IncidentKind: "fire", FactoryID: factory, Office: "office-" + factory,
		Factory:    safety.Name{BN: "কারখানা", EN: "Factory " + factory},
		Confidence: "call_point", OccurredAt: noon, CreatedAt: noon, Status: safety.NoticePrepared,
	}}
}

func (b *deskBench) file(t *testing.T, f safety.Filing) {
	t.Helper()
	doc, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	kind := "signals"
	if f.Notice != nil {
		kind = "notices"
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/v1/"+kind, bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+filersToken)
	req.Header.Set("Content-Type", "application/json")
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if text, _ := io.ReadAll(got.Body); got.StatusCode != http.StatusOK {
		t.Fatalf("the desk answered %d %s", got.StatusCode, text)
	}
}

func read[T any](t *testing.T, b *bench, who, method, path string) T {
	t.Helper()
	status, text := b.as(t, who, method, path)
	var v T
	if err := json.Unmarshal([]byte(text), &v); status != http.StatusOK || err != nil {
		t.Fatalf("%s %s by %s: %d %s %v", method, path, who, status, text, err)
	}
	return v
}

// An officer reads the cases of one office, and the first to look stays first.
func TestOfficersReadTheDesk(t *testing.T) {
	b := newBench(t)
	page := read[state.Page[safety.Case]](t, b, "officer-a", "GET", "/api/v1/desk/queue")
	if len(page.Items) != 1 || page.Items[0].IncidentID != caseOf["a"] || page.Items[0].Urgency != safety.UrgencyCallPoint || page.Next != nil {
		t.Fatalf("queue %+v", page)
	}
	seen := read[safety.Case](t, b, "officer-a", "POST", "/api/v1/desk/cases/"+caseOf["a"]+"/seen")
	if seen.SeenBy != "officer-a" || seen.SeenAt == nil {
		t.Errorf("seen %+v", seen)
	}
	file := read[caseFile](t, b, "officer-a", "GET", "/api/v1/desk/cases/"+caseOf["a"])
	if len(file.Filings) != 1 || file.Case.SeenBy != "officer-a" || !strings.Contains(string(file.Filings[0].Doc), `"signal":{`) {
		t.Errorf("case %+v", file)
	}
	_, text := b.as(t, "officer-a", "GET", "/api/v1/desk/queue")
	for _, member := range []string{`"items":[{"incident_id":"`, `"factory":{"bn":"কারখানা"`, `"place":[]`, `"due_at":null`, `"notice_kind":""`, `"next":null`} {
		if !strings.Contains(text, member) {
			t.Errorf("%s lacks %s", text, member)
		}
	}
}

// Whatever an officer of another office tries, the case does not exist: the
// office is the login's and not the request's.
func TestAnotherOfficesCasesDoNotExist(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{
		"/api/v1/desk/queue?office=office-a", "/api/v1/desk/queue?office=", "/api/v1/desk/queue?cursor=0%26office%3Doffice-a",
		"/api/v1/desk/cases/" + caseOf["a"], "/api/v1/desk/cases/" + caseOf["a"] + "?office=office-a",
		"/api/v1/desk/cases/" + caseOf["a"] + "%3Foffice=office-a", "/api/v1/desk/cases/..%2Fcases%2F" + caseOf["a"],
		"/api/v1/desk/cases/" + caseOf["a"] + "?exercise=false%26office=office-a",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if method == http.MethodPost {
				path, _, _ = strings.Cut(path, "?")
				path += "/seen?office=office-a"
			}
			if status, text := b.as(t, "officer-b", method, path); belongs(text, "a") || status == http.StatusBadGateway {
				t.Errorf("%s %s: %d %s", method, path, status, text)
			}
		}
	}
	if page := read[state.Page[safety.Case]](t, b, "officer-a", "GET", "/api/v1/desk/queue"); page.Items[0].SeenBy != "" {
		t.Errorf("seen by %s", page.Items[0].SeenBy)
	}
}

// A desk that answers with more than it was asked for is not believed, and one
// that gives no answer is not taken for an empty one.
func TestADeskThatFails(t *testing.T) {
	b := newBench(t)
	cases := []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"another office's case", func(w http.ResponseWriter, _ *http.Request) {
			c := safety.Case{IncidentID: caseOf["b"], FactoryID: "b", Office: "office-b"}
			_ = json.NewEncoder(w).Encode(map[string]any{"items": []safety.Case{c}, "next": nil, "case": c, "dife_office": "office-b"})
		}},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
		{"a token that it does not know", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }},
		{"a page of another program", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, b.desk.url, http.StatusFound) }},
	}
	ask := func(t *testing.T) {
		t.Helper()
		for _, path := range []string{"/api/v1/desk/queue", "/api/v1/desk/cases/" + caseOf["a"]} {
			status, text := b.as(t, "officer-a", http.MethodGet, path)
			if status != http.StatusBadGateway || !strings.Contains(text, "ডেস্ক") || !strings.Contains(text, "DIFE's desk") || belongs(text, "b") {
				t.Errorf("GET %s: %d %s", path, status, text)
			}
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			fake := httptest.NewServer(c.answer)
			defer fake.Close()
			b.Server.desk.url = fake.URL
			ask(t)
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		b.desk.stop()
		b.Server.desk.url = b.desk.url
		ask(t)
	})
	t.Run("no desk at all", func(t *testing.T) {
		b.Server.desk.url = ""
		ask(t)
	})
}

// Without an office nothing is asked.
func TestNoOfficeAsksNothing(t *testing.T) {
	asked := false
	fake := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer fake.Close()
	client := newDeskClient(Config{DeskURL: fake.URL, DeskToken: officersToken})
	err := client.ask(t.Context(), question{method: http.MethodGet, path: "/v1/cases", query: url.Values{}}, nil)
	if err == nil || asked {
		t.Errorf("asked %t, %v", asked, err)
	}
}
