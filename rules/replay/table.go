package replay

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"nirapod/safety"
)

// table reads a recording row by row. Its text may be UTF-8 or UTF-16 with a
// byte order mark, or, where it is no UTF-8, Windows-1252; lines end in LF or
// CRLF; cells are divided by commas, tabs, semicolons or, where the header has
// none of these, by blanks.
type table struct {
	name    string
	header  []string
	record  func() ([]string, int, error) // cells and line; io.EOF
	shift   int                           // unnamed columns before the first named one
	shifted func()                        // told when there is one
}

const maxLine = 16 << 20

func newTable(name string, r io.Reader, m *Map, shifted func()) (*table, error) {
	t := &table{name: name, shift: -1, shifted: shifted}
	text := bufio.NewReaderSize(transform.NewReader(r, unicode.BOMOverride(transform.Nop)), 1<<16)
	for line := range m.SkipRows {
		if err := skipLine(text); err != nil {
			return nil, t.wrong(line+1, "the file ends within the %d lines to be skipped before the header", m.SkipRows)
		}
	}
	t.record = records(text, m.SkipRows)
	header, line, err := t.record()
	if errors.Is(err, io.EOF) {
		return nil, t.wrong(m.SkipRows+1, "the header is missing")
	} else if err != nil {
		return nil, t.unreadable(err)
	}
	for _, cell := range header {
		cell = trim(cell)
		if strings.ContainsRune(cell, 0) {
			return nil, t.wrong(line, "this is no text: save it as UTF-8")
		}
		t.header = append(t.header, cell)
	}
	if m.UnitsRow {
		if _, _, err := t.record(); err != nil && !errors.Is(err, io.EOF) {
			return nil, t.unreadable(err)
		}
	}
	return t, nil
}

// mistake is something wrong with a recording. It wraps safety.ErrInvalid.
type mistake string

func (m mistake) Error() string { return string(m) }
func (m mistake) Unwrap() error { return safety.ErrInvalid }

func (t *table) wrong(line int, format string, args ...any) error {
	return mistake(fmt.Sprintf("%s:%d: %s", t.name, line, fmt.Sprintf(format, args...)))
}

func (t *table) unreadable(err error) error {
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		return t.wrong(wrong.Line, "%v", wrong.Err)
	}
	return mistake(fmt.Sprintf("%s: %v", t.name, err))
}

// column finds the place of a named column.
func (t *table) column(name string) (int, error) {
	found := -1
	for i, h := range t.header {
		if h != name {
			continue
		}
		if found >= 0 {
			return 0, t.wrong(1, "two columns are called %q: rename one", name)
		}
		found = i
	}
	if found < 0 {
		return 0, t.wrong(1, "no column is called %q; there are %s", name, strings.Join(t.header, ", "))
	}
	return found, nil
}

// next returns the cells under the header's names; io.EOF at the end. A first
// row that is one cell wider than the header begins with a cell that has no
// name: so R writes row names.
func (t *table) next() (cells []string, line int, err error) {
	cells, line, err = t.record()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			err = t.unreadable(err)
		}
		return nil, line, err
	}
	if t.shift < 0 {
		t.shift = 0
		if len(cells) == len(t.header)+1 && trim(cells[len(cells)-1]) != "" {
			t.shift = 1
			t.shifted()
		}
	}
	cells = cells[min(t.shift, len(cells)):]
	for _, extra := range cells[min(len(t.header), len(cells)):] {
		if trim(extra) != "" {
			return nil, line, t.wrong(line, "the row has more cells than the header: %q has no name", extra)
		}
	}
	return cells, line, nil
}

// cell returns the text at a place of a row that may be short.
func cell(cells []string, i int) string {
	if i >= len(cells) {
		return ""
	}
	return trim(cells[i])
}

func trim(cell string) string {
	cell = strings.TrimSpace(cell)
	if utf8.ValidString(cell) {
		return cell
	}
	text, err := charmap.Windows1252.NewDecoder().String(cell)
	if err != nil {
		return cell
	}
	return strings.TrimSpace(text)
}

func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// records returns a reader of rows; skipped lines stand before the first.
func records(r *bufio.Reader, skipped int) func() ([]string, int, error) {
	first, _ := r.Peek(r.Size()) // the error comes again when it is read
	head, _, _ := bytes.Cut(bytes.TrimLeft(first, "\r\n"), []byte("\n"))
	comma := delimiter(head)
	if comma == ' ' {
		return blankRecords(r, skipped)
	}
	c := csv.NewReader(r)
	c.Comma, c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord, c.TrimLeadingSpace = comma, -1, true, true, comma != '\t'
	return func() ([]string, int, error) {
		cells, err := c.Read()
		if err != nil {
			return nil, 0, err
		}
		line, _ := c.FieldPos(0)
		return cells, line + skipped, nil
	}
}

// delimiter returns what divides the header most often outside of quotes.
func delimiter(head []byte) rune {
	count, quoted := map[rune]int{}, false
	for _, b := range head {
		if b == '"' {
			quoted = !quoted
		}
		if !quoted {
			count[rune(b)]++
		}
	}
	best := ' '
	for _, r := range []rune{'\t', ';', ','} {
		if count[r] > 0 && (best == ' ' || count[r] >= count[best]) {
			best = r
		}
	}
	if best == ' ' && count[' '] == 0 {
		return ',' // one column
	}
	return best
}

func blankRecords(r *bufio.Reader, skipped int) func() ([]string, int, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	at := skipped
	return func() ([]string, int, error) {
		for lines.Scan() {
			at++
			if cells := strings.Fields(lines.Text()); len(cells) > 0 {
				return cells, at, nil
			}
		}
		if err := lines.Err(); err != nil {
			return nil, at, err
		}
		return nil, at, io.EOF
	}
}
