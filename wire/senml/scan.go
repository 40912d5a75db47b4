package senml

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"nirapod/safety"
)

// scanner walks JSON text. It is stricter than encoding/json, which takes
// labels in any case, takes a label twice and mends broken UTF-8.
type scanner struct {
	src []byte
	pos int
}

func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s: %w", s.pos+1, fmt.Sprintf(format, args...), safety.ErrInvalid)
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(want byte) error {
	if s.peek() != want {
		return s.errorf("JSON wants %q here", want)
	}
	s.pos++
	return nil
}

// next is called after an element: it reports whether another follows, and
// takes the comma or the closing byte.
func (s *scanner) next(closing byte) (more bool, err error) {
	switch s.peek() {
	case ',':
		s.pos++
		return true, nil
	case closing:
		s.pos++
		return false, nil
	}
	return false, s.errorf("JSON wants ',' or %q here", closing)
}

func (s *scanner) word(w string) bool {
	if len(s.src)-s.pos < len(w) || string(s.src[s.pos:s.pos+len(w)]) != w {
		return false
	}
	s.pos += len(w)
	return true
}

func (s *scanner) bool() (bool, error) {
	s.peek()
	switch {
	case s.word("true"):
		return true, nil
	case s.word("false"):
		return false, nil
	}
	return false, s.errorf("want true or false")
}

func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.src) && s.src[s.pos] >= '0' && s.src[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

func (s *scanner) at(set string) bool {
	if s.pos >= len(s.src) {
		return false
	}
	for i := range len(set) {
		if s.src[s.pos] == set[i] {
			s.pos++
			return true
		}
	}
	return false
}

func (s *scanner) number() (float64, error) {
	s.peek()
	start := s.pos
	s.at("-")
	if !s.at("0") && s.digits() == 0 {
		return 0, s.errorf("want a number")
	}
	if s.at(".") && s.digits() == 0 {
		return 0, s.errorf("want a digit after the point")
	}
	if s.at("eE") {
		s.at("+-")
		if s.digits() == 0 {
			return 0, s.errorf("want a digit in the exponent")
		}
	}
	v, err := strconv.ParseFloat(string(s.src[start:s.pos]), 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, s.errorf("the number does not fit a 64-bit float")
	}
	return v, nil
}

// str returns the text of a JSON string. plain strings cost one copy.
func (s *scanner) str() (string, error) {
	raw, err := s.raw()
	return string(raw), err
}

// raw returns the bytes of a JSON string; they may alias the source.
func (s *scanner) raw() ([]byte, error) {
	if err := s.take('"'); err != nil {
		return nil, err
	}
	start, ascii := s.pos, true
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '"':
			b := s.src[start:s.pos]
			if !ascii && !utf8.Valid(b) {
				return nil, s.errorf("the text is not UTF-8")
			}
			s.pos++
			return b, nil
		case c == '\\':
			return s.escaped(start)
		case c < 0x20:
			return nil, s.errorf("control character in a string; escape it")
		case c >= utf8.RuneSelf:
			ascii = false
		}
		s.pos++
	}
	return nil, s.errorf("the string does not end")
}

// escaped continues a string at its first backslash.
func (s *scanner) escaped(start int) ([]byte, error) {
	out := append([]byte(nil), s.src[start:s.pos]...)
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return nil, s.errorf("the text is not UTF-8")
			}
			s.pos++
			return out, nil
		case c < 0x20:
			return nil, s.errorf("control character in a string; escape it")
		case c != '\\':
			out = append(out, c)
			s.pos++
			continue
		}
		r, err := s.escape()
		if err != nil {
			return nil, err
		}
		out = utf8.AppendRune(out, r)
	}
	return nil, s.errorf("the string does not end")
}

func (s *scanner) escape() (rune, error) {
	s.pos++ // the backslash
	if s.pos >= len(s.src) {
		return 0, s.errorf("the string does not end")
	}
	c := s.src[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicode()
	}
	return 0, s.errorf("unknown escape \\%c", c)
}

func (s *scanner) unicode() (rune, error) {
	r, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if s.word(`\u`) {
		low, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
	}
	return 0, s.errorf("half a surrogate pair")
}

func (s *scanner) hex4() (rune, error) {
	if len(s.src)-s.pos < 4 {
		return 0, s.errorf("want four hex digits")
	}
	v, err := strconv.ParseUint(string(s.src[s.pos:s.pos+4]), 16, 16)
	if err != nil {
		return 0, s.errorf("want four hex digits")
	}
	s.pos += 4
	return rune(v), nil
}

// value reads any JSON value, for labels that RFC 8428 does not know.
func (s *scanner) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, s.errorf("nested deeper than %d", maxDepth)
	}
	switch c := s.peek(); c {
	case '"':
		return s.str()
	case 't', 'f':
		return s.bool()
	case 'n':
		if !s.word("null") {
			return nil, s.errorf("want null")
		}
		return nil, nil
	case '[':
		return s.array(depth)
	case '{':
		return s.object(depth)
	default:
		return s.number()
	}
}

func (s *scanner) array(depth int) (any, error) {
	s.pos++
	list := []any{}
	if s.peek() == ']' {
		s.pos++
		return list, nil
	}
	for more := true; more; {
		v, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if more, err = s.next(']'); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *scanner) object(depth int) (any, error) {
	s.pos++
	m := map[string]any{}
	if s.peek() == '}' {
		s.pos++
		return m, nil
	}
	for more := true; more; {
		key, err := s.str()
		if err != nil {
			return nil, err
		}
		if _, dup := m[key]; dup {
			return nil, s.errorf("label %q stands twice", key)
		}
		if err := s.take(':'); err != nil {
			return nil, err
		}
		if m[key], err = s.value(depth + 1); err != nil {
			return nil, err
		}
		if more, err = s.next('}'); err != nil {
			return nil, err
		}
	}
	return m, nil
}
