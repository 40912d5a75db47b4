package notice

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"

	"nirapod/alerts/notice/font"
	"nirapod/safety"
)

//go:embed notice.html
var page string

// fontFace makes the page readable on a machine without Bangla letters.
var fontFace = template.CSS(`@font-face { font-family: "Paper Bangla"; src: url(data:font/woff;base64,` +
	base64.StdEncoding.EncodeToString(font.Bangla) + `) format("woff") }`)

var paper = template.Must(template.New("notice").Funcs(template.FuncMap{
	"word": word, "when": when,
	"fontFace": func() template.CSS { return fontFace },
	"status":   func(n safety.Notice) safety.Name { return word(string(n.Status)) },
	"pair":     func(lang string, name safety.Name) bilingual { return bilingual{lang, name} },
}).Parse(page))

// bilingual is a text with the language that leads.
type bilingual struct {
	Lang string
	Name safety.Name
}

// JSON writes a notice as the API shows it.
func JSON(w io.Writer, n safety.Notice) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(n)
}

// HTML writes a notice as one self-contained page for A4, in both languages;
// lang, bn or en, says which one leads. Another lang is refused with an error
// wrapping safety.ErrInvalid.
func HTML(w io.Writer, n safety.Notice, lang string) error {
	law, err := LoadLaw()
	if err != nil {
		return err
	}
	return law.HTML(w, n, lang)
}

// HTML is the package's function HTML with this law data.
func (l *Law) HTML(w io.Writer, n safety.Notice, lang string) error {
	if lang != "bn" && lang != "en" {
		return fmt.Errorf("language %q of a notice: %w", lang, safety.ErrInvalid)
	}
	return paper.Execute(w, l.sheet(n, lang))
}

// sheet is a notice put into the words of the paper.
type sheet struct {
	Lang   string
	N      safety.Notice
	Kind   safety.Name
	Title  safety.Name // of the notice
	To     safety.Name
	Office string      // of DIFE, "" on a paper that goes elsewhere
	Form   safety.Name // that the Rules name; empty if none is known
	Banner string      // word of the banner, "" on a real notice
	Head   string      // word of the heading
	Rows   []row
	Clocks []clockRow
	Doubt  bool // some clock rests on unverified law
}

// row is one field of the paper. Blank: a person has to write it.
type row struct {
	Label safety.Name
	Lines []line
	Blank bool
}

// line is a text in both languages, or in neither: Plain is an identifier, a
// number or a name that stands as it is.
type line struct {
	Both  safety.Name
	Plain string
}

type clockRow struct {
	safety.Clock
	Title safety.Name
	To    safety.Name
	State string
}

func (l *Law) sheet(n safety.Notice, lang string) sheet {
	s := sheet{Lang: lang, N: n, Head: "preliminary"}
	kind, ok := l.Kind(n.IncidentKind)
	if s.Kind = kind.Name; !ok {
		s.Kind = safety.Name{BN: n.IncidentKind, EN: n.IncidentKind}
	}
	paper := l.paper(n.Kind)
	s.Title, s.To, s.Office, s.Form = paper.Name, word("to"), n.Body.Office, paper.Form
	if paper.Addressee != "" {
		to := l.Recipient(paper.Addressee)
		s.To, s.Office = safety.Name{BN: "প্রতি: " + to.BN, EN: "To: " + to.EN}, ""
	}
	if n.Status == safety.NoticeDraft || n.Status == safety.NoticePrepared {
		s.Head = "unsent"
	}
	switch {
	case n.Body.Demo:
		s.Banner = "demo"
	case n.Exercise:
		s.Banner = "exercise"
	}
	for _, c := range n.Clocks {
		r := clockRow{Clock: c, Title: l.title(c), To: l.Recipient(c.Recipient), State: "open"}
		if c.MetAt != nil {
			r.State = "met"
		}
		s.Clocks, s.Doubt = append(s.Clocks, r), s.Doubt || !c.Verified
	}
	for _, f := range l.Fields {
		r := row{Label: f.Label, Lines: lines(f.ID, n, s.Kind)}
		r.Blank = slices.Contains(n.Blank, f.ID)
		s.Rows = append(s.Rows, r)
	}
	return s
}

// lines returns what a machine wrote in one field.
func lines(field string, n safety.Notice, kind safety.Name) []line {
	body := n.Body
	switch field {
	case "establishment":
		return []line{{Both: body.Factory}, {Both: body.Address}, {Plain: join(", ", body.Upazila, body.District)}}
	case "registration":
		return []line{fact(body.Registration), fact(body.Licence), {Plain: body.LIMA}}
	case "contacts":
		var ls []line
		for _, c := range body.Contacts {
			ls = append(ls, line{Both: word(c.Role), Plain: join(", ", c.Name, c.Phone)})
		}
		return ls
	case "industry":
		return []line{{Plain: body.ISIC}}
	case "employed":
		if body.Men+body.Women == 0 {
			return nil
		}
		return []line{counted("women", body.Women), counted("men", body.Men)}
	case "place":
		var ls []line
		for _, p := range body.Place {
			ls = append(ls, line{Both: p})
		}
		return ls
	case "occurred":
		return []line{{Both: when(n.OccurredAt)}, shift(body.Shift)}
	case "aware":
		return []line{{Both: when(n.AwareAt)}}
	case "kind":
		return []line{{Both: kind}}
	case "informed":
		var ls []line
		for _, i := range body.Informed {
			ls = append(ls, line{Both: when(i.At), Plain: join(" · ", i.Recipient, i.Channel, i.By, i.Reference)})
		}
		return ls
	}
	return nil
}

func fact(f safety.Fact) line {
	l := line{Plain: f.Value}
	if f.Value != "" && !f.Verified {
		l.Both = word("unverifiedMK")
	}
	return l
}

func shift(id string) line {
	if id == "" {
		return line{}
	}
	return line{Both: word("shift"), Plain: id}
}

func counted(what string, n int) line {
	name, digits := word(what), strconv.Itoa(n)
	return line{Both: safety.Name{BN: name.BN + " " + banglaDigits.Replace(digits), EN: name.EN + " " + digits}}
}

func join(sep string, parts ...string) string {
	text := ""
	for _, p := range parts {
		if p != "" && text != "" {
			text += sep
		}
		text += p
	}
	return text
}
