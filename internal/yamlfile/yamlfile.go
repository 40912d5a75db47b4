// Package yamlfile reads YAML that people write by hand: configuration, site
// files, scenarios. It is strict, and it names all mistakes of a file at once,
// each with file and line, because an installer on a ladder has no time to
// find them one by one.
//
// A file is one document. Unknown keys, keys that stand twice, values of the
// wrong type, numbers that are not finite, tags and anchors are mistakes. An empty
// value (null) leaves the field as it was, so defaults are set before parsing.
// Durations are written as Go writes them: 30s, 1m30s.
package yamlfile

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is a parsed file that still knows where everything stands. It is
// immutable after Parse and safe for concurrent use.
type File struct {
	name string
	root *yaml.Node // nil when the text is not YAML or is empty
}

// Parse decodes data into v, a non-nil pointer to a struct or map. name is how
// messages call the file. On mistakes the error is of type Mistakes and wraps
// safety.ErrInvalid; then v holds what could be decoded and the File is still
// usable, so that a caller can add what it finds wrong with the meaning.
//
// Fields are named by their yaml tag as in go.yaml.in/yaml. Types that
// implement yaml.Unmarshaler or encoding.TextUnmarshaler decode themselves, and
// a yaml.Node takes the node as it stands. Parse panics when v has a field
// whose type cannot be decoded, such as a channel.
func Parse(name string, data []byte, v any) (*File, error) {
	f := &File{name: name}
	root, err := document(data)
	if err != nil {
		return f, Mistakes{f.syntax(err)}
	}
	f.root = root
	d := decoder{file: name}
	if d.machinery(root); len(d.found) == 0 {
		d.value(root, reflect.ValueOf(v).Elem(), "")
	}
	return f, Join(d.found...)
}

var errEmpty = errors.New("the file is empty")

type secondDocumentError struct{ line int }

func (e *secondDocumentError) Error() string {
	return "more than one document in the file (a line of --- starts another)"
}

func document(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, errEmpty
	} else if err != nil {
		return nil, err
	}
	if doc.Content[0].ShortTag() == "!!null" {
		return nil, errEmpty
	}
	if err := dec.Decode(&next); err == nil {
		return nil, &secondDocumentError{line: next.Line}
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// syntax turns an error of the YAML reader, which names the line in its text,
// into a Mistake.
func (f *File) syntax(err error) Mistake {
	if second, ok := errors.AsType[*secondDocumentError](err); ok {
		return Mistake{File: f.name, Line: second.line, Text: err.Error()}
	}
	text := err.Error()
	head := yamlLine.FindStringSubmatch(text)
	line, convErr := strconv.Atoi(head[1])
	if convErr != nil {
		line = 1
	}
	return Mistake{File: f.name, Line: line, Text: strings.TrimPrefix(text, head[0])}
}
