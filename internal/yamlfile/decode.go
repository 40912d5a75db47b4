package yamlfile

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

type decoder struct {
	file  string
	found []error
}

func (d *decoder) mistake(node *yaml.Node, path, format string, args ...any) {
	d.found = append(d.found, Mistake{File: d.file, Line: node.Line, Path: path, Text: fmt.Sprintf(format, args...)})
}

// machinery refuses what people rarely need and cannot see through: tags, and
// anchors and aliases, a few of which can stand for a document of any size.
func (d *decoder) machinery(node *yaml.Node) {
	switch {
	case node.Anchor != "" || node.Kind == yaml.AliasNode:
		d.mistake(node, "", "anchors and aliases (& and *) are not read here; write the value out")
		return
	case node.Style&yaml.TaggedStyle != 0:
		d.mistake(node, "", "tags (%s) are not read here", node.Tag)
		return
	}
	for _, c := range node.Content {
		d.machinery(c)
	}
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	nodeType     = reflect.TypeFor[yaml.Node]()
)

func (d *decoder) value(node *yaml.Node, v reflect.Value, path string) {
	if v.Type() == nodeType {
		v.Set(reflect.ValueOf(*node))
		return
	}
	if node.ShortTag() == "!!null" || d.unmarshaler(node, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(node, v.Elem(), path)
	case reflect.Struct:
		d.structure(node, v, path)
	case reflect.Map:
		d.mapping(node, v, path)
	case reflect.Slice, reflect.Array:
		d.sequence(node, v, path)
	case reflect.Interface:
		d.anything(node, v, path)
	default:
		d.scalar(node, v, path)
	}
}

// unmarshaler reports whether v decodes itself, and lets it.
func (d *decoder) unmarshaler(node *yaml.Node, v reflect.Value, path string) bool {
	switch u := v.Addr().Interface().(type) {
	case yaml.Unmarshaler:
		d.report(node, path, u.UnmarshalYAML(node))
		return true
	case encoding.TextUnmarshaler:
		if node.Kind != yaml.ScalarNode {
			d.mistake(node, path, "want one value, have %s", kindName(node))
			return true
		}
		d.report(node, path, u.UnmarshalText([]byte(node.Value)))
		return true
	}
	return false
}

// report records an error that came from outside this package. The YAML
// library's own errors already carry lines.
func (d *decoder) report(node *yaml.Node, path string, err error) {
	if err == nil {
		return
	}
	if typeErr, ok := errors.AsType[*yaml.TypeError](err); ok {
		for _, text := range typeErr.Errors {
			m := (&File{name: d.file}).syntax(errors.New(text))
			m.Path = path
			d.found = append(d.found, m)
		}
		return
	}
	d.mistake(node, path, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
}

func (d *decoder) structure(node *yaml.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	d.entries(node, path, func(key, value *yaml.Node) {
		at := join(path, key.Value)
		i, known := fields[key.Value]
		if !known {
			d.mistake(key, at, "unknown key%s", suggestion(key.Value, fields))
			return
		}
		d.value(value, v.Field(i), at)
	})
}

func (d *decoder) mapping(node *yaml.Node, v reflect.Value, path string) {
	if v.Type().Key().Kind() != reflect.String {
		panic("yamlfile: map key " + v.Type().Key().String() + " is no string")
	}
	made := reflect.MakeMap(v.Type())
	d.entries(node, path, func(key, value *yaml.Node) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(value, item, join(path, key.Value))
		made.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), item)
	})
	v.Set(made)
}

// entries calls fn for each key of a mapping, once per key.
func (d *decoder) entries(node *yaml.Node, path string, fn func(key, value *yaml.Node)) {
	if node.Kind != yaml.MappingNode {
		d.mistake(node, path, "want keys and values, have %s", kindName(node))
		return
	}
	seen := make(map[string]int, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null" {
			d.mistake(key, path, "a key must be one plain word")
			continue
		}
		if first, twice := seen[key.Value]; twice {
			d.mistake(key, join(path, key.Value), "stands twice, first on line %d", first)
			continue
		}
		seen[key.Value] = key.Line
		fn(key, value)
	}
}

func (d *decoder) sequence(node *yaml.Node, v reflect.Value, path string) {
	if node.Kind != yaml.SequenceNode {
		d.mistake(node, path, "want a list, have %s", kindName(node))
		return
	}
	n := len(node.Content)
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), n, n))
	} else if n != v.Len() {
		d.mistake(node, path, "want a list of %d, have %d", v.Len(), n)
		return
	}
	for i, item := range node.Content {
		if item.ShortTag() == "!!null" && v.Type().Elem() != nodeType {
			d.mistake(item, index(path, i), "empty item in a list")
			continue
		}
		d.value(item, v.Index(i), index(path, i))
	}
}

func (d *decoder) anything(node *yaml.Node, v reflect.Value, path string) {
	if v.NumMethod() > 0 {
		panic("yamlfile: cannot decode into " + v.Type().String())
	}
	var decoded any
	if err := node.Decode(&decoded); err != nil {
		d.report(node, path, err)
		return
	}
	v.Set(reflect.ValueOf(&decoded).Elem())
}
