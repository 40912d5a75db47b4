package senml

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"nirapod/safety"
)

// ParseJSON reads a SenML pack in JSON. It checks form only; Flatten and
// Resolve check what the records mean. Every error wraps safety.ErrInvalid and
// names the record.
func ParseJSON(src []byte, lim Limits) ([]Record, error) {
	if len(src) > lim.Bytes {
		return nil, tooLong(len(src), lim)
	}
	s := &scanner{src: src}
	if err := s.take('['); err != nil {
		return nil, fmt.Errorf("a SenML pack is a JSON array of records: %w", err)
	}
	recs := make([]Record, 0, min(lim.Records, bytes.Count(src, []byte{'{'})))
	for more := true; more; {
		if len(recs) == lim.Records {
			return nil, tooMany(lim)
		}
		recs = append(recs, Record{})
		err := s.record(&recs[len(recs)-1])
		if err == nil {
			more, err = s.next(']')
		}
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", len(recs), err)
		}
	}
	if s.peek(); s.pos != len(src) {
		return nil, s.errorf("nothing may follow the pack")
	}
	return recs, nil
}

func tooLong(n int, lim Limits) error {
	return fmt.Errorf("%d bytes; send at most %d in one pack: %w", n, lim.Bytes, safety.ErrInvalid)
}

func tooMany(lim Limits) error {
	return fmt.Errorf("record %d: a pack holds at most %d records; send several packs: %w",
		lim.Records+1, lim.Records, safety.ErrInvalid)
}

func (s *scanner) record(r *Record) error {
	if err := s.take('{'); err != nil {
		return err
	}
	for labels, more := 0, true; more; {
		if labels++; labels > maxLabels {
			return s.errorf("more than %d labels", maxLabels)
		}
		key, err := s.raw()
		if err != nil {
			return err
		}
		if err := s.take(':'); err != nil {
			return err
		}
		if err := s.label(r, key); err != nil {
			return err
		}
		if more, err = s.next('}'); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) label(r *Record, key []byte) error {
	for i := range known {
		if k := &known[i]; k.name == string(key) {
			if r.Has&k.has != 0 {
				return s.errorf("label %q stands twice", key)
			}
			r.Has |= k.has
			if err := s.field(r, k.has, k.kind); err != nil {
				return fmt.Errorf("label %q: %w", key, err)
			}
			return nil
		}
	}
	return s.extra(r, string(key))
}

func (s *scanner) field(r *Record, has Has, kind int) (err error) {
	switch kind {
	case text:
		*r.text(has), err = s.str()
	case number:
		*r.number(has), err = s.number()
	case boolean:
		r.VB, err = s.bool()
	case version:
		var v float64
		if v, err = s.number(); err == nil {
			r.BVer, err = toVersion(v)
		}
	case data:
		var b []byte
		if b, err = s.raw(); err != nil {
			return err
		}
		if r.VD, err = base64.RawURLEncoding.AppendDecode([]byte{}, b); err != nil {
			return s.errorf("want base64url without padding")
		}
	}
	return err
}

func (s *scanner) extra(r *Record, name string) error {
	if err := checkLabel(r, name); err != nil {
		return err
	}
	v, err := s.value(0)
	if err != nil {
		return fmt.Errorf("label %q: %w", name, err)
	}
	r.Extra = append(r.Extra, Label{name, v})
	return nil
}

// checkLabel refuses a label that RFC 8428 forbids to ignore, and a second one
// of the same name.
func checkLabel(r *Record, name string) error {
	if strings.HasSuffix(name, "_") {
		return fmt.Errorf("label %q must be understood and is not; leave it out: %w", name, safety.ErrInvalid)
	}
	if _, dup := r.Lookup(name); dup {
		return fmt.Errorf("label %q stands twice: %w", name, safety.ErrInvalid)
	}
	return nil
}

func toVersion(v float64) (int, error) {
	if (v >= 1 && v <= DefaultVersion && v == math.Trunc(v)) || v == SecondaryUnits {
		return int(v), nil
	}
	return 0, fmt.Errorf("version %v is not understood; send at most %d, or %d with secondary units: %w",
		v, DefaultVersion, SecondaryUnits, safety.ErrInvalid)
}

// AppendJSON appends the pack to dst as one line. Numbers keep every bit. It
// returns an error wrapping safety.ErrInvalid if a number is not finite or a
// text is not UTF-8.
func AppendJSON(dst []byte, recs []Record) ([]byte, error) {
	var err error
	dst = append(dst, '[')
	for i := range recs {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendRecord(dst, &recs[i]); err != nil {
			return nil, fmt.Errorf("record %d: %w", i+1, err)
		}
	}
	return append(dst, ']'), nil
}

func appendRecord(dst []byte, r *Record) ([]byte, error) {
	var err error
	open := len(dst)
	for i := range known {
		k := &known[i]
		if r.Has&k.has == 0 {
			continue
		}
		dst = append(append(append(dst, `,"`...), k.name...), `":`...)
		if dst, err = appendField(dst, r, k.has, k.kind); err != nil {
			return nil, fmt.Errorf("label %q: %w", k.name, err)
		}
	}
	for _, x := range r.Extra {
		if dst, err = appendText(append(dst, ','), x.Name); err != nil {
			return nil, err
		}
		if dst, err = appendValue(append(dst, ':'), x.Value); err != nil {
			return nil, fmt.Errorf("label %q: %w", x.Name, err)
		}
	}
	if len(dst) == open {
		dst = append(dst, ',')
	}
	dst[open] = '{' // in place of the first comma
	return append(dst, '}'), nil
}

func appendField(dst []byte, r *Record, has Has, kind int) ([]byte, error) {
	switch kind {
	case text:
		return appendText(dst, *r.text(has))
	case number:
		return appendNumber(dst, *r.number(has))
	case boolean:
		return strconv.AppendBool(dst, r.VB), nil
	case version:
		return strconv.AppendInt(dst, int64(r.BVer), 10), nil
	default:
		return append(base64.RawURLEncoding.AppendEncode(append(dst, '"'), r.VD), '"'), nil
	}
}

func appendNumber(dst []byte, v float64) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("%v is not a number: %w", v, safety.ErrInvalid)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64), nil
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64), nil
}

const hexDigits = "0123456789abcdef"

func appendText(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("the text is not UTF-8: %w", safety.ErrInvalid)
	}
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"'), nil
}

func appendValue(dst []byte, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendText(dst, v)
	case float64:
		return appendNumber(dst, v)
	case bool:
		return strconv.AppendBool(dst, v), nil
	case []any:
		dst = append(dst, '[')
		for i := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendValue(dst, v[i]); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case map[string]any:
		return appendObject(dst, v)
	}
	return nil, fmt.Errorf("a value of type %T has no JSON form: %w", v, safety.ErrInvalid)
}

func appendObject(dst []byte, m map[string]any) (_ []byte, err error) {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendText(dst, key); err != nil {
			return nil, err
		}
		if dst, err = appendValue(append(dst, ':'), m[key]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}
