package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

// source is one file being read, with the mistakes found in it. Packs have
// their own walk over the nodes because a mistake inside an expression is
// told by line, column and caret.
type source struct {
	name     string
	lines    []string
	mistakes []mistake
}

type mistake struct {
	line, column int // from 1, in runes
	text         string
}

// located is a mistake as people read it: where, what, the line and a caret.
type located string

func (l located) Error() string { return string(l) }
func (l located) Unwrap() error { return safety.ErrInvalid }

func newSource(name string, data []byte) *source {
	return &source{name: name, lines: strings.Split(string(data), "\n")}
}

func (s *source) wrong(n *yaml.Node, format string, args ...any) {
	s.wrongAt(n.Line, n.Column, format, args...)
}

func (s *source) wrongAt(line, column int, format string, args ...any) {
	s.mistakes = append(s.mistakes, mistake{max(line, 1), max(column, 1), fmt.Sprintf(format, args...)})
}

// err returns all mistakes in order of place, one error each.
func (s *source) err() error {
	slices.SortStableFunc(s.mistakes, func(a, b mistake) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.column - b.column
	})
	var all []error
	for _, m := range s.mistakes {
		all = append(all, located(s.show(m)))
	}
	return errors.Join(all...)
}

// show writes file:line:column, what is wrong, the line, and a caret under it.
func (s *source) show(m mistake) string {
	head := fmt.Sprintf("%s:%d:%d: %s", s.name, m.line, m.column, m.text)
	if m.line > len(s.lines) {
		return head
	}
	line := strings.ReplaceAll(strings.TrimRight(s.lines[m.line-1], "\r"), "\t", " ")
	return fmt.Sprintf("%s\n%5d | %s\n      | %s^", head, m.line, line, strings.Repeat(" ", m.column-1))
}

// wrongIn tells a mistake at a rune offset inside the text of a scalar.
func (s *source) wrongIn(n *yaml.Node, offset int, format string, args ...any) {
	line, column := s.locate(n, offset)
	s.wrongAt(line, column, format, args...)
}

// locate finds the place in the file of a rune of a scalar's value. It walks
// value and file together; blanks may differ between them (folding, indents),
// nothing else does outside of escapes.
func (s *source) locate(n *yaml.Node, offset int) (line, column int) {
	line, column = n.Line, n.Column
	switch n.Style {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		line, column = line+1, 1
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		column++
	}
	for i, want := range []rune(n.Value) {
		if unicode.IsSpace(want) {
			if i == offset {
				break
			}
			continue
		}
		var found rune
		if line, column, found = s.nextInk(line, column); found != want {
			return n.Line, n.Column
		}
		if i == offset {
			break
		}
		column++
	}
	return line, column
}

// nextInk returns the first rune that is no blank at or after a place, and
// where it is.
func (s *source) nextInk(line, column int) (int, int, rune) {
	for ; line <= len(s.lines); line, column = line+1, 1 {
		at := 0
		for _, r := range s.lines[line-1] {
			if at++; at >= column && !unicode.IsSpace(r) {
				return line, at, r
			}
		}
	}
	return line, column, utf8.RuneError
}

// fields are the values of a mapping whose keys are all allowed.
type fields struct {
	src  *source
	node *yaml.Node
	of   map[string]*yaml.Node
}

// mapping reads a mapping strictly: a key that is not allowed, or stands
// there twice, is a mistake.
func (s *source) mapping(n *yaml.Node, what string, allowed ...string) fields {
	f := fields{src: s, node: n, of: map[string]*yaml.Node{}}
	if n.Kind != yaml.MappingNode {
		s.wrong(n, "%s must be a mapping", what)
		return f
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || len(allowed) > 0 && !slices.Contains(allowed, key.Value):
			s.wrong(key, "%s has no key %q; it has %s", what, key.Value, strings.Join(allowed, ", "))
		case f.of[key.Value] != nil:
			s.wrong(key, "%s has %q twice", what, key.Value)
		default:
			f.of[key.Value] = value
		}
	}
	return f
}

func (f fields) scalar(key string) (string, *yaml.Node) {
	n := f.of[key]
	if n == nil {
		return "", nil
	}
	if n.Kind != yaml.ScalarNode {
		f.src.wrong(n, "%s must be one value", key)
		return "", nil
	}
	return n.Value, n
}

// text reads a text that must be there and not be empty.
func (f fields) text(key string) string {
	value, n := f.scalar(key)
	if strings.TrimSpace(value) == "" {
		if n == nil {
			n = f.node
		}
		f.src.wrong(n, "%s is missing", key)
	}
	return value
}

// unreadable takes over what yamlfile says of a file that is no YAML.
func (s *source) unreadable(err error) {
	many, ok := errors.AsType[yamlfile.Mistakes](err)
	if !ok {
		many = yamlfile.Mistakes{{Line: 1, Text: err.Error()}}
	}
	for _, m := range many {
		column := 1
		if m.Line > 0 && m.Line <= len(s.lines) {
			text := s.lines[m.Line-1]
			column = 1 + len(text) - len(strings.TrimLeft(text, " "))
		}
		s.wrongAt(m.Line, column, "%s", m.Text)
	}
}

func validUTF8(s *source, data []byte) bool {
	if utf8.Valid(data) {
		return true
	}
	s.wrongAt(1, 1, "the file is not UTF-8")
	return false
}
