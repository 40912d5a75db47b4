package dashboard

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"nirapod/alerts/ledger"
)

func TestEvidenceVerifies(t *testing.T) {
	b := newBench(t)
	status, body := b.as(t, "committee-a", http.MethodGet, "/api/v1/incidents/incident-a/evidence.zip")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	z, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := ledger.Verify(z, ""); err != nil || r.Head.Factory != "a" {
		t.Errorf("%+v, %v", r, err)
	}
	for path, want := range map[string]int{"?full=true": 400, "?full=perhaps": 400, "?full=true&purpose=" + strings.Repeat("x", 501): 400} {
		if status, body := b.as(t, "officer-a", http.MethodGet, "/api/v1/incidents/incident-a/evidence.zip"+path); status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
	}
}

// A notice is shown with the head of the ledger that holds it.
func TestNoticeBearsTheHead(t *testing.T) {
	b := newBench(t)
	_, body := b.as(t, "committee-a", http.MethodGet, "/api/v1/notices/notice-a.json")
	head, err := b.db.Head(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), `"ledger_head":"`+head.Short()+`"`) {
		t.Errorf("want %s in %s", head.Short(), body)
	}
}
