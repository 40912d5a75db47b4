package dashboard

import (
	"net/http"
	"strings"
	"testing"
)

func TestNoticeAsPDF(t *testing.T) {
	b := newBench(t)
	for path, lang := range map[string]string{"notice-a.pdf": "bn", "notice-a.pdf?lang=en": "en"} {
		got := b.do(t, http.MethodGet, "/api/v1/notices/"+path, nil, http.Header{"Authorization": {"Bearer " + b.tokens["committee-a"]}})
		for header, want := range map[string]string{
			"Content-Type": "application/pdf", "Content-Disposition": `inline; filename="notice-notice-a.pdf"`, "X-Content-Type-Options": "nosniff",
		} {
			if value := got.header.Get(header); value != want {
				t.Errorf("%s: %s %q, want %q", path, header, value, want)
			}
		}
		if !strings.HasPrefix(string(got.body), "%PDF-") || !strings.HasSuffix(string(got.body), lang) {
			t.Errorf("%s: body %q, want the paper in %s", path, got.body, lang)
		}
	}
}
