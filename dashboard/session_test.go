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
		if answer := b.do(t, http.MethodPost, "/api/v1/alerts/alert-a/ack", map[string]string{}, c.header); answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, answer.StatusCode, c.want)
		}
	}
	if answer := b.do(t, http.MethodGet, "/api/v1/snapshot", nil, http.Header{"Cookie": {cookie}}); answer.StatusCode != 200 {
		t.Errorf("reading with the cookie alone: %d", answer.StatusCode)
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
	try := func(name, pw string) *http.Response {
		return b.do(t, http.MethodPost, "/api/v1/login", map[string]string{"username": name, "password": pw}, nil)
	}
	for i := range maxFailures {
		if answer := try(fmt.Sprint("nobody", i%2), "x"); answer.StatusCode != http.StatusUnauthorized {
			t.Fatalf("try %d: %d", i, answer.StatusCode)
		}
	}
	answer := try("committee-a", secret)
	if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" {
		t.Errorf("after %d failures from one address: %d, Retry-After %q", maxFailures, answer.StatusCode, answer.Header.Get("Retry-After"))
	}
	b.now = b.now.Add(failureWindow)
	if answer := try("committee-a", secret); answer.StatusCode != http.StatusOK {
		t.Errorf("after the window: %d", answer.StatusCode)
	}
}

func TestLoginRefusesWhatIsNoLogin(t *testing.T) {
	b := newBench(t)
	for _, body := range []any{nil, "text", map[string]string{}, map[string]any{"username": 1}} {
		answer := b.do(t, http.MethodPost, "/api/v1/login", body, nil)
		if answer.StatusCode < 400 || answer.StatusCode >= 500 {
			t.Errorf("%.40v: %d", body, answer.StatusCode)
		}
	}
}
