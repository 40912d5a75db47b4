package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"nirapod/desk"
	"nirapod/safety"
)

const (
	padmaToken   = "padma-token-0123456789"
	meghnaToken  = "meghna-token-012345678"
	officerToken = "officer-token-01234567"
	otherOfficer = "dhaka-officer-token-01"
	headOffice   = "head-office-token-0123"
	pagesToken   = "pages-of-many-token-01"

	signalID = "01JD8Z3V5N0000000000000001"
	noticeID = "01JD8Z3V5N0000000000000002"
	incident = "01JD8Z3V5N0000000000000009"
)

var noon = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// running is a desk that serves on loopback.
type running struct {
	t    *testing.T
	dir  string
	url  string
	stop func()
}

func serve(t *testing.T, dir string) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := desk.New(t.Context(), desk.Config{
		Listener: l, Dir: dir,
		Senders: []desk.Sender{
			{Name: "padma-server", Token: padmaToken, Factories: []string{"padma"}},
			{Name: "data-centre", Token: meghnaToken},
		},
		Officers: []desk.Officer{
			{Name: "gazipur", Token: officerToken, Offices: []string{"gazipur"}},
			{Name: "dhaka", Token: otherOfficer, Offices: []string{"dhaka"}},
			{Name: "head-office", Token: headOffice},
			{Name: "pages", Token: pagesToken, OneOffice: true},
		},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	var once sync.Once
	r := &running{t: t, dir: dir, url: "http://" + l.Addr().String()}
	r.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Run returned %v", err)
			}
		})
	}
	t.Cleanup(r.stop)
	return r
}

func signal() safety.Filing {
	return safety.Filing{ID: signalID, Version: 1, Signal: &safety.Signal{
		ID: signalID, IncidentID: incident, IncidentKind: "fire", FactoryID: "padma", Office: "gazipur",
		Exercise: true, OccurredAt: noon, RaisedAt: noon, CreatedAt: noon, Status: safety.NoticePrepared,
	}}
}

func notice() safety.Filing {
	return safety.Filing{ID: noticeID, Version: 1, Notice: &safety.Notice{
		ID: noticeID, IncidentID: incident, IncidentKind: "fire", Kind: "immediate", FactoryID: "padma",
		OccurredAt: noon, AwareAt: noon, CreatedAt: noon, Status: safety.NoticePrepared,
		Body: safety.NoticeBody{Office: "gazipur", Factory: safety.Name{BN: "পদ্মা", EN: "Padma"}},
	}}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (r *running) do(method, path, token, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (r *running) receipt(path, body string) safety.Receipt {
	r.t.Helper()
	status, text := r.do(http.MethodPost, path, padmaToken, body)
	if status != http.StatusOK {
		r.t.Fatalf("POST %s: %d %s", path, status, text)
	}
	var got safety.Receipt
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		r.t.Fatal(err)
	}
	return got
}

func TestReceiptNumbers(t *testing.T) {
	r := serve(t, t.TempDir())
	year := time.Now().In(time.FixedZone("", 6*3600)).Year()
	id := 10
	cases := []struct {
		name   string
		change func(*safety.Notice)
		want   string
	}{
		{"a real notice is numbered by its office", func(*safety.Notice) {}, "GAZIPUR-%d-000001"},
		{"the next one of that office counts on", func(*safety.Notice) {}, "GAZIPUR-%d-000002"},
		{"a demonstration factory gets DEMO", func(n *safety.Notice) { n.Body.Demo = true }, "DEMO-%d-000001"},
		{"simulated evidence of a demonstration factory too", func(n *safety.Notice) { n.Body.Demo, n.Exercise = true, true }, "DEMO-%d-000002"},
		{"an exercise elsewhere gets EX", func(n *safety.Notice) { n.Exercise = true }, "EX-%d-000001"},
		{"an unknown office is the department's", func(n *safety.Notice) { n.Body.Office = "" }, "DIFE-%d-000001"},
		{"no office can pose as an exercise", func(n *safety.Notice) { n.Body.Office = "demo" }, "DIFE-%d-000002"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := notice()
			id++
			f.ID = fmt.Sprintf("01JD8Z3V5N00000000000000%02d", id)
			f.Notice.ID = f.ID
			c.change(f.Notice)
			if got, want := r.receipt("/v1/notices", encode(t, f)).Number, fmt.Sprintf(c.want, year); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestSameFilingSameReceipt(t *testing.T) {
	dir := t.TempDir()
	r := serve(t, dir)
	first := r.receipt("/v1/notices", encode(t, notice()))
	if first.ID != noticeID || first.Version != 1 || first.ReceivedAt.IsZero() {
		t.Fatalf("receipt %+v", first)
	}
	spaced := &bytes.Buffer{}
	if err := json.Indent(spaced, []byte(encode(t, notice())), "", "   "); err != nil {
		t.Fatal(err)
	}
	if again := r.receipt("/v1/notices", spaced.String()); again != first {
		t.Errorf("spelled otherwise: got %+v, want %+v", again, first)
	}
	r.stop()
	r = serve(t, dir)
	if again := r.receipt("/v1/notices", encode(t, notice())); again != first {
		t.Errorf("after a restart: got %+v, want %+v", again, first)
	}
	second := notice()
	second.Version = 2
	second.Notice.Body.Men = 12
	if got := r.receipt("/v1/notices", encode(t, second)); got.Number != first.Number {
		t.Errorf("a new version got number %s, want %s", got.Number, first.Number)
	}
	other := notice()
	other.Notice.Body.Men = 13
	if status, text := r.do(http.MethodPost, "/v1/notices", padmaToken, encode(t, other)); status != http.StatusConflict {
		t.Errorf("another content: %d %s", status, text)
	}
	exercise := notice()
	exercise.Version, exercise.Notice.Exercise = 3, true
	if status, text := r.do(http.MethodPost, "/v1/notices", padmaToken, encode(t, exercise)); status != http.StatusConflict {
		t.Errorf("a real notice that became an exercise: %d %s", status, text)
	}
	if status, _ := r.do(http.MethodPost, "/v1/notices", meghnaToken, encode(t, notice())); status != http.StatusConflict {
		t.Errorf("another sender's id: %d", status)
	}
}

func TestManyAtOnceGetOneNumber(t *testing.T) {
	r := serve(t, t.TempDir())
	body := encode(t, signal())
	numbers := make(chan string, 20)
	var wg sync.WaitGroup
	for range cap(numbers) {
		wg.Go(func() { numbers <- r.receipt("/v1/signals", body).Number })
	}
	wg.Wait()
	close(numbers)
	seen := map[string]bool{}
	for n := range numbers {
		seen[n] = true
	}
	if len(seen) != 1 {
		t.Errorf("numbers %v", seen)
	}
}

func TestHostileFilings(t *testing.T) {
	r := serve(t, t.TempDir())
	change := func(fn func(*safety.Filing)) string {
		f := notice()
		fn(&f)
		return encode(t, f)
	}
	good := encode(t, notice())
	cases := []struct {
		name  string
		path  string
		token string
		body  string
		want  int
	}{
		{"no token", "/v1/notices", "", good, 401},
		{"an officer's token does not file", "/v1/notices", officerToken, good, 401},
		{"a token that is nearly right", "/v1/notices", padmaToken[:len(padmaToken)-1], good, 401},
		{"an empty body", "/v1/notices", padmaToken, "", 400},
		{"no JSON", "/v1/notices", padmaToken, "<notice/>", 400},
		{"an array", "/v1/notices", padmaToken, "[" + good + "]", 400},
		{"two filings", "/v1/notices", padmaToken, good + good, 400},
		{"a notice at the signals' door", "/v1/signals", padmaToken, good, 400},
		{"a signal at the notices' door", "/v1/notices", padmaToken, encode(t, signal()), 400},
		{"both in one", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Signal = signal().Signal }), 400},
		{"too large", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Notice.Body.Shift = strings.Repeat("x", 600<<10) }), 413},
		{"deeply nested", "/v1/notices", padmaToken, strings.Repeat("[", 200000), 400},
		{"an id that is no ULID", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.ID, f.Notice.ID = "1'; DROP TABLE filings", "1'; DROP TABLE filings" }), 400},
		{"an id that differs inside", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.ID = signalID }), 400},
		{"version zero", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Version = 0 }), 400},
		{"a factory of odd letters", "/v1/notices", meghnaToken, change(func(f *safety.Filing) { f.Notice.FactoryID = "../padma" }), 400},
		{"somebody else's factory", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Notice.FactoryID = "meghna" }), 403},
		{"a crowd is no accident", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Notice.IncidentKind = "crowd" }), 400},
		{"a locked exit is no accident", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Notice.IncidentKind = "exit" }), 400},
		{"a notice that claims to be received", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Notice.Status = safety.NoticeReceived }), 400},
		{"a notice that brings its own receipt", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Notice.ReceiptNumber = "GAZIPUR-2026-000001" }), 400},
		{"no time", "/v1/notices", padmaToken, change(func(f *safety.Filing) { f.Notice.OccurredAt = time.Time{} }), 400},
		{"no such door", "/v1/reports", padmaToken, good, 404},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, text := r.do(http.MethodPost, c.path, c.token, c.body)
			if status != c.want {
				t.Errorf("got %d %s, want %d", status, text, c.want)
			}
			if strings.Contains(text, padmaToken[:8]) {
				t.Errorf("the answer gives a token away: %s", text)
			}
		})
	}
	if status, text := r.do(http.MethodGet, "/v1/queue", officerToken, ""); status != 200 || !strings.Contains(text, `"items":[]`) {
		t.Errorf("something was kept: %d %s", status, text)
	}
}

// A newer server may say more than this desk knows: a fire is taken all the same.
func TestANewerSendersFilingIsTaken(t *testing.T) {
	r := serve(t, t.TempDir())
	text := strings.Replace(encode(t, notice()), `"notice":{`, `"notice":{"wind":{"from":"north"},`, 1)
	status, answer := r.do(http.MethodPost, "/v1/notices", padmaToken, `{"x":1,`+text[1:])
	if status != 200 || !strings.Contains(answer, "GAZIPUR-") {
		t.Errorf("got %d %s", status, answer)
	}
}

func TestQueueShowsAnOfficeItsOwn(t *testing.T) {
	r := serve(t, t.TempDir())
	r.receipt("/v1/signals", encode(t, signal()))
	r.receipt("/v1/notices", encode(t, notice()))
	var page struct {
		Items []desk.Item `json:"items"`
		Next  *string     `json:"next"`
	}
	status, text := r.do(http.MethodGet, "/v1/queue", officerToken, "")
	if err := json.Unmarshal([]byte(text), &page); status != 200 || err != nil {
		t.Fatal(status, text, err)
	}
	if len(page.Items) != 2 || page.Items[0].ID != noticeID || page.Items[1].Kind != "signal" || page.Next != nil {
		t.Errorf("queue %+v", page)
	}
	if status, text := r.do(http.MethodGet, "/v1/filings/"+noticeID, officerToken, ""); status != 200 || !strings.Contains(text, "পদ্মা") {
		t.Errorf("filing: %d %s", status, text)
	}
	for _, path := range []string{"/v1/queue", "/v1/filings/" + noticeID} {
		status, text := r.do(http.MethodGet, path, otherOfficer, "")
		if strings.Contains(text, noticeID) {
			t.Errorf("GET %s by another office: %d %s", path, status, text)
		}
		if status, _ := r.do(http.MethodGet, path, padmaToken, ""); status != 401 {
			t.Errorf("GET %s by a sender: %d", path, status)
		}
	}
	if status, _ := r.do(http.MethodGet, "/v1/queue?cursor=x", officerToken, ""); status != 400 {
		t.Errorf("a cursor that is none: %d", status)
	}
}

func TestNewNamesAllMistakes(t *testing.T) {
	_, err := desk.New(t.Context(), desk.Config{
		Dir:      t.TempDir(),
		Senders:  []desk.Sender{{Name: "a", Token: "short"}, {Name: "b", Token: padmaToken}},
		Officers: []desk.Officer{{Name: "c", Token: padmaToken}},
	}, slog.New(slog.DiscardHandler))
	if !errors.Is(err, safety.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"listener", `"a"`, `"c"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
}
