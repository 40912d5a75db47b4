package pdf

import (
	"fmt"
	"strconv"

	typeface "github.com/go-text/typesetting/font"
)

// maxGlyphs leaves room below what two bytes can count.
const maxGlyphs = 60_000

// shapedCluster is what a cluster looks like, in units of its face.
type shapedCluster struct {
	parts   []part
	advance float64
}

type part struct {
	gid  typeface.GID
	x, y float64
}

// subset is the font of one face made for one document: its glyphs are the
// clusters that the document uses, glyph 0 is the box for what is missing.
type subset struct {
	name   string
	face   *typeface.Face
	upem   float64
	ids    map[string]uint16
	glyphs []subsetGlyph
	lacks  map[rune]bool // answers of has
}

type subsetGlyph struct {
	text string // what a reader reads
	shapedCluster
}

func newSubset(name string, face *typeface.Face) *subset {
	f := &subset{name: name, face: face, upem: float64(face.Upem()), ids: map[string]uint16{}, lacks: map[rune]bool{}}
	f.glyphs = []subsetGlyph{{text: "\ufffd", shapedCluster: shapedCluster{parts: []part{{}}, advance: float64(face.HorizontalAdvance(0))}}}
	return f
}

func (f *subset) has(r rune) bool {
	lacks, known := f.lacks[r]
	if !known {
		gid, ok := f.face.NominalGlyph(r)
		lacks = !ok || gid == 0
		f.lacks[r] = lacks
	}
	return !lacks
}

// id returns the code of a glyph that looks like c and reads as text.
func (f *subset) id(text string, c shapedCluster) (uint16, error) {
	key := c.key(text)
	if id, ok := f.ids[key]; ok {
		return id, nil
	}
	if len(f.glyphs) >= maxGlyphs {
		return 0, fmt.Errorf("more than %d clusters of %s: %w", maxGlyphs, f.name, ErrTooLong)
	}
	id := uint16(len(f.glyphs))
	f.ids[key], f.glyphs = id, append(f.glyphs, subsetGlyph{text, c})
	return id, nil
}

// key tells glyphs apart: what they read as and how they look.
func (c shapedCluster) key(text string) string {
	b := append([]byte(text), 0)
	b = strconv.AppendFloat(b, c.advance, 'g', -1, 64)
	for _, p := range c.parts {
		b = strconv.AppendUint(append(b, ' '), uint64(p.gid), 10)
		b = strconv.AppendFloat(append(b, ','), p.x, 'g', -1, 64)
		b = strconv.AppendFloat(append(b, ','), p.y, 'g', -1, 64)
	}
	return string(b)
}

// used says whether the document has any text in this face.
func (f *subset) used() bool { return len(f.glyphs) > 1 }

// width returns the width of a glyph in thousandths of an em.
func (g subsetGlyph) width(f *subset) float64 { return g.advance * 1000 / f.upem }
