// Package measured holds the tables of a document to what tests measured.
package measured

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// Hold fails t where the part of the document between two marks is not tables.
// With update it writes them there instead.
func Hold(t testing.TB, document, mark, tables string, update bool) {
	t.Helper()
	doc, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(doc), mark)
	if len(parts) != 3 {
		t.Fatalf("%s has %d parts around %s, want 3", document, len(parts), mark)
	}
	parts[1] = tables
	now := []byte(strings.Join(parts, mark))
	switch {
	case bytes.Equal(now, doc):
	case !update:
		t.Errorf("%s holds other tables: make eval ARGS=-update writes these", document)
	default:
		if err := os.WriteFile(document, now, 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
	}
}
