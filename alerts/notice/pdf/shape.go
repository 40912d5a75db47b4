package pdf

import (
	"errors"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	typeface "github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// ErrTooLong reports more text than one document holds: over 500 pages, over
// 60,000 different clusters of one face, or over 1 MiB in one span.
var ErrTooLong = errors.New("too long for one document")

// maxSpan is the longest text of a span in bytes.
const maxSpan = 1 << 20

// maxWord is how many characters are shaped together. It bounds a cluster, and
// so what one glyph and one ToUnicode entry can grow to. No word of a language
// is as long.
const maxWord = 64

// cluster is one or two codes of a subset font that are drawn as a whole.
type cluster struct {
	face  int
	codes []uint16
	width float64 // in em
}

type word struct {
	text string
	mono bool
}

// setter shapes the words of one document and collects the glyphs that they
// need. It is not safe for concurrent use.
type setter struct {
	shaper shaping.HarfbuzzShaper
	fonts  [faceCount]*subset
	words  map[word][]cluster
	spaces [faceCount]*cluster
	err    error // the first that occurred; what is too long is left out
}

func newSetter() (*setter, error) {
	fonts, err := sources()
	if err != nil {
		return nil, err
	}
	s := &setter{words: map[word][]cluster{}}
	for i, f := range fonts {
		s.fonts[i] = newSubset(faceNames[i], typeface.NewFace(f))
	}
	return s, nil
}

// clean makes text printable: what controls the direction or form of text and
// is not seen is left out, joiners of Bangla stay, line ends become spaces.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c' || r == '\u200d':
			return r
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// shape returns the clusters of one word, which has no space in it.
func (s *setter) shape(w word) []cluster {
	if known, ok := s.words[w]; ok {
		return known
	}
	var out []cluster
	runes := []rune(w.text)
	for begin := 0; begin < len(runes); {
		face, end := s.run(runes, begin, w.mono)
		out = append(out, s.shapeRun(runes[begin:end], face)...)
		begin = end
	}
	s.words[w] = out
	return out
}

// run returns the face for runes[begin:] and how far it goes.
func (s *setter) run(runes []rune, begin int, monospaced bool) (face, end int) {
	face = s.faceFor(runes[begin], monospaced)
	for end = begin + 1; end < min(begin+maxWord, len(runes)); end++ {
		r := runes[end]
		stays := follows(r) && s.fonts[face].has(r)
		if !stays && s.faceFor(r, monospaced) != face {
			return face, end
		}
	}
	for cut := end; end < len(runes) && cut > begin+maxWord/2; cut-- {
		if !follows(runes[cut]) && !follows(runes[cut-1]) {
			return face, cut
		}
	}
	return face, end
}

// follows says whether r belongs to the letter before it.
func follows(r rune) bool {
	return unicode.Is(unicode.M, r) || r == '\u200c' || r == '\u200d'
}

func (s *setter) faceFor(r rune, monospaced bool) int {
	faces := textFaces[:]
	if monospaced {
		faces = monoFaces[:]
	}
	for _, face := range faces {
		if s.fonts[face].has(r) {
			return face
		}
	}
	return regular
}

func (s *setter) shapeRun(runes []rune, face int) []cluster {
	f := s.fonts[face]
	in := shaping.Input{
		Text: runes, RunEnd: len(runes), Direction: di.DirectionLTR, Face: f.face,
		Size: fixed.I(int(f.upem)), Script: language.Latin, Language: "en",
	}
	if face == bangla {
		in.Script, in.Language = language.Bengali, "bn"
	}
	var out []cluster
	glyphs := s.shaper.Shape(in).Glyphs
	for len(glyphs) > 0 {
		n, first := 1, glyphs[0].TextIndex()
		for n < len(glyphs) && glyphs[n].TextIndex() == first {
			n++
		}
		text := string(runes[first:min(first+max(glyphs[0].RunesCount(), 1), len(runes))])
		out = append(out, s.add(face, text, glyphs[:n]))
		glyphs = glyphs[n:]
	}
	return out
}

// space is the gap between words. It is a glyph like any other, so that
// readers need not guess words from distances.
func (s *setter) space(face int) cluster {
	if known := s.spaces[face]; known != nil {
		return *known
	}
	f := s.fonts[face]
	advance := f.upem / 4
	if gid, ok := f.face.NominalGlyph(' '); ok {
		advance = float64(f.face.HorizontalAdvance(gid))
	}
	c := s.code(face, " ", shapedCluster{advance: advance})
	s.spaces[face] = &c
	return c
}

func (s *setter) add(face int, text string, glyphs []shaping.Glyph) cluster {
	c := shapedCluster{}
	for _, g := range glyphs {
		c.parts = append(c.parts, part{
			gid: g.GlyphID, x: c.advance + units(g.XOffset), y: units(g.YOffset),
		})
		c.advance += units(g.Advance)
	}
	return s.code(face, text, c)
}

// code gives a cluster its codes. A cluster of several characters with a mark
// among them gets two: pdf.js takes a glyph whose text has a mark for one
// without width and would put a space after it, so the drawn glyph stands for
// the first character and an empty one for the rest.
func (s *setter) code(face int, text string, c shapedCluster) cluster {
	f := s.fonts[face]
	c.advance = max(c.advance, 0)
	out := cluster{face: face, width: c.advance / f.upem}
	texts := []string{text}
	if runes := []rune(text); len(runes) > 1 && strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Mn, r) }) {
		texts = []string{string(runes[:1]), string(runes[1:])}
	}
	for _, t := range texts {
		id, err := f.id(t, c)
		if err != nil {
			s.fail(err)
		}
		out.codes = append(out.codes, id)
		c = shapedCluster{}
	}
	return out
}

func (s *setter) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func units(v fixed.Int26_6) float64 { return float64(v) / 64 }
