package rules

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// The table of docs/rules.md.
func TestSpread(t *testing.T) {
	for _, row := range table(t, "sensors' values", "spread") {
		top, sum, known, all := math.Inf(-1), 0.0, 0, 0
		for word := range strings.FieldsSeq(row[0]) {
			all++
			if v, err := strconv.ParseFloat(word, 64); err == nil {
				top, sum, known = max(top, v), sum+v, known+1
			}
		}
		want := anything
		low, high, isRange := strings.Cut(strings.Trim(row[1], "[]"), ", ")
		if v, err := strconv.ParseFloat(low, 64); err == nil {
			want = exactly(v)
		}
		if isRange && high == "∞" {
			want.hi = math.Inf(1)
		}
		if got := spreadOf(top, sum, known, all); got != want {
			t.Errorf("%s: %v, want %v", row[0], got, want)
		}
	}
}
