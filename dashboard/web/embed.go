// Package web holds the built page. `make web` builds it; on a clean clone
// only the marker file is there and the server refuses to start without it.
package web

import (
	"embed"
	"errors"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Page returns the built page, or an error that names the remedy when the page
// was not built into this binary.
func Page() (fs.FS, error) { return built(dist) }

func built(dist fs.FS) (fs.FS, error) {
	page, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(page, "index.html"); err != nil {
		return nil, errors.New("the page is not built into this binary: run `make web` and build again")
	}
	return page, nil
}
