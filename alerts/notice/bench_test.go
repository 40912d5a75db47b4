package notice_test

import (
	"fmt"
	"io"
	"testing"

	"nirapod/alerts/notice"
)

// BenchmarkPDF prints the notice of three pages, and one of many.
func BenchmarkPDF(b *testing.B) {
	for _, lines := range []int{1, 100, 3000} {
		b.Run(fmt.Sprintf("evidence=%d", lines), func(b *testing.B) {
			n := law(b).Compose(facts(b), paper(b, "immediate"))
			for len(n.Body.Evidence) < lines {
				n.Body.Evidence = append(n.Body.Evidence, n.Body.Evidence[0])
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := notice.PDF(io.Discard, n, "bn"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
