// Package sitefile reads and writes the site file: one factory in its building
// as people describe it. Reading is strict: a missing life-safety field and an
// impossible value are mistakes, each named with file, line and remedy. What
// is possible but doubtful, such as a head in a wrong place, is a warning.
package sitefile

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

// Parse reads a site file. name is how messages call it. All mistakes come at
// once, as an error of type yamlfile.Mistakes wrapping safety.ErrInvalid;
// warnings come with or without them. No list of the site is nil.
func Parse(name string, data []byte) (site safety.Site, warnings yamlfile.Mistakes, err error) {
	f, err := yamlfile.Parse(name, data, &site)
	unread, _ := errors.AsType[yamlfile.Mistakes](err)
	if slices.ContainsFunc(unread, func(m yamlfile.Mistake) bool { return m.Path == "" }) {
		return site, nil, err
	}
	c := newCheck(f, &site)
	c.all()
	fillLists(reflect.ValueOf(&site).Elem())
	warnings, _ = errors.AsType[yamlfile.Mistakes](yamlfile.Join(c.warnings...))
	return site, warnings, yamlfile.Join(append(c.beside(unread), err)...)
}

// Export writes site as a file from which Parse makes the same site, but that
// its empty lists are not nil. It does not validate.
func Export(site safety.Site) ([]byte, error) {
	var doc yaml.Node
	if err := doc.Encode(site); err != nil {
		return nil, fmt.Errorf("export site %s: %w", site.Factory.ID, err)
	}
	inline(&doc)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(&doc), enc.Close()); err != nil {
		return nil, fmt.Errorf("export site %s: %w", site.Factory.ID, err)
	}
	return out.Bytes(), nil
}

// inline puts points and lists of words on one line each, as people write them.
func inline(node *yaml.Node) (plain bool) {
	plain = true
	for _, item := range node.Content {
		if !inline(item) || item.Kind == yaml.MappingNode {
			plain = false
		}
	}
	if node.Kind == yaml.SequenceNode && plain {
		node.Style |= yaml.FlowStyle
	}
	return plain && node.Kind != yaml.MappingNode
}

// fillLists makes nil lists empty, so that as JSON they are [] and not null.
func fillLists(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillLists(v.Field(i))
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fillLists(v.Index(i))
		}
	}
}
