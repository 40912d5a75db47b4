package yamlfile

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Errorf returns a Mistake about the value at path, such as
// zones[2].height_m, with the line of Line(path).
func (f *File) Errorf(path, format string, args ...any) error {
	return Mistake{File: f.name, Line: f.Line(path), Path: path, Text: fmt.Sprintf(format, args...)}
}

// Line returns the line, from 1, on which path stands: the line of the key for
// a value of a mapping, of the item for one of a sequence. When path is
// not in the file, its nearest parent's line is returned; 0 only for a file
// that is not YAML.
func (f *File) Line(path string) int {
	line, _ := f.find(path)
	return line
}

// Node returns the value at path, or nil when the file does not hold it. The
// node is shared: callers must not change it.
func (f *File) Node(path string) *yaml.Node {
	_, node := f.find(path)
	return node
}

// find returns the line of the deepest part of path that exists, and the node
// at path if all of it does.
func (f *File) find(path string) (int, *yaml.Node) {
	if f.root == nil {
		return 0, nil
	}
	line, node := f.root.Line, f.root
	for path != "" {
		var step string
		step, path = cutStep(path)
		key, value := child(node, step)
		if value == nil {
			return line, nil
		}
		line, node = key.Line, value
	}
	return line, node
}

// cutStep splits "zones[2].height_m" into "zones" and "[2].height_m", and
// "[2].height_m" into "[2]" and "height_m".
func cutStep(path string) (step, rest string) {
	end := strings.IndexAny(path, ".[")
	if strings.HasPrefix(path, "[") {
		end = strings.IndexByte(path, ']') + 1
	}
	if end <= 0 {
		return path, ""
	}
	return path[:end], strings.TrimPrefix(path[end:], ".")
}

func child(node *yaml.Node, step string) (key, value *yaml.Node) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i], node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		n, err := strconv.Atoi(strings.Trim(step, "[]"))
		if err == nil && n >= 0 && n < len(node.Content) {
			return node.Content[n], node.Content[n]
		}
	}
	return nil, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
