package pdf_test

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"

	"nirapod/alerts/notice/pdf"
)

// Every embedded font is a sound TrueType file: tables within it, in order,
// with right checksums, and glyphs that loca, hmtx and /W agree on.
func TestEmbeddedFonts(t *testing.T) {
	data := document(t, pdf.Info{}, func(d *pdf.Document) {
		d.Paragraph(para("ক্ষতিগ্রস্ত দুর্ঘটনা Łódź Ω fire 火"))
		d.Paragraph(pdf.Paragraph{Spans: []pdf.Span{{Text: "01JD-id", Style: pdf.Style{Size: 9, Mono: true}}}})
	})
	f := open(t, data)
	fonts := 0
	for id, dict := range f.objects {
		if !strings.Contains(dict, "/Subtype /CIDFontType2") {
			continue
		}
		fonts++
		descriptor := f.objects[f.ref(t, dict, "/FontDescriptor ")]
		program := f.streams[f.ref(t, descriptor, "/FontFile2 ")]
		_, widths, _ := strings.Cut(dict, "/W [0 [")
		widths, _, _ = strings.Cut(widths, "]")
		sound(t, id, []byte(program), len(strings.Fields(widths)))
	}
	if fonts != 4 {
		t.Errorf("%d fonts, want 4", fonts)
	}
}

func sound(t *testing.T, id int, program []byte, widths int) {
	t.Helper()
	be := binary.BigEndian
	tables, last := map[string][]byte{}, ""
	for i := range int(be.Uint16(program[4:])) {
		entry := program[12+16*i:]
		tag, offset, length := string(entry[:4]), be.Uint32(entry[8:]), be.Uint32(entry[12:])
		if tag <= last || offset%4 != 0 || int(offset+length) > len(program) {
			t.Fatalf("font %d: table %s after %q at %d+%d of %d", id, tag, last, offset, length, len(program))
		}
		tables[tag], last = program[offset:offset+length], tag
	}
	if got := sum(program); got != 0xB1B0AFBA {
		t.Errorf("font %d: checksum of the file %#x", id, got)
	}
	glyphs := int(be.Uint16(tables["maxp"][4:]))
	loca, glyf := tables["loca"], tables["glyf"]
	if glyphs != widths || len(loca) != 4*(glyphs+1) || len(tables["hmtx"]) != 4*glyphs || int(be.Uint32(loca[4*glyphs:])) != len(glyf) {
		t.Errorf("font %d: %d glyphs, %d widths, loca %d, hmtx %d, glyf %d", id, glyphs, widths, len(loca), len(tables["hmtx"]), len(glyf))
	}
	for i := range glyphs {
		if begin, end := be.Uint32(loca[4*i:]), be.Uint32(loca[4*i+4:]); begin > end || begin%4 != 0 {
			t.Errorf("font %d: glyph %d from %d to %d", id, i, begin, end)
		}
	}
}

func sum(data []byte) uint32 {
	total := uint32(0)
	for i := 0; i+4 <= len(data); i += 4 {
		total += binary.BigEndian.Uint32(data[i:])
	}
	return total
}

// Documents share nothing that they change.
func TestDocumentsAtTheSameTime(t *testing.T) {
	fill := func(d *pdf.Document) { d.Paragraph(para(long(20))) }
	want := string(document(t, pdf.Info{}, fill))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if got := string(document(t, pdf.Info{}, fill)); got != want {
				t.Error("another document at the same time changed this one")
			}
		})
	}
	wait.Wait()
}
