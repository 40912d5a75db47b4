package yamlfile

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) scalar(node *yaml.Node, v reflect.Value, path string) {
	want, decode := scalarDecoder(v)
	if node.Kind != yaml.ScalarNode {
		d.mistake(node, path, "want %s, have %s", want, kindName(node))
		return
	}
	if !decode(node, v) {
		d.mistake(node, path, "want %s, have %q", want, node.Value)
	}
}

// scalarDecoder returns what v wants, in words, and how to put it there.
func scalarDecoder(v reflect.Value) (want string, decode func(*yaml.Node, reflect.Value) bool) {
	if v.Type() == durationType {
		return "a duration such as 30s or 1m30s", decodeDuration
	}
	switch v.Kind() {
	case reflect.String:
		// Any scalar is taken as written, so that 01711000000, 2026-01-01 and
		// no are texts where a text is wanted.
		return "a text", func(node *yaml.Node, v reflect.Value) bool {
			v.SetString(node.Value)
			return true
		}
	case reflect.Bool:
		return "true or false", decodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		low, high := int64(math.MinInt64)>>(64-v.Type().Bits()), int64(math.MaxInt64)>>(64-v.Type().Bits())
		return "a whole number" + within(v.Type(), low, high), decodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		high := uint64(math.MaxUint64) >> (64 - v.Type().Bits())
		return "a whole number from 0" + within(v.Type(), 0, high), decodeUint
	case reflect.Float32, reflect.Float64:
		return "a finite number", decodeFloat
	}
	panic("yamlfile: cannot decode into " + v.Type().String())
}

func within[N int64 | uint64](t reflect.Type, low, high N) string {
	switch {
	case t.Bits() == 64:
		return ""
	case low == 0:
		return fmt.Sprintf(" to %d", high)
	}
	return fmt.Sprintf(" from %d to %d", low, high)
}

func decodeDuration(node *yaml.Node, v reflect.Value) bool {
	duration, err := time.ParseDuration(node.Value)
	v.SetInt(int64(duration))
	return err == nil
}

func decodeBool(node *yaml.Node, v reflect.Value) bool {
	v.SetBool(node.Value == "true")
	return node.ShortTag() == "!!bool" && (node.Value == "true" || node.Value == "false")
}

func decodeInt(node *yaml.Node, v reflect.Value) bool {
	var n int64
	if !wholeNumber(node) || node.Decode(&n) != nil || v.OverflowInt(n) {
		return false
	}
	v.SetInt(n)
	return true
}

func decodeUint(node *yaml.Node, v reflect.Value) bool {
	var n uint64
	if !wholeNumber(node) || node.Decode(&n) != nil || v.OverflowUint(n) {
		return false
	}
	v.SetUint(n)
	return true
}

// wholeNumber reports whether node is a number that everyone reads alike: 010
// is eight to YAML and ten to people.
func wholeNumber(node *yaml.Node) bool {
	digits := strings.TrimLeft(node.Value, "+-")
	octal := len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'
	return node.ShortTag() == "!!int" && !octal
}

func decodeFloat(node *yaml.Node, v reflect.Value) bool {
	var f float64
	if node.ShortTag() != "!!float" && !wholeNumber(node) || node.Decode(&f) != nil {
		return false
	}
	if math.IsNaN(f) || math.IsInf(f, 0) || v.OverflowFloat(f) {
		return false
	}
	v.SetFloat(f)
	return true
}

func kindName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", node.Value)
}
