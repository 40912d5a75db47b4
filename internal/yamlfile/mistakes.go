package yamlfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"nirapod/safety"
)

// Mistake is one thing wrong with a file. It wraps safety.ErrInvalid.
type Mistake struct { //nolint:errname // it is what people call it
	File string
	Line int    // from 1; 0 = not known
	Path string // such as zones[2].height_m; "" = the whole file
	Text string
}

func (m Mistake) Error() string {
	var b strings.Builder
	b.WriteString(m.File)
	if m.Line > 0 {
		fmt.Fprintf(&b, ":%d", m.Line)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if m.Path != "" {
		b.WriteString(m.Path + ": ")
	}
	b.WriteString(m.Text)
	return b.String()
}

// Unwrap returns safety.ErrInvalid.
func (m Mistake) Unwrap() error { return safety.ErrInvalid }

// Mistakes are all mistakes of one or more files, sorted by file and line. It
// wraps safety.ErrInvalid and prints one mistake per line.
type Mistakes []Mistake //nolint:errname // as above

func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns safety.ErrInvalid.
func (ms Mistakes) Unwrap() error { return safety.ErrInvalid }

// Join gathers errors into one error of type Mistakes, sorted by file and
// line, or nil when all are nil. An error that is no Mistake keeps its text
// and stands first.
func Join(errs ...error) error {
	var all Mistakes
	for _, err := range errs {
		if err == nil {
			continue
		}
		if many, ok := errors.AsType[Mistakes](err); ok {
			all = append(all, many...)
		} else if one, ok := errors.AsType[Mistake](err); ok {
			all = append(all, one)
		} else {
			all = append(all, Mistake{Text: err.Error()})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return all
}
