package dashboard

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.yaml.in/yaml/v3"

	"nirapod/safety"
)

// asked is a sound request for a permit.
func asked() map[string]any {
	return map[string]any{
		"zone_id": "hall", "work": "hot_work", "issued_by": "Rahim", "accepted_by": "Salma", "watch": "Karim",
		"until": noon.Add(2 * time.Hour), "reason": "welding at the north wall",
	}
}

func (b *bench) post(t *testing.T, name, path string, body any) answer {
	t.Helper()
	return b.do(t, http.MethodPost, path, body, http.Header{"Authorization": {"Bearer " + b.tokens[name]}})
}

func TestAPermitFromTheDoorToTheTest(t *testing.T) {
	for _, who := range []string{"committee-a", "installer-a"} {
		b := newBench(t)
		got := b.post(t, who, "/api/v1/sensors/smoke-a/isolate", asked())
		if got.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", who, got.status, got.body)
		}
		var p safety.PermitRecord
		if err := json.Unmarshal(got.body, &p); err != nil {
			t.Fatal(err)
		}
		if p.FactoryID != "a" || p.OpenedBy != who || p.Sensors[0] != "smoke-a" || !p.Stands(noon) {
			t.Errorf("opened %+v", p)
		}
		for _, path := range []string{"/api/v1/snapshot", "/api/v1/permits?open=true", "/api/v1/permits/" + p.ID} {
			if _, text := b.as(t, who, http.MethodGet, path); !strings.Contains(text, p.ID) {
				t.Errorf("%s does not show it: %s", path, text)
			}
		}
		if got := b.post(t, who, "/api/v1/sensors/smoke-a/tested", nil); got.status != http.StatusConflict {
			t.Errorf("a test while it stands: %d %s", got.status, got.body)
		}
		b.now = noon.Add(30 * time.Minute)
		if got := b.post(t, who, "/api/v1/permits/"+p.ID+"/end", nil); got.status != http.StatusOK {
			t.Errorf("end: %d %s", got.status, got.body)
		}
		if got := b.post(t, who, "/api/v1/sensors/smoke-a/tested", nil); got.status != http.StatusOK {
			t.Errorf("test: %d %s", got.status, got.body)
		}
		if _, text := b.as(t, who, http.MethodGet, "/api/v1/permits?open=true"); strings.Contains(text, p.ID) {
			t.Errorf("it is shown after its last test: %s", text)
		}
		if _, text := b.as(t, who, http.MethodGet, "/api/v1/permits"); !strings.Contains(text, p.ID) {
			t.Errorf("it is forgotten after its last test: %s", text)
		}
	}
}

func TestAnIsolationThatIsRefusedSaysWhatToDo(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		who, sensor string
		with        func(map[string]any)
		status      int
		want        string
	}{
		{"committee-a", "smoke-a", func(m map[string]any) { clear(m) }, 400, "reason"},
		{"committee-a", "smoke-a", func(m map[string]any) { m["accepted_by"] = "RAHIM" }, 400, "two people"},
		{"committee-a", "smoke-a", func(m map[string]any) { m["until"] = noon.Add(5 * time.Hour) }, 400, "4h"},
		{"committee-a", "smoke-a", func(m map[string]any) { m["until"] = "tomorrow" }, 400, "under a permit only"},
		{"committee-a", "smoke-a", func(m map[string]any) { m["sensor_ids"] = []string{"door-a"} }, 400, "leave it out"},
		{"committee-a", "heat-a", func(m map[string]any) { m["work"] = "painting" }, 400, "static heat"},
		{"committee-a", "heat-a", func(map[string]any) {}, 409, "end that one first"},
		{"committee-a", "smoke-b", func(map[string]any) {}, 404, "not found"},
		{"committee-a", "smoke-a", func(m map[string]any) { m["sensor_ids"] = []string{"smoke-b"} }, 404, "not found"},
		{"officer-a", "smoke-a", func(map[string]any) {}, 403, "role"},
	} {
		body := asked()
		c.with(body)
		got := b.post(t, c.who, "/api/v1/sensors/"+c.sensor+"/isolate", body)
		if got.status != c.status || !strings.Contains(string(got.body), c.want) {
			t.Errorf("%s by %s: %d %s, want %d with %q", c.sensor, c.who, got.status, got.body, c.status, c.want)
		}
	}
}

// The description of the API and the API name the same doors.
func TestEveryDoorIsDescribed(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, methods := range doc.Paths {
		for i := range strings.Split(path, "/") {
			segments := strings.Split(path, "/")
			if name := segments[i]; strings.HasPrefix(name, "{") {
				_, form, _ := strings.Cut(name, "}")
				segments[i] = ":id" + form
			}
			path = strings.Join(segments, "/")
		}
		for method := range methods {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	b := newBench(t)
	for _, e := range b.endpoints() {
		if door := e.method + " /api/v1" + e.path; !described[door] {
			t.Errorf("%s is served and not described", door)
		}
		delete(described, e.method+" /api/v1"+e.path)
	}
	for _, open := range []string{"/healthz", "/readyz", "/metrics", "/api/openapi.yaml"} {
		delete(described, fiber.MethodGet+" "+open)
	}
	delete(described, fiber.MethodPost+" /api/v1/login")
	for door := range described {
		t.Errorf("%s is described and not served", door)
	}
}
