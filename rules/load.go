package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

// Load reads the packs that match glob (default *.yml) in fsys; *_test.yml is
// skipped. All mistakes of all files are returned at once, each with file,
// line, column and a caret, in one error that wraps safety.ErrInvalid.
func Load(fsys fs.FS, glob ...string) ([]Pack, error) {
	names, err := match(fsys, glob)
	if err != nil {
		return nil, err
	}
	var packs []Pack
	var mistakes []error
	owner := map[string]string{} // of rule names
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		p, err := parsePack(name, data, owner)
		if err != nil {
			mistakes = append(mistakes, err)
		}
		packs = append(packs, p)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return packs, nil
}

func match(fsys fs.FS, globs []string) ([]string, error) {
	if len(globs) == 0 {
		globs = []string{"*.yml"}
	}
	var names []string
	for _, glob := range globs {
		found, err := fs.Glob(fsys, glob)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", glob, err)
		}
		names = append(names, found...)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.yml") })
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil, fmt.Errorf("no rules in %s: %w", strings.Join(globs, ", "), safety.ErrInvalid)
	}
	return names, nil
}

// parsePack reads one file. owner maps the names of rules read so far to
// where they stand.
func parsePack(name string, data []byte, owner map[string]string) (Pack, error) {
	src := newSource(name, data)
	p := Pack{Name: strings.TrimSuffix(path.Base(name), ".yml"), File: name}
	if !validUTF8(src, data) {
		return p, src.err()
	}
	var doc yaml.Node
	if _, err := yamlfile.Parse(name, data, &doc); err != nil {
		src.unreadable(err)
		return p, src.err()
	}
	root := &doc
	top := src.mapping(root, "a pack", "rules")
	list := top.of["rules"]
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		src.wrong(root, "a pack wants rules: a list of at least one rule")
		return p, src.err()
	}
	for _, n := range list.Content {
		r := src.rule(n)
		if where := owner[r.Name]; where != "" && r.Name != "" {
			src.wrong(n, "rule %s stands already at %s", r.Name, where)
		}
		owner[r.Name] = fmt.Sprintf("%s:%d", name, n.Line)
		p.Rules = append(p.Rules, r)
	}
	return p, src.err()
}
