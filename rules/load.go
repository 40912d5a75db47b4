package rules

import "io/fs"

// Load reads the packs that match glob (default *.yml) in fsys; *_test.yml is
// skipped. All mistakes of all files are returned at once, each with file,
// line, column and a caret, in one error that wraps safety.ErrInvalid.
func Load(fsys fs.FS, glob ...string) ([]Pack, error) { return nil, nil }
