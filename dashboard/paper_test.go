package dashboard

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestNoticeAsPDF(t *testing.T) {
	b := newBench(t)
	for path, lang := range map[string]string{"notice-a.pdf": "bn", "notice-a.pdf?lang=en": "en"} {
		answer := b.do(t, http.MethodGet, "/api/v1/notices/"+path, nil, http.Header{"Authorization": {"Bearer " + b.tokens["committee-a"]}})
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		for header, want := range map[string]string{
			"Content-Type": "application/pdf", "Content-Disposition": `inline; filename="notice-notice-a.pdf"`, "X-Content-Type-Options": "nosniff",
		} {
			if got := answer.Header.Get(header); got != want {
				t.Errorf("%s: %s %q, want %q", path, header, got, want)
			}
		}
		if !strings.HasPrefix(string(body), "%PDF-") || !strings.HasSuffix(string(body), lang) {
			t.Errorf("%s: body %q, want the paper in %s", path, body, lang)
		}
	}
}
