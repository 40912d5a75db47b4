package ledger

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing/fstest"
)

// Resign signs the sums of changed files, as only the key's owner can.
func (l *Ledger) Resign(files fstest.MapFS, names []string) error {
	var list bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(files[name].Data), name)
	}
	manifest, err := l.key.SignText(list.String())
	files["manifest.txt"] = &fstest.MapFile{Data: manifest}
	return err
}
