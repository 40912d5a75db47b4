package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// doors is who may knock where, written apart from the table that the router
// is made of. %s is the asker's own factory.
var doors = []struct {
	method, path                  string
	committee, installer, officer int
	oneThing                      bool // names one thing: of the other tenant it does not exist
}{
	{"GET", "/api/v1/me", 200, 200, 200, false},
	{"GET", "/api/v1/snapshot", 200, 200, 200, false},
	{"GET", "/api/v1/factories", 200, 200, 200, false},
	{"GET", "/api/v1/zones", 200, 200, 200, false},
	{"GET", "/api/v1/sensors", 200, 200, 200, false},
	{"GET", "/api/v1/gateways", 200, 200, 200, false},
	{"GET", "/api/v1/readings?sensor=heat-%s&from=2026-11-22T05:00:00Z&to=2026-11-22T07:00:00Z", 200, 200, 200, true},
	{"GET", "/api/v1/alerts", 200, 200, 200, false},
	{"GET", "/api/v1/alerts/alert-%s", 200, 200, 200, true},
	{"POST", "/api/v1/alerts/alert-%s/ack", 200, 403, 403, true},
	{"POST", "/api/v1/alerts/alert-%s/reset", 200, 403, 403, true},
	{"POST", "/api/v1/sounders/sounder-%s/silence", 403, 403, 403, false},
	{"POST", "/api/v1/sounders/buzzer-%s/silence", 409, 403, 403, true},
	{"GET", "/api/v1/permits?open=true", 200, 200, 200, false},
	{"GET", "/api/v1/permits/permit-%s", 200, 200, 200, true},
	{"POST", "/api/v1/permits/permit-%s/end", 200, 409, 403, true}, // the committee has ended it then
	{"POST", "/api/v1/sensors/smoke-%s/isolate", 400, 400, 403, false},
	{"POST", "/api/v1/sensors/door-%s/tested", 409, 409, 403, true},
	{"GET", "/api/v1/incidents", 200, 403, 200, false},
	{"GET", "/api/v1/incidents/incident-%s", 200, 403, 200, true},
	{"GET", "/api/v1/incidents/incident-%s/timeline", 200, 403, 200, true},
	{"GET", "/api/v1/incidents/incident-%s/evidence.zip", 200, 403, 200, true},
	{"GET", "/api/v1/incidents/incident-%s/evidence.zip?full=true&purpose=inquest", 403, 403, 200, false},
	{"GET", "/api/v1/notices", 200, 403, 200, false},
	{"GET", "/api/v1/notices/notice-%s", 200, 403, 200, true},
	{"GET", "/api/v1/notices/notice-%s.json", 200, 403, 200, true},
	{"GET", "/api/v1/notices/notice-%s.html", 200, 403, 200, true},
	{"GET", "/api/v1/notices/notice-%s.pdf", 200, 403, 200, true},
	{"GET", "/api/v1/desk/queue", 403, 403, 200, false},
	{"GET", "/api/v1/desk/heads", 403, 403, 200, false},
	{"GET", "/api/v1/desk/cases/CASE%s", 403, 403, 200, true},
	{"POST", "/api/v1/desk/cases/CASE%s/seen", 403, 403, 200, true},
	{"POST", "/api/v1/logout", 204, 204, 204, false},
	// GET /api/v1/stream is tested over a real connection in stream_test.go.
}

// door is a path as somebody of factory knocks at it.
func door(path, factory string) string {
	return strings.ReplaceAll(strings.ReplaceAll(path, "CASE%s", caseOf[factory]), "%s", factory)
}

func TestEveryDoorByRoleAndTenant(t *testing.T) {
	b := newBench(t)
	for _, d := range doors {
		for _, p := range people {
			own, other := "a", "b"
			if strings.HasSuffix(p.Name, "-b") {
				own, other = "b", "a"
			}
			want := map[string]int{"committee": d.committee, "installer": d.installer, "officer": d.officer}[string(p.Role)]
			status, body := b.as(t, p.Name, d.method, door(d.path, own))
			if status != want {
				t.Errorf("%s %s by %s: %d, want %d: %s", d.method, d.path, p.Name, status, want, body)
			}
			if belongs(body, other) {
				t.Errorf("%s %s shows %s what belongs to %s: %s", d.method, d.path, p.Name, other, body)
			}
			if d.path == "/api/v1/logout" {
				b.tokens[p.Name] = b.logIn(t, p.Name).Token
			}
			if !d.oneThing {
				continue
			}
			if want < 400 || want == 409 {
				want = http.StatusNotFound
			}
			if status, body := b.as(t, p.Name, d.method, door(d.path, other)); status != want || belongs(body, other) && !strings.Contains(body, "not found") {
				t.Errorf("%s %s of the other tenant by %s: %d, want %d: %s", d.method, d.path, p.Name, status, want, body)
			}
		}
	}
	for _, act := range b.acted {
		who, what, _ := strings.Cut(act, " ")
		if who[len(who)-1] != what[len(what)-1] {
			t.Errorf("%s acted on %s", who, what)
		}
	}
}

// A door that the table above does not know must not exist.
func TestTableHasNoGap(t *testing.T) {
	b := newBench(t)
	known := map[string]bool{"POST /api/v1/login": true, "GET /api/v1/stream": true}
	for _, d := range doors {
		path, _, _ := strings.Cut(d.path, "?")
		segments := strings.Split(path, "/")
		for i, s := range segments {
			if strings.Contains(s, "%s") {
				segments[i] = ":id" + s[strings.Index(s, "%s")+2:]
			}
		}
		known[d.method+" "+strings.Join(segments, "/")] = true
	}
	open := []string{"/healthz", "/readyz", "/metrics", "/api/openapi.yaml", "/", "/api/*"}
	for _, route := range b.app.GetRoutes(true) {
		if route.Method == http.MethodHead || slices.Contains(open, route.Path) {
			continue
		}
		if !known[route.Method+" "+route.Path] {
			t.Errorf("%s %s is served and stands in no test", route.Method, route.Path)
		}
	}
}

func TestWithoutLogin(t *testing.T) {
	b := newBench(t)
	for _, d := range doors {
		path := door(d.path, "a")
		for _, header := range []http.Header{nil, {"Authorization": {"Bearer wrong"}}, {"Cookie": {sessionCookie + "=wrong"}}, {"Authorization": {b.tokens["committee-a"]}, "Cookie": nil}} {
			if header.Get("Authorization") == b.tokens["committee-a"] {
				continue // the bare token is the same secret
			}
			got := b.do(t, d.method, path, nil, header)
			if got.status != http.StatusUnauthorized || got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s with %v: %d %s", d.method, path, header, got.status, got.header.Get("Content-Type"))
			}
		}
	}
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/api/openapi.yaml": 200, "/": 200, "/api/v1/stream": 401,
		"/api/v1/nothing": 401, "/api/nothing": 401, "/api": 401, "/nothing": 404, "/.gitkeep": 404, "/../go.mod": 404,
	} {
		if got := b.do(t, http.MethodGet, path, nil, nil); got.status != want {
			t.Errorf("GET %s: %d, want %d", path, got.status, want)
		}
	}
	if status, _ := b.as(t, "committee-a", http.MethodGet, "/api/v1/nothing"); status != http.StatusNotFound {
		t.Errorf("an unknown path with a login: %d", status)
	}
}
