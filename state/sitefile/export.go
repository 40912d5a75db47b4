package sitefile

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/safety"
)

// Export writes site as a file from which Parse makes the same site, but that
// its empty lists are not nil. It does not validate.
func Export(site safety.Site) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(node(reflect.ValueOf(site))), enc.Close()); err != nil {
		return nil, fmt.Errorf("export site %s: %w", site.Factory.ID, err)
	}
	return out.Bytes(), nil
}

// node is what stands in the file for v. The library's own way from structs to
// nodes goes through text and breaks on strings that begin with a line break.
func node(v reflect.Value) *yaml.Node {
	if d, ok := reflect.TypeAssert[time.Duration](v); ok {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: d.String()}
	}
	switch v.Kind() {
	case reflect.Struct:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for field, value := range v.Fields() {
			n.Content = append(n.Content, text(field.Tag.Get("yaml")), node(value))
		}
		return n
	case reflect.Slice, reflect.Array:
		return list(v)
	case reflect.String:
		return text(v.String())
	case reflect.Bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatBool(v.Bool())}
	case reflect.Int:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatInt(v.Int(), 10)}
	case reflect.Float64:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatFloat(v.Float(), 'g', -1, 64)}
	}
	panic("sitefile: a site holds no " + v.Type().String())
}

func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// list puts points and lists of words on one line each, as people write them.
func list(v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for i := range v.Len() {
		one := node(v.Index(i))
		n.Content = append(n.Content, one)
		if one.Kind == yaml.MappingNode {
			n.Style = 0
		}
	}
	return n
}
