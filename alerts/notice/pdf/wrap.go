package pdf

import (
	"fmt"
	"slices"
	"strings"
)

// Style says how a text looks.
type Style struct {
	Size  float64 // in points, above zero
	Bold  bool
	Mono  bool // for identifiers
	Muted bool // dark grey
}

// Span is a text in one style. Spans of one paragraph follow each other
// directly: the space between two words of different spans has to be in one.
type Span struct {
	Text string
	Style
}

// Paragraph is text that is broken into lines where its words end.
type Paragraph struct {
	Spans  []Span
	Second []Span // the same in another language: after a dot, or on lines of its own if one line cannot hold both
	Dotted bool   // a dotted line below invites a person to write
}

// leading is the height of a line in sizes of its largest letters.
const leading = 1.5

// piece is a word of a line, or a part of one that no line can hold.
type piece struct {
	clusters []cluster
	style    Style
	width    float64 // in points
	spaced   bool    // a space goes before it
}

// line is what fits between two edges.
type line struct {
	pieces []piece
	size   float64 // of its largest letters
	width  float64
	dotted bool
}

func (l line) height() float64 { return leading * l.size }

// wrap breaks a paragraph into lines no wider than width. A word that is wider
// is broken between clusters.
func (s *setter) wrap(p Paragraph, width float64) []line {
	lines := s.fill(s.pieces(p.Spans), width)
	if len(p.Second) > 0 {
		dot := Span{" · ", p.Second[0].Style}
		joined := s.fill(s.pieces(slices.Concat(p.Spans, []Span{dot}, p.Second)), width)
		if len(joined) == 1 {
			lines = joined
		} else {
			lines = append(lines, s.fill(s.pieces(p.Second), width)...)
		}
	}
	if p.Dotted && len(lines) > 0 {
		lines[len(lines)-1].dotted = true
	}
	return lines
}

func (s *setter) fill(pieces []piece, width float64) []line {
	var lines []line
	current := line{}
	for _, next := range pieces {
		gap := s.gap(current, next)
		if current.width+gap+next.width > width && len(current.pieces) > 0 {
			lines, current, gap = append(lines, current), line{}, 0
		}
		for next.width > width && len(next.clusters) > 1 {
			var head piece
			head, next = next.split(width)
			lines = append(lines, line{}.with(head, 0))
		}
		current = current.with(next, gap)
	}
	if len(current.pieces) > 0 {
		lines = append(lines, current)
	}
	return lines
}

func (l line) with(p piece, gap float64) line {
	p.spaced = gap > 0
	l.pieces, l.size, l.width = append(l.pieces, p), max(l.size, p.style.Size), l.width+gap+p.width
	return l
}

// gap is the width of the space that next wants after what stands on l.
func (s *setter) gap(l line, next piece) float64 {
	if len(l.pieces) == 0 || !next.spaced {
		return 0
	}
	last := l.pieces[len(l.pieces)-1]
	return s.space(last.face()).width * last.style.Size
}

func (p piece) face() int { return p.clusters[len(p.clusters)-1].face }

// split cuts off the part of p that fits in width, at least one cluster.
func (p piece) split(width float64) (head, rest piece) {
	n, used := 1, p.clusters[0].width*p.style.Size
	for n < len(p.clusters)-1 && used+p.clusters[n].width*p.style.Size <= width {
		used += p.clusters[n].width * p.style.Size
		n++
	}
	head = piece{clusters: p.clusters[:n], style: p.style, width: used, spaced: p.spaced}
	return head, piece{clusters: p.clusters[n:], style: p.style, width: p.width - used}
}

// pieces returns the words of spans.
func (s *setter) pieces(spans []Span) []piece {
	var out []piece
	spaced := false
	for _, span := range spans {
		if len(span.Text) > maxSpan {
			s.fail(fmt.Errorf("a text of %d bytes: %w", len(span.Text), ErrTooLong))
			continue
		}
		words := strings.SplitSeq(clean(span.Text), " ")
		first := true
		for w := range words {
			spaced = spaced || !first
			first = false
			if w == "" {
				continue
			}
			next := piece{clusters: s.shape(word{w, span.Mono}), style: span.Style, spaced: spaced}
			for _, c := range next.clusters {
				next.width += c.width * span.Size
			}
			if len(next.clusters) > 0 {
				out, spaced = append(out, next), false
			}
		}
	}
	return out
}
