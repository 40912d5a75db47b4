package pdf

const (
	cellPadX = 2 * mm
	cellPadY = 1 * mm
	rule     = 0.2 * mm
	ruleGrey = 0.4
)

// Cell is one field of a table.
type Cell []Paragraph

// Table sets rows in columns whose widths are fractions of the page. A row is
// kept on one page if a page can hold it. head may be nil; it is repeated on
// every page that the table reaches.
func (d *Document) Table(widths []float64, head []Cell, rows [][]Cell) {
	top := d.cells(widths, head)
	if top != nil && rowHeight(top) > d.full()/2 {
		top = nil // a heading that leaves no room for rows is no heading
	}
	begun := false
	for _, r := range rows {
		row := d.cells(widths, r)
		need := rowHeight(row)
		if !begun {
			need += rowHeight(top)
		}
		if need > d.room() && d.fits(need+rowHeight(top)) {
			d.turn()
			begun = false
		}
		if !begun {
			d.row(widths, top, nil)
		}
		begun = true
		d.row(widths, row, top)
	}
}

// full is the room of a page below its running head.
func (d *Document) full() float64 { return bodyBottom - margin - 20*mm }

// fits says whether a fresh page holds height.
func (d *Document) fits(height float64) bool { return height <= d.full() }

func (d *Document) cells(widths []float64, cells []Cell) [][]line {
	if cells == nil {
		return nil
	}
	out := make([][]line, len(widths))
	for i, c := range cells[:min(len(cells), len(widths))] {
		for _, p := range c {
			out[i] = append(out[i], d.set.wrap(p, max(widths[i]*bodyWidth-2*cellPadX, mm))...)
		}
	}
	return out
}

func rowHeight(row [][]line) float64 {
	if row == nil {
		return 0
	}
	height := 0.0
	for _, lines := range row {
		height = max(height, heightOf(lines))
	}
	return height + 2*cellPadY
}

// row draws a row, over several pages if it must; head is drawn on each new one.
func (d *Document) row(widths []float64, row, head [][]line) {
	if row == nil {
		return
	}
	for {
		now, later := cut(row, d.room()-2*cellPadY)
		if now == nil {
			d.turn()
			if head != nil {
				d.row(widths, head, nil)
			}
			if now, later = cut(row, d.room()-2*cellPadY); now == nil {
				now, later = row, nil // a line higher than a page
			}
		}
		d.draw(widths, now)
		if row = later; row == nil {
			return
		}
	}
}

// cut takes the lines of a row that fit into height. later is nil when all do,
// now is nil when a line does not fit at all.
func cut(row [][]line, height float64) (now, later [][]line) {
	now, later = make([][]line, len(row)), make([][]line, len(row))
	rest, some := false, false
	for i, lines := range row {
		n, used := 0, 0.0
		for n < len(lines) && used+lines[n].height() <= height {
			used += lines[n].height()
			n++
		}
		now[i], later[i] = lines[:n], lines[n:]
		rest, some = rest || n < len(lines), some || n > 0
	}
	switch {
	case !rest:
		return now, nil
	case !some:
		return nil, row
	}
	return now, later
}

func (d *Document) draw(widths []float64, row [][]line) {
	height, x, p := rowHeight(row), margin, d.page()
	for i, lines := range row {
		width := widths[i] * bodyWidth
		p.frame(x, d.y, width, height, rule, ruleGrey, 1)
		y := d.y + cellPadY
		for _, l := range lines {
			p.line(d.set, l, x+cellPadX, y)
			if l.dotted {
				p.dots(x+cellPadX, y+l.height(), width-2*cellPadX)
			}
			y += l.height()
		}
		x += width
	}
	d.y += height
}
