// Package font carries the letters of the papers, so that neither a reader nor
// a server needs Bangla fonts installed. Both files are Noto Sans Bengali 400
// from the npm package @fontsource/noto-sans-bengali 5.3.0, SIL Open Font
// License 1.1 (LICENSE), as WOFF 1.0: browsers and the PDF maker both read it.
// LICENSE-GO-FONTS is that of the faces the PDF maker adds from
// golang.org/x/image.
package font

import _ "embed"

// Bangla has the letters of the Bengali block and no others.
//
//go:embed noto-sans-bengali-400.woff
var Bangla []byte

// Latin has the Latin-1 letters that belong to Bangla.
//
//go:embed noto-sans-bengali-latin-400.woff
var Latin []byte
