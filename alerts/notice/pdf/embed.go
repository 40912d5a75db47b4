package pdf

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"strconv"
)

// embed writes f as a composite font whose codes are its glyph numbers, and
// returns the object to refer to.
func (f *subset) embed(out *file) int {
	p := f.build()
	font, descendant, descriptor := out.reserve(), out.reserve(), out.reserve()
	data, unicode := out.reserve(), out.reserve()
	name := subsetTag(p.data) + "+" + f.name
	em := func(v int16) int { return int(math.Round(float64(v) * 1000 / f.upem)) }
	out.object(font, "<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>",
		name, descendant, unicode)
	out.object(descendant, "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"+
		" /FontDescriptor %d 0 R /CIDToGIDMap /Identity /DW 0 /W [0 [%s]] >>", name, descriptor, f.widths())
	out.object(descriptor, "<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [%d %d %d %d] /ItalicAngle 0 /Ascent 917 /Descent -408 /CapHeight 714 /StemV 80 /FontFile2 %d 0 R >>",
		name, em(p.bounds.x0), em(p.bounds.y0), em(p.bounds.x1), em(p.bounds.y1), data)
	out.stream(data, fmt.Sprintf("/Length1 %d", len(p.data)), p.data)
	out.stream(unicode, "", f.toUnicode())
	return font
}

// subsetTag names a subset after its content, as ISO 32000-1, 9.6.4 wants.
func subsetTag(data []byte) string {
	sum := sha256.Sum256(data)
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	return string(tag)
}

func (f *subset) widths() []byte {
	var b []byte
	for i, g := range f.glyphs {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendFloat(b, math.Round(g.width(f)*1000)/1000, 'f', -1, 64)
	}
	return b
}

// maxEntries is how many entries a block of a character map may have.
const maxEntries = 100

// toUnicode writes the map from codes to the text that they stand for.
func (f *subset) toUnicode() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for begin := 0; begin < len(f.glyphs); begin += maxEntries {
		block := f.glyphs[begin:min(begin+maxEntries, len(f.glyphs))]
		fmt.Fprintf(&b, "%d beginbfchar\n", len(block))
		for i, g := range block {
			fmt.Fprintf(&b, "<%04X> <%s>\n", begin+i, utf16Hex(g.text))
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}
