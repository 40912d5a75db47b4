package notice

import (
	"fmt"
	"io"

	"nirapod/alerts/notice/pdf"
	"nirapod/safety"
)

// Sizes of the paper in points, those of notice.html.
const (
	bodySize    = 11.0
	secondSize  = 0.85 // of the language that leads
	idSize      = 0.9  // of the text around it
	headingSize = 12.0
	clockSize   = 10.0 // of the table of deadlines, whose columns are narrow
)

// PDF writes a notice as pages of A4 that say what HTML's page says, in both
// languages; lang, bn or en, says which one leads. The text can be read out of
// the file as it stands on it. Another lang is refused with an error wrapping
// safety.ErrInvalid; pdf.ErrTooLong is the error of a notice of over 500 pages.
func PDF(w io.Writer, n safety.Notice, lang string) error {
	law, err := LoadLaw()
	if err != nil {
		return err
	}
	return law.PDF(w, n, lang)
}

// PDF is the package's function PDF with this law data.
func (l *Law) PDF(w io.Writer, n safety.Notice, lang string) error {
	if lang != "bn" && lang != "en" {
		return fmt.Errorf("language %q of a notice: %w", lang, safety.ErrInvalid)
	}
	p := press{sheet: l.sheet(n, lang)}
	var err error
	if p.doc, err = pdf.New(p.info()); err != nil {
		return err
	}
	p.top()
	p.fields()
	p.clocks()
	p.evidence()
	p.doc.Space(5)
	for _, id := range [...]string{"supplements", "noForm", "zone"} {
		p.doc.Paragraph(p.both(word(id), pdf.Style{Size: bodySize * idSize}))
	}
	return p.doc.Write(w)
}

// press prints one sheet.
type press struct {
	sheet
	doc *pdf.Document
}

func (p *press) info() pdf.Info {
	title, tag := p.Title.BN, "bn-BD"
	if p.Lang == "en" {
		title, tag = p.Title.EN, "en"
	}
	info := pdf.Info{Title: title + " " + p.N.ID, Lang: tag, Created: p.N.CreatedAt, Footer: p.foot}
	if p.Banner != "" {
		info.Running = p.both(word(p.Banner), pdf.Style{Size: bodySize, Bold: true})
	}
	return info
}

// foot names the notice and the heading on every page: pages get apart.
func (p *press) foot(page, pages int) pdf.Paragraph {
	small := pdf.Style{Size: 8, Muted: true}
	head, at := word(p.Head).EN, fmt.Sprintf("%d / %d", page, pages)
	if p.Lang == "bn" {
		head, at = word(p.Head).BN, banglaDigits.Replace(at)
	}
	return pdf.Paragraph{Spans: []pdf.Span{{Text: at + " · ", Style: small}, {Text: p.N.ID, Style: mono(small)}, {Text: " · " + head, Style: small}}}
}

// both is a name in the language that leads, the other after it.
func (p *press) both(name safety.Name, style pdf.Style) pdf.Paragraph {
	first, second := name.BN, name.EN
	if p.Lang == "en" {
		first, second = second, first
	}
	text := pdf.Paragraph{Spans: []pdf.Span{{Text: first, Style: style}}}
	if first != second {
		style.Size, style.Muted = style.Size*secondSize, true
		text.Second = []pdf.Span{{Text: second, Style: style}}
	}
	return text
}

// body is both in the size of the text.
func (p *press) body(name safety.Name) pdf.Paragraph { return p.both(name, pdf.Style{Size: bodySize}) }

func identifier(id string) pdf.Paragraph {
	return pdf.Paragraph{Spans: []pdf.Span{{Text: id, Style: mono(pdf.Style{Size: bodySize})}}}
}

func mono(style pdf.Style) pdf.Style {
	style.Size, style.Mono = style.Size*idSize, true
	return style
}

func (p *press) heading(id string) {
	p.doc.Space(5)
	p.doc.Heading(p.both(word(id), pdf.Style{Size: headingSize, Bold: true}), 11*bodySize)
	p.doc.Space(1)
}

// top is everything above the fields.
func (p *press) top() {
	if p.Banner != "" {
		p.doc.Boxed(p.both(word(p.Banner), pdf.Style{Size: 15, Bold: true}), pdf.Box{Border: 3.4, Grey: 0.94, Centre: true})
		p.doc.Space(4)
	}
	p.doc.Paragraph(p.both(p.Kind, pdf.Style{Size: 16, Bold: true}))
	p.doc.Paragraph(p.body(p.Title))
	p.doc.Space(2)
	p.doc.Boxed(p.both(word(p.Head), pdf.Style{Size: bodySize, Bold: true}), pdf.Box{Border: 1.4, Grey: 1})
	p.doc.Space(2)
	p.doc.Paragraph(p.body(p.To))
	if p.Office != "" {
		p.doc.Paragraph(with(p.body(word("office")), ": ", p.Office))
	}
	p.doc.Space(2)
	receipt := p.body(word("none"))
	if p.N.ReceiptNumber != "" {
		receipt = identifier(p.N.ReceiptNumber)
	}
	rows := [][]pdf.Cell{
		{{p.body(word("status"))}, {p.body(word(string(p.N.Status)))}},
		{{p.body(word("receipt"))}, {receipt}},
	}
	if p.Form.EN != "" {
		rows = append(rows, []pdf.Cell{{p.body(word("form"))}, {p.body(p.Form)}})
	}
	rows = append(rows, []pdf.Cell{{identifier("ID")}, {identifier(p.N.ID)}})
	if p.N.LedgerHead != "" {
		rows = append(rows, []pdf.Cell{{p.body(word("ledger"))}, {identifier(p.N.LedgerHead)}})
	}
	p.doc.Table([]float64{0.38, 0.62}, nil, rows)
}

// with puts an identifier after a text in both languages.
func with(text pdf.Paragraph, between, id string) pdf.Paragraph {
	return after(text, pdf.Span{Text: between, Style: pdf.Style{Size: bodySize}}, identifier(id).Spans[0])
}

// after puts spans at the end of a text.
func after(text pdf.Paragraph, spans ...pdf.Span) pdf.Paragraph {
	if len(text.Second) > 0 {
		text.Second = append(text.Second, spans...)
	} else {
		text.Spans = append(text.Spans, spans...)
	}
	return text
}

func (p *press) fields() {
	p.heading("fields")
	var rows [][]pdf.Cell
	for _, r := range p.Rows {
		if len(r.Lines) > 0 || r.Blank {
			rows = append(rows, []pdf.Cell{{p.body(r.Label)}, p.field(r)})
		}
	}
	p.doc.Table([]float64{0.38, 0.62}, nil, rows)
}

func (p *press) field(r row) pdf.Cell {
	var cell pdf.Cell
	for _, l := range r.Lines {
		switch {
		case l.Both.BN == "" && l.Plain == "":
		case l.Plain == "":
			cell = append(cell, p.body(l.Both))
		case l.Both.BN == "":
			cell = append(cell, identifier(l.Plain))
		default:
			cell = append(cell, with(p.body(l.Both), " ", l.Plain))
		}
	}
	if r.Blank {
		blank := p.both(word("blank"), pdf.Style{Size: bodySize, Muted: true})
		blank.Dotted = true
		cell = append(cell, blank)
	}
	return cell
}

func (p *press) clocks() {
	p.heading("clocks")
	plain := pdf.Style{Size: clockSize}
	cell := func(name safety.Name, style pdf.Style) pdf.Cell { return pdf.Cell{p.both(name, style)} }
	var head []pdf.Cell
	for _, id := range [...]string{"clause", "recipient", "due", "status"} {
		head = append(head, cell(word(id), pdf.Style{Size: clockSize, Bold: true}))
	}
	var rows [][]pdf.Cell
	for _, c := range p.Clocks {
		title := p.both(c.Title, plain)
		if !c.Verified {
			title = after(title, pdf.Span{Text: " *", Style: plain})
		}
		rows = append(rows, []pdf.Cell{{title}, cell(c.To, plain), cell(when(c.DueAt), plain), cell(word(c.State), plain)})
	}
	p.doc.Table([]float64{0.36, 0.27, 0.25, 0.12}, head, rows)
	if p.Doubt {
		p.doc.Space(1)
		doubt := p.body(word("unverified"))
		doubt.Spans[0].Text = "* " + doubt.Spans[0].Text
		p.doc.Paragraph(doubt)
	}
}

func (p *press) evidence() {
	p.heading("evidence")
	var items []pdf.Paragraph
	for _, line := range p.N.Body.Evidence {
		items = append(items, pdf.Paragraph{Spans: []pdf.Span{{Text: line, Style: pdf.Style{Size: bodySize * 0.8 * idSize, Mono: true}}}})
	}
	p.doc.List(items)
}
