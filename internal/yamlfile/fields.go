package yamlfile

import (
	"reflect"
	"slices"
	"strings"
)

// fieldsOf returns the index of each exported field of a struct by its key.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		field := t.Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if !field.IsExported() || key == "-" {
			continue
		}
		if key == "" {
			key = strings.ToLower(field.Name)
		}
		fields[key] = i
	}
	return fields
}

// suggestion returns the known key that was probably meant, in words.
func suggestion(key string, fields map[string]int) string {
	best, bestDistance := "", len(key)/3+1
	if len(key) > 40 {
		return ""
	}
	for known := range fields {
		distance := edits(key, known)
		if distance < bestDistance || distance == bestDistance && known < best {
			best, bestDistance = known, distance
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// Nearest returns up to n of known that are written most like word, the nearest
// first.
func Nearest(word string, known []string, n int) []string {
	out := slices.Clone(known)
	slices.SortStableFunc(out, func(a, b string) int { return edits(word, a) - edits(word, b) })
	return out[:min(n, len(out))]
}

// edits is the Levenshtein distance of two keys.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
