package pdf

import (
	"fmt"
	"io"
	"time"
)

// Info is what a document says about itself and repeats on every page.
type Info struct {
	Title   string
	Lang    string // BCP 47, such as bn-BD
	Created time.Time
	Running Paragraph                       // one line at the top of every page after the first; may be empty
	Footer  func(page, pages int) Paragraph // one line at the foot; may be nil
}

// Document is set from top to bottom. It is not safe for concurrent use.
type Document struct {
	info  Info
	set   *setter
	pages []*page
	y     float64 // of the free space, from the top edge
}

// New returns a document with one empty page.
func New(info Info) (*Document, error) {
	set, err := newSetter()
	if err != nil {
		return nil, err
	}
	d := &Document{info: info, set: set}
	d.turn()
	return d, nil
}

// turn begins a page.
func (d *Document) turn() {
	if len(d.pages) >= maxPages {
		d.set.fail(fmt.Errorf("more than %d pages: %w", maxPages, ErrTooLong))
		d.pages[len(d.pages)-1].buf.Reset()
		d.y = margin
		return
	}
	d.pages, d.y = append(d.pages, &page{}), margin
	if running := d.set.wrap(d.info.Running, bodyWidth); len(d.pages) > 1 && len(running) > 0 {
		d.page().line(d.set, running[0], margin, d.y)
		d.y += running[0].height() + 2*mm
	}
}

func (d *Document) page() *page { return d.pages[len(d.pages)-1] }

// room says how much of the page is free, in points.
func (d *Document) room() float64 { return bodyBottom - d.y }

// Space leaves millimetres free, unless the page ends.
func (d *Document) Space(millimetres float64) { d.y += min(millimetres*mm, max(d.room(), 0)) }

// Paragraph sets text over the width of the page.
func (d *Document) Paragraph(p Paragraph) { d.lines(d.set.wrap(p, bodyWidth), margin) }

func (d *Document) lines(lines []line, x float64) {
	for _, l := range lines {
		if l.height() > d.room() {
			d.turn()
		}
		d.page().line(d.set, l, x, d.y)
		d.y += l.height()
		if l.dotted {
			d.page().dots(x, d.y, bodyWidth-(x-margin))
		}
	}
}

// Heading sets text that stays with at least keep points of what follows.
func (d *Document) Heading(p Paragraph, keep float64) {
	lines := d.set.wrap(p, bodyWidth)
	if heightOf(lines)+keep > d.room() {
		d.turn()
	}
	d.lines(lines, margin)
}

// Box is the frame around a text.
type Box struct {
	Border float64 // in points
	Grey   float64 // of the ground: 0 is black, 1 white
	Centre bool
}

// Boxed sets text in a frame. Text longer than a page loses its frame, not its
// words.
func (d *Document) Boxed(p Paragraph, box Box) {
	pad := 2*mm + box.Border/2
	lines := d.set.wrap(p, bodyWidth-2*pad)
	height := heightOf(lines) + 2*pad
	if height > bodyBottom-margin-20*mm {
		d.lines(lines, margin+pad)
		return
	}
	if height > d.room() {
		d.turn()
	}
	half := box.Border / 2
	d.page().frame(margin+half, d.y+half, bodyWidth-box.Border, height-box.Border, box.Border, 0, box.Grey)
	y := d.y + pad
	for _, l := range lines {
		x := margin + pad
		if box.Centre {
			x = (pageWidth - l.width) / 2
		}
		d.page().line(d.set, l, x, y)
		y += l.height()
	}
	d.y += height
}

// List sets numbered paragraphs, all in the style of their first span.
func (d *Document) List(items []Paragraph) {
	const indent = 7 * mm
	for i, item := range items {
		lines := d.set.wrap(item, bodyWidth-indent)
		if len(lines) == 0 {
			continue
		}
		label := d.set.wrap(Paragraph{Spans: []Span{{fmt.Sprintf("%d.", i+1), item.Spans[0].Style}}}, indent)
		if need := heightOf(lines); need > d.room() && (d.fits(need) || lines[0].height() > d.room()) {
			d.turn()
		}
		d.page().line(d.set, label[0], margin, d.y)
		d.lines(lines, margin+indent)
	}
}

func heightOf(lines []line) float64 {
	height := 0.0
	for _, l := range lines {
		height += l.height()
	}
	return height
}

// Write writes the document out. It returns an error wrapping ErrTooLong if
// there was more text than a document holds, else only what w returns.
func (d *Document) Write(w io.Writer) error {
	for i, p := range d.pages {
		if d.info.Footer == nil {
			break
		}
		if foot := d.set.wrap(d.info.Footer(i+1, len(d.pages)), bodyWidth); len(foot) > 0 {
			p.line(d.set, foot[0], margin, footTop)
		}
	}
	if d.set.err != nil {
		return d.set.err
	}
	return d.assemble(w)
}
