package pdf_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"nirapod/alerts/notice/pdf"
)

var update = flag.Bool("update", false, "write the golden file anew")

var plain = pdf.Style{Size: 11}

func para(text string) pdf.Paragraph {
	return pdf.Paragraph{Spans: []pdf.Span{{Text: text, Style: plain}}}
}

func document(t testing.TB, info pdf.Info, fill func(*pdf.Document)) []byte {
	t.Helper()
	d, err := pdf.New(info)
	if err != nil {
		t.Fatal(err)
	}
	fill(d)
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// joined is text with every run of spaces and line ends as one space.
func joined(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestTextReadsBack(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"conjuncts", "ক্ষতিগ্রস্ত দুর্ঘটনা কর্তৃপক্ষ শ্রমিক নির্দেশ অগ্নিকাণ্ড স্বাক্ষর", ""},
		{"signs on both sides of their letter", "কো কৌ কি কে কৈ স্ত্রী র\u200d্যাব কৃষ্ণ চাঁদ উৎস দুঃখ", ""},
		{"one code and two codes for the same letter", "বাড়ি বাড়ি আষাঢ় সময়", ""},
		{"joiners", "ক্\u200cষ র\u200c্য", ""},
		{"digits, danda, taka", "০১২৩৪৫৬৭৮৯। ৳১২০ ॥", ""},
		{"mixed scripts", "LIC-৯ (ডাইফ) DIFE/ঢাকা Łódź Ωmega Жук CO₂ ≥ 5 %", ""},
		{"characters that no face has are boxes but read back", "火災 حريق 🔥 \U0010fffd", ""},
		{"signs without a letter", "\u09be \u09cd \u0981\u0981 \u0301", ""},
		{"invisible controls are left out", "a\u202eb\u2066c\ufeffd\u200b", "abcd"},
		{"line ends and controls are spaces", "ক\nখ\tগ\r\nঘ\x00ঙ\u00a0চ", "ক খ গ ঘ ঙ চ"},
		{"bytes that are no text", "ক\xff\xfeখ", "ক\ufffdখ"},
		{"what looks like PDF is text", ") Tj ET endstream endobj <</JS (x)>> %", ""},
		{"a word wider than the page", strings.Repeat("ক্ষতিগ্রস্ত", 80), ""},
		{"nothing", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == "" {
				want = c.text
			}
			got := read(t, document(t, pdf.Info{}, func(d *pdf.Document) { d.Paragraph(para(c.text)) }))
			if strings.Contains(c.name, "wider") {
				got = strings.ReplaceAll(got, "\n", "")
			}
			if joined(got) != joined(want) {
				t.Errorf("got %q, want %q", joined(got), joined(want))
			}
		})
	}
}

func TestSecondLanguageStandsApartWhenBothDoNotFit(t *testing.T) {
	both := func(words int) string {
		p := para(strings.Repeat("দুর্ঘটনা ", words))
		p.Second = []pdf.Span{{Text: "accident", Style: plain}}
		return read(t, document(t, pdf.Info{}, func(d *pdf.Document) { d.Paragraph(p) }))
	}
	if got := both(1); got != "\nদুর্ঘটনা · accident" {
		t.Errorf("a short pair: %q", got)
	}
	if got := both(16); !strings.HasSuffix(got, "দুর্ঘটনা\naccident") {
		t.Errorf("a long pair: %q", got)
	}
}

func long(n int) string {
	return strings.TrimSpace(strings.Repeat("কলকারখানা ও প্রতিষ্ঠান পরিদর্শন অধিদপ্তর ", n))
}

func TestTableOverPages(t *testing.T) {
	info := pdf.Info{Running: para("মহড়া"), Footer: func(page, pages int) pdf.Paragraph {
		return para(strings.Repeat("p", page) + "/" + strings.Repeat("p", pages))
	}}
	head := []pdf.Cell{{para("ধারা")}, {para("প্রাপক")}}
	var rows [][]pdf.Cell
	for range 30 {
		rows = append(rows, []pdf.Cell{{para(long(2))}, {para("x")}})
	}
	rows = append(rows, []pdf.Cell{{para(long(200))}, {para("last")}})
	data := document(t, info, func(d *pdf.Document) { d.Table([]float64{0.4, 0.6}, head, rows) })
	pages := len(open(t, data).pages(t))
	got := read(t, data)
	for text, want := range map[string]int{
		"\nমহড়া": pages - 1, "\nধারা": pages, "\nপ্রাপক": pages, "\nlast": 1, "\nx": 30, "/" + strings.Repeat("p", pages): pages, "অধিদপ্তর": 260,
	} {
		if n := strings.Count(got, text); n != want {
			t.Errorf("%q stands %d times on %d pages, want %d", text, n, pages, want)
		}
	}
	if pages < 4 {
		t.Errorf("%d pages", pages)
	}
}

func TestTooLong(t *testing.T) {
	d, err := pdf.New(pdf.Info{})
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]pdf.Paragraph, 25_000)
	for i := range lines {
		lines[i] = para("x")
	}
	d.List(lines)
	if err := d.Write(&bytes.Buffer{}); !errors.Is(err, pdf.ErrTooLong) {
		t.Errorf("more lines than pages hold: %v", err)
	}
	if d, err = pdf.New(pdf.Info{}); err != nil {
		t.Fatal(err)
	}
	d.Paragraph(para(strings.Repeat("x", 1<<20+1)))
	if err := d.Write(&bytes.Buffer{}); !errors.Is(err, pdf.ErrTooLong) {
		t.Errorf("a span of over a mebibyte: %v", err)
	}
}

// The skeleton is the file without what is compressed and measured.
func TestSkeleton(t *testing.T) {
	info := pdf.Info{Title: "খবর (1)", Lang: "bn-BD", Created: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)}
	fill := func(d *pdf.Document) {
		d.Boxed(para("অগ্নিকাণ্ড fire"), pdf.Box{Border: 1, Grey: 1, Centre: true})
	}
	data := document(t, info, fill)
	if !bytes.Equal(data, document(t, info, fill)) {
		t.Error("the same document gave other bytes")
	}
	skeleton := regexp.MustCompile(`(?s)stream\n.*?\nendstream`).ReplaceAll(data[15:], []byte("stream"))
	for _, volatile := range []string{`/Length1? \d+`, `[A-Z]{6}\+`, `\d{10} `, `startxref\n\d+`, `<[0-9a-f]{32}>`} {
		skeleton = regexp.MustCompile(volatile).ReplaceAll(skeleton, []byte("…"))
	}
	const golden = "testdata/skeleton.txt"
	if *update {
		if err := os.WriteFile(golden, skeleton, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(skeleton, want) {
		t.Errorf("got\n%s\nwant\n%s", skeleton, want)
	}
}

// FuzzText puts any text in every kind of place and reads it back.
func FuzzText(f *testing.F) {
	f.Add("অগ্নিকাণ্ড · fire", 0.3)
	f.Add("\u09be\u200d\u09cd\u09cd র\u200d্য \xff ) Tj \u202e", 0.001)
	f.Add(strings.Repeat("ক্", 300), 0.9)
	f.Fuzz(func(t *testing.T, text string, width float64) {
		if len(text) > 2000 || !(width > 0 && width < 1) {
			return
		}
		p := para(text)
		p.Second = []pdf.Span{{Text: text, Style: pdf.Style{Size: 9, Mono: true, Muted: true}}}
		data := document(t, pdf.Info{Title: text, Lang: text, Running: p}, func(d *pdf.Document) {
			d.Boxed(p, pdf.Box{Border: 1, Grey: 1})
			d.Table([]float64{width, 1 - width}, []pdf.Cell{{p}}, [][]pdf.Cell{{{p}, {p, p}}, {}})
			d.List([]pdf.Paragraph{p, {}})
			d.Paragraph(para(text))
		})
		got := strings.Join(strings.Fields(read(t, data)), "")
		alone := strings.Join(strings.Fields(read(t, document(t, pdf.Info{}, func(d *pdf.Document) { d.Paragraph(para(text)) }))), "")
		if !strings.HasSuffix(got, alone) {
			t.Errorf("%q ends with other text than %q", got, alone)
		}
	})
}
