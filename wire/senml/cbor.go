package senml

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"nirapod/safety"
)

// tagDecimal marks a decimal fraction [exponent, mantissa], which RFC 8428
// section 6 allows for numbers.
const tagDecimal = 4

// maxElements bounds arrays in CBOR, the pack included.
const maxElements = 1024

var decoder, encoder = modes()

// modes builds the codec's settings once; its errors are a programmer's.
func modes() (cbor.DecMode, cbor.EncMode) {
	dec, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		MaxArrayElements: maxElements,
		MaxMapPairs:      maxLabels,
		MaxNestedLevels:  maxDepth + 2,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	opts := cbor.CoreDetEncOptions()
	opts.NaNConvert, opts.InfConvert = cbor.NaNConvertReject, cbor.InfConvertReject
	enc, err := opts.EncMode()
	if err != nil {
		panic(err)
	}
	return dec, enc
}

// ParseCBOR reads a SenML pack in CBOR. It gives what ParseJSON gives for the
// same pack, but that extra labels come in order of their names, and that no
// array, the pack included, may have more than 1024 elements.
func ParseCBOR(src []byte, lim Limits) ([]Record, error) {
	if len(src) > lim.Bytes {
		return nil, tooLong(len(src), lim)
	}
	var list []map[any]any
	if err := decoder.Unmarshal(src, &list); err != nil {
		return nil, fmt.Errorf("a SenML pack is a CBOR array of maps: %w: %w", err, safety.ErrInvalid)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the pack holds no record: %w", safety.ErrInvalid)
	}
	if len(list) > lim.Records {
		return nil, tooMany(lim)
	}
	recs := make([]Record, len(list))
	for i, m := range list {
		if err := fromMap(&recs[i], m); err != nil {
			return nil, fmt.Errorf("record %d: %w", i+1, err)
		}
	}
	return recs, nil
}

func fromMap(r *Record, m map[any]any) error {
	if len(m) == 0 {
		return fmt.Errorf("the record is empty: %w", safety.ErrInvalid)
	}
	for key, v := range m {
		var err error
		switch key := key.(type) {
		case uint64:
			if key <= 8 {
				err = fromLabel(r, int64(key), v)
			}
		case int64:
			err = fromLabel(r, key, v)
		case string:
			err = fromExtra(r, key, v)
		default:
			err = fmt.Errorf("label %v: want an integer or a text: %w", key, safety.ErrInvalid)
		}
		if err != nil {
			return err
		}
	}
	slices.SortFunc(r.Extra, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// fromExtra takes a label in text. The known ones have integers in CBOR, and
// a second way to write them would let one label stand twice.
func fromExtra(r *Record, name string, v any) error {
	for i := range known {
		if known[i].name == name {
			return fmt.Errorf("label %q: write it as the integer %d: %w", name, known[i].cbor, safety.ErrInvalid)
		}
	}
	if err := checkLabel(r, name); err != nil {
		return err
	}
	v, err := plain(v)
	if err != nil {
		return fmt.Errorf("label %q: %w", name, err)
	}
	r.Extra = append(r.Extra, Label{name, v})
	return nil
}

func fromLabel(r *Record, label int64, v any) error {
	for i := range known {
		k := &known[i]
		if k.cbor != label {
			continue
		}
		r.Has |= k.has
		if err := setField(r, k.has, k.kind, v); err != nil {
			return fmt.Errorf("label %q: %w", k.name, err)
		}
	}
	return nil // an unknown integer is ignored
}

func setField(r *Record, has Has, kind int, v any) (err error) {
	ok := true
	switch kind {
	case text:
		*r.text(has), ok = v.(string)
	case number:
		*r.number(has), err = toNumber(v)
	case boolean:
		r.VB, ok = v.(bool)
	case data:
		r.VD, ok = v.([]byte)
	case version:
		var f float64
		if f, err = toNumber(v); err == nil {
			r.BVer, err = toVersion(f)
		}
	}
	if !ok {
		return fmt.Errorf("a value of type %T does not belong here: %w", v, safety.ErrInvalid)
	}
	return err
}

func toNumber(v any) (float64, error) {
	var f float64
	switch v := v.(type) {
	case uint64:
		f = float64(v)
	case int64:
		f = float64(v)
	case float64:
		f = v
	case cbor.Tag:
		return decimal(v)
	default:
		return 0, fmt.Errorf("want a number, got %T: %w", v, safety.ErrInvalid)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%v is not a number: %w", f, safety.ErrInvalid)
	}
	return f, nil
}

func decimal(t cbor.Tag) (float64, error) {
	pair, ok := t.Content.([]any)
	if t.Number != tagDecimal || !ok || len(pair) != 2 {
		return 0, fmt.Errorf("tag %d: want an integer, a float or a decimal fraction: %w", t.Number, safety.ErrInvalid)
	}
	for _, part := range pair {
		switch part.(type) {
		case uint64, int64:
		default:
			return 0, fmt.Errorf("decimal fraction of %T: want integers: %w", part, safety.ErrInvalid)
		}
	}
	f, err := strconv.ParseFloat(fmt.Sprintf("%de%d", pair[1], pair[0]), 64)
	if err != nil {
		return 0, fmt.Errorf("the decimal fraction does not fit a 64-bit float: %w", safety.ErrInvalid)
	}
	return f, nil
}

// plain turns what the decoder gives into the types that Label promises.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, []byte:
		return v, nil
	case []any:
		for i := range v {
			p, err := plain(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = p
		}
		return v, nil
	case map[any]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			name, ok := key.(string)
			if !ok {
				return nil, fmt.Errorf("key %v: want a text: %w", key, safety.ErrInvalid)
			}
			p, err := plain(item)
			if err != nil {
				return nil, err
			}
			m[name] = p
		}
		return m, nil
	}
	return toNumber(v)
}

// AppendCBOR appends the pack to dst in CBOR with sorted labels and numbers in
// the shortest form that keeps every bit. Errors as in AppendJSON.
func AppendCBOR(dst []byte, recs []Record) ([]byte, error) {
	list := make([]map[any]any, len(recs))
	for i := range recs {
		list[i] = toMap(&recs[i])
	}
	b, err := encoder.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, safety.ErrInvalid)
	}
	return append(dst, b...), nil
}

func toMap(r *Record) map[any]any {
	m := make(map[any]any, len(known)+len(r.Extra))
	for i := range known {
		k := &known[i]
		if r.Has&k.has == 0 {
			continue
		}
		switch k.kind {
		case text:
			m[k.cbor] = *r.text(k.has)
		case number:
			m[k.cbor] = integral(*r.number(k.has))
		case boolean:
			m[k.cbor] = r.VB
		case version:
			m[k.cbor] = r.BVer
		case data:
			m[k.cbor] = r.VD
		}
	}
	for _, x := range r.Extra {
		m[x.Name] = integral(x.Value)
	}
	return m
}

// integral turns whole numbers into integers, which are shorter in CBOR and
// read back as the same float. The negative zero has no integer.
func integral(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 && (v != 0 || !math.Signbit(v)) {
			return int64(v)
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = integral(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, item := range v {
			m[name] = integral(item)
		}
		return m
	}
	return v
}
