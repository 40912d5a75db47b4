// Package sitefile reads and writes the site file: one factory in its building
// as people describe it. Reading is strict: a missing life-safety field and an
// impossible value are mistakes, each named with file, line and remedy. What
// is possible but doubtful, such as a head in a wrong place, is a warning.
package sitefile

import (
	"errors"
	"reflect"
	"slices"

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

// fillLists makes nil lists empty, so that as JSON they are [] and not null.
func fillLists(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fillLists(field)
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
