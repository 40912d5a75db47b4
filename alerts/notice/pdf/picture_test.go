package pdf_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"nirapod/alerts/notice/font"
	"nirapod/alerts/notice/pdf"
	"nirapod/internal/installed"
)

var words = []string{"ক্ষতিগ্রস্ত", "দুর্ঘটনা", "কর্তৃপক্ষ", "শ্রমিক", "নির্দেশ", "অগ্নিকাণ্ড", "স্বাক্ষর", "কৌশল", "স্ত্রী", "র\u200d্যাব"}

// band is the height of one word's row in pixels: 36 points at 96 dots an
// inch, with the leading of the page.
const band = 72

func picture(t *testing.T, file string) image.Image {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// drawn returns the first page as pdftoppm draws it at 96 dots an inch.
func drawn(t *testing.T, data []byte) image.Image {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.pdf"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(installed.Program(t, "poppler-utils", "pdftoppm"), "-r", "96", "-gray", "-png", "-singlefile", "p.pdf", "p")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("pdftoppm: %v: %s", err, out)
	}
	return picture(t, filepath.Join(dir, "p.png"))
}

func dark(img image.Image, x, y int) bool {
	r, _, _, _ := img.At(x, y).RGBA()
	return r < 0x8000
}

// ink is the smallest rectangle around what is dark within r.
func ink(img image.Image, r image.Rectangle) image.Rectangle {
	box := image.Rectangle{}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if dark(img, x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// overlap is the share of the ink of two pictures that both have, the boxes
// laid on each other.
func overlap(a, b image.Image, boxA, boxB image.Rectangle) float64 {
	both, either := 0, 0
	for y := range max(boxA.Dy(), boxB.Dy()) {
		for x := range max(boxA.Dx(), boxB.Dx()) {
			inA := dark(a, boxA.Min.X+x, boxA.Min.Y+y)
			inB := dark(b, boxB.Min.X+x, boxB.Min.Y+y)
			if inA && inB {
				both++
			}
			if inA || inB {
				either++
			}
		}
	}
	return float64(both) / float64(either)
}

func TestWordsLookAsInChromium(t *testing.T) {
	page := drawn(t, document(t, pdf.Info{}, func(d *pdf.Document) {
		for _, w := range words {
			d.Paragraph(pdf.Paragraph{Spans: []pdf.Span{{Text: w, Style: pdf.Style{Size: 36}}}})
		}
	}))
	shot := screenshot(t)
	top := 60 // the margin of 16 mm
	for i, w := range words {
		inPDF := ink(page, image.Rect(0, top+i*band, page.Bounds().Dx(), top+(i+1)*band))
		inPage := ink(shot, image.Rect(0, i*band, shot.Bounds().Dx(), (i+1)*band))
		if d := inPDF.Size().Sub(inPage.Size()); inPDF.Empty() || max(d.X, -d.X, d.Y, -d.Y) > 2 {
			t.Errorf("%s: %v in the PDF, %v in Chromium", w, inPDF.Size(), inPage.Size())
			continue
		}
		best := 0.0
		for _, shift := range []image.Point{{}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
			best = max(best, overlap(page, shot, inPDF.Add(shift), inPage))
		}
		t.Logf("%s: %v, overlap %.2f", w, inPDF.Size(), best)
		if best < 0.75 {
			t.Errorf("%s: the pictures overlap by %.2f", w, best)
		}
	}
}

func screenshot(t *testing.T) image.Image {
	t.Helper()
	dir := t.TempDir()
	var html bytes.Buffer
	fmt.Fprintf(&html, `<!doctype html><meta charset="utf-8"><style>@font-face { font-family: P; src: url(data:font/woff;base64,%s) }
* { margin: 0 } p { font: 48px/%dpx P; height: %[2]dpx }</style>`, base64.StdEncoding.EncodeToString(font.Bangla), band)
	for _, w := range words {
		fmt.Fprintf(&html, "<p lang=bn>%s</p>", w)
	}
	if err := os.WriteFile(filepath.Join(dir, "p.html"), html.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(installed.Program(t, "chromium", "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		"--user-data-dir="+filepath.Join(dir, "profile"), fmt.Sprintf("--window-size=600,%d", band*len(words)+200),
		"--screenshot="+filepath.Join(dir, "p.png"), "file://"+filepath.Join(dir, "p.html"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("chromium: %v: %s", err, out)
	}
	return picture(t, filepath.Join(dir, "p.png"))
}

// Nothing stands in the margins, whatever the text.
func TestTextStaysWithinTheMargins(t *testing.T) {
	hostile := "ক্ষতিগ্রস্তদুর্ঘটনাকর্তৃপক্ষ" + long(3) + "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
	img := drawn(t, document(t, pdf.Info{}, func(d *pdf.Document) {
		d.Paragraph(para(hostile))
		d.Boxed(para(hostile), pdf.Box{Border: 3, Grey: 0.9, Centre: true})
		d.Table([]float64{0.1, 0.3, 0.6}, nil, [][]pdf.Cell{{{para(hostile)}, {para(hostile)}, {para(hostile)}}})
	}))
	whole := img.Bounds()
	if got, want := ink(img, whole), whole.Inset(58); got.Empty() || !got.In(want) {
		t.Errorf("ink in %v, want within %v", got, want)
	}
}
