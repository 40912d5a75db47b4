package dashboard

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestCookieSessionNeedsCSRFToChangeAnything(t *testing.T) {
	b := newBench(t)
	o := b.logIn(t, "committee-a")
	if !o.Cookie.HttpOnly || o.Cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie can be read by scripts or sent by other sites: %v", o.Cookie)
	}
	cookie := sessionCookie + "=" + o.Cookie.Value
	cases := []struct {
		name   string
		header http.Header
		want   int
	}{
		{"cookie alone", http.Header{"Cookie": {cookie}}, 403},
		{"cookie and a wrong token", http.Header{"Cookie": {cookie}, "X-Csrf-Token": {"wrong"}}, 403},
		{"cookie and the page's token", http.Header{"Cookie": {cookie}, "X-Csrf-Token": {o.CSRF}}, 200},
		{"bearer", http.Header{"Authorization": {"Bearer " + o.Token}}, 200},
		{"an empty bearer beside the cookie", http.Header{"Cookie": {cookie}, "Authorization": {"Bearer "}}, 401},
	}
	for _, c := range cases {
		if got := b.do(t, http.MethodPost, "/api/v1/alerts/alert-a/ack", map[string]string{}, c.header); got.status != c.want {
			t.Errorf("%s: %d, want %d", c.name, got.status, c.want)
		}
	}
	if got := b.do(t, http.MethodGet, "/api/v1/snapshot", nil, http.Header{"Cookie": {cookie}}); got.status != 200 {
		t.Errorf("reading with the cookie alone: %d", got.status)
	}
}

func TestSessionEnds(t *testing.T) {
	b := newBench(t)
	b.now = b.now.Add(sessionLife + time.Second)
	if status, _ := b.as(t, "committee-a", http.MethodGet, "/api/v1/me"); status != http.StatusUnauthorized {
		t.Errorf("after its life: %d", status)
	}
	b.tokens["committee-a"] = b.logIn(t, "committee-a").Token
	if status, _ := b.as(t, "committee-a", http.MethodPost, "/api/v1/logout"); status != http.StatusNoContent {
		t.Fatalf("logout: %d", status)
	}
	if status, _ := b.as(t, "committee-a", http.MethodGet, "/api/v1/me"); status != http.StatusUnauthorized {
		t.Errorf("after logout: %d", status)
	}
}

func TestWrongPasswordsAreSlowedAndForgiven(t *testing.T) {
	b := newBench(t)
	try := func(name, pw string) answer {
		return b.do(t, http.MethodPost, "/api/v1/login", map[string]string{"username": name, "password": pw}, nil)
	}
	for i := range maxFailures {
		if got := try(fmt.Sprint("nobody", i%2), "x"); got.status != http.StatusUnauthorized {
			t.Fatalf("try %d: %d", i, got.status)
		}
	}
	got := try("committee-a", secret)
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("after %d failures from one address: %d, Retry-After %q", maxFailures, got.status, got.header.Get("Retry-After"))
	}
	b.now = b.now.Add(failureWindow)
	if got := try("committee-a", secret); got.status != http.StatusOK {
		t.Errorf("after the window: %d", got.status)
	}
}

func TestLoginRefusesWhatIsNoLogin(t *testing.T) {
	b := newBench(t)
	for _, body := range []any{nil, "text", map[string]string{}, map[string]any{"username": 1}} {
		got := b.do(t, http.MethodPost, "/api/v1/login", body, nil)
		if got.status < 400 || got.status >= 500 {
			t.Errorf("%.40v: %d", body, got.status)
		}
	}
}
