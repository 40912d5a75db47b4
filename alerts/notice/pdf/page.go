package pdf

import (
	"bytes"
	"fmt"
)

// A4 and its margins, in points.
const (
	mm         = 72 / 25.4
	pageWidth  = 210 * mm
	pageHeight = 297 * mm
	margin     = 16 * mm
	bodyWidth  = pageWidth - 2*margin
	bodyBottom = pageHeight - margin
	footTop    = bodyBottom + 2*mm
)

// maxPages bounds what one document can cost.
const maxPages = 500

// bold letters are drawn with an outline of this width, in sizes.
const boldness = 0.035

// muted is the grey of what stands second.
const muted = 0.27

// page is the content of one page. y runs down from the top edge.
type page struct {
	buf bytes.Buffer
}

// line draws l with its top at y.
func (p *page) line(s *setter, l line, x, y float64) {
	top := y + (leading-1.325)/2*l.size // the faces are 1.325 high, 0.917 above the baseline
	fmt.Fprintf(&p.buf, "BT 1 0 0 1 %.2f %.2f Tm\n", x, pageHeight-top-0.917*l.size)
	state := textState{face: -1}
	for i, piece := range l.pieces {
		clusters := piece.clusters
		if piece.spaced && i > 0 {
			last := l.pieces[i-1]
			p.show(&state, []cluster{s.space(last.face())}, last.style)
		}
		p.show(&state, clusters, piece.style)
	}
	p.buf.WriteString("ET\n")
}

// textState is what the last piece of a line left set.
type textState struct {
	face  int
	style Style
}

func (p *page) show(state *textState, clusters []cluster, style Style) {
	for begin := 0; begin < len(clusters); {
		end := begin
		for end < len(clusters) && clusters[end].face == clusters[begin].face {
			end++
		}
		p.set(state, textState{clusters[begin].face, style})
		p.buf.WriteByte('<')
		for _, c := range clusters[begin:end] {
			for _, code := range c.codes {
				p.code(code)
			}
		}
		p.buf.WriteString("> Tj\n")
		begin = end
	}
}

// code writes a code as four hexadecimal digits.
func (p *page) code(code uint16) {
	const digits = "0123456789ABCDEF"
	p.buf.Write([]byte{digits[code>>12], digits[code>>8&15], digits[code>>4&15], digits[code&15]})
}

func (p *page) set(state *textState, next textState) {
	fresh := state.face < 0
	if fresh || state.face != next.face || state.style.Size != next.style.Size {
		fmt.Fprintf(&p.buf, "/F%d %.2f Tf\n", next.face, next.style.Size)
	}
	if fresh || state.style.Muted != next.style.Muted {
		grey := 0.0
		if next.style.Muted {
			grey = muted
		}
		fmt.Fprintf(&p.buf, "%.2f g %.2[1]f G\n", grey)
	}
	if fresh || state.style.Bold != next.style.Bold || state.style.Size != next.style.Size {
		mode := 0
		if next.style.Bold {
			mode = 2
		}
		fmt.Fprintf(&p.buf, "%d Tr %.2f w\n", mode, boldness*next.style.Size)
	}
	*state = next
}

// frame draws a rectangle; fill is its grey, 1 is white.
func (p *page) frame(x, y, width, height, border, stroke, fill float64) {
	fmt.Fprintf(&p.buf, "%.2f g %.2f G %.2f w %.2f %.2f %.2f %.2f re B\n",
		fill, stroke, border, x, pageHeight-y-height, width, height)
}

// dots draws a dotted line.
func (p *page) dots(x, y, width float64) {
	fmt.Fprintf(&p.buf, "0 G 0.6 w [0.6 1.8] 0 d %.2f %.2f m %.2f %.2f l S [] 0 d\n",
		x, pageHeight-y, x+width, pageHeight-y)
}
