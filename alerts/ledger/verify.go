package ledger

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"nirapod/internal/tree"
	"nirapod/state"
)

const maxFile = 1 << 30 // bytes of one file in an archive

// Report is what was verified.
type Report struct {
	Head     tree.Head
	Leaves   int
	Full     int    // leaves whose whole text is in the archive
	Key      string // verifier key of the signatures
	OwnKey   bool   // the key came with the archive: nothing else vouches for it
	Readings int    // lines of readings, the heading not counted
}

// Verify verifies an archive that Evidence wrote, as a zip file opened with
// zip.NewReader or as a directory. public is the verifier key, "" takes the one
// in the archive. An error wrapping state.ErrTampered names what is wrong first.
func Verify(archive fs.FS, public string) (r Report, err error) {
	files, err := readAll(archive)
	if err != nil {
		return r, err
	}
	if r.Key = public; public == "" {
		r.Key, r.OwnKey = strings.TrimSpace(string(files[fileKey])), true
	}
	if err := checkManifest(files, r.Key); err != nil {
		return r, err
	}
	if r.Head, err = tree.OpenHead(files[fileHead], r.Key); err != nil {
		return r, wrong("%s: %v", fileHead, err)
	}
	last := int64(-1)
	for i, text := range lines(files[fileLedger]) {
		n, full, err := checkLine(text, r.Head)
		if err != nil {
			return r, fmt.Errorf("%s line %d: %w", fileLedger, i+1, err)
		}
		if n <= last {
			return r, wrong("%s line %d: leaf %d stands after leaf %d", fileLedger, i+1, n, last)
		}
		last = n
		r.Leaves++
		if full {
			r.Full++
		}
	}
	if r.Leaves == 0 {
		return r, wrong("%s holds nothing", fileLedger)
	}
	r.Readings = max(len(lines(files[fileReadings]))-1, 0)
	return r, nil
}

func wrong(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, state.ErrTampered)...)
}

func lines(data []byte) [][]byte {
	data = bytes.TrimSuffix(data, []byte("\n"))
	if len(data) == 0 {
		return nil
	}
	return bytes.Split(data, []byte("\n"))
}

func readAll(archive fs.FS) (map[string][]byte, error) {
	if z, ok := archive.(*zip.Reader); ok {
		seen := map[string]bool{}
		for _, f := range z.File {
			if seen[f.Name] {
				return nil, wrong("%s is in the archive twice", f.Name)
			}
			seen[f.Name] = true
		}
	}
	files := map[string][]byte{}
	err := fs.WalkDir(archive, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := archive.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxFile))
		if err != nil {
			return wrong("%s cannot be read: %v", path, err)
		}
		files[path] = data
		return nil
	})
	return files, err
}

// checkManifest compares every file with its sum: none may be missing, none
// more than were signed.
func checkManifest(files map[string][]byte, public string) error {
	list, err := tree.OpenText(files[fileManifest], public)
	if err != nil {
		return wrong("%s: %v", fileManifest, err)
	}
	listed := map[string]bool{fileManifest: true}
	for _, text := range lines([]byte(list)) {
		sum, name, _ := strings.Cut(string(text), "  ")
		data, ok := files[name]
		switch {
		case !ok:
			return wrong("%s is missing", name)
		case fmt.Sprintf("%x", sha256.Sum256(data)) != sum:
			return wrong("%s was changed", name)
		}
		listed[name] = true
	}
	for name := range files {
		if !listed[name] {
			return wrong("%s was added", name)
		}
	}
	for _, name := range [...]string{fileLedger, fileReadings, fileHead} {
		if !listed[name] {
			return wrong("%s is missing", name)
		}
	}
	return nil
}

// checkLine verifies one leaf: its texts, and that it is in the tree.
func checkLine(text []byte, head tree.Head) (n int64, full bool, err error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return 0, false, wrong("%v", err)
	}
	leaf, err := tree.DecodeLeaf([]byte(l.Leaf))
	if err != nil {
		return 0, false, wrong("%v", err)
	}
	var whole []byte
	if full = l.Full != ""; full {
		whole = []byte(l.Full)
	}
	salt, err := base64.StdEncoding.DecodeString(l.Salt)
	if err == nil {
		err = leaf.Check([]byte(l.Text), salt, whole)
	}
	if err != nil {
		return 0, false, wrong("%v", err)
	}
	if leaf.Factory != head.Factory {
		return 0, false, wrong("%s is not of factory %s", leaf, head.Factory)
	}
	if err := tlog.CheckRecord(l.Proof, head.Size, head.Root, leaf.N, tlog.RecordHash([]byte(l.Leaf))); err != nil {
		return 0, false, wrong("%s is not in the signed tree: %v", leaf, err)
	}
	return leaf.N, full, nil
}
