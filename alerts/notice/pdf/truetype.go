package pdf

import (
	"encoding/binary"
	"math"
)

// program is a TrueType file with no more than a PDF reader needs.
type program struct {
	data   []byte
	bounds bounds // of all glyphs
}

// build writes the glyphs of f as a TrueType file: ISO/IEC 14496-22 tables
// glyf, head, hhea, hmtx, loca, maxp.
func (f *subset) build() program {
	be := binary.BigEndian
	var glyfs, loca, hmtx []byte
	all := bounds{}
	points, contours, widest := 0, 0, uint16(0)
	for _, g := range f.glyphs {
		shape := f.outline(g.shapedCluster)
		b := bounds{}
		if len(shape) > 0 {
			b = boundsOf(shape)
		}
		all = bounds{min(all.x0, b.x0), min(all.y0, b.y0), max(all.x1, b.x1), max(all.y1, b.y1)}
		n := 0
		for _, c := range shape {
			n += len(c)
		}
		points, contours = max(points, n), max(contours, len(shape))
		advance := uint16(min(math.Round(g.advance), math.MaxInt16))
		widest = max(widest, advance)
		loca = be.AppendUint32(loca, uint32(len(glyfs)))
		glyfs = append(glyfs, glyf(shape)...)
		hmtx = append(be.AppendUint16(hmtx, advance), numbers(b.x0)...)
	}
	loca = be.AppendUint32(loca, uint32(len(glyfs)))
	count := uint16(len(f.glyphs))
	return program{bounds: all, data: assemble([]table{
		{"glyf", glyfs},
		{"head", f.head(all)},
		{"hhea", f.hhea(all, widest, count)},
		{"hmtx", hmtx},
		{"loca", loca},
		{"maxp", maxp(count, uint16(points), uint16(contours))},
	})}
}

func (f *subset) head(b bounds) []byte {
	be := binary.BigEndian
	data := be.AppendUint32(nil, 0x00010000) // version
	data = be.AppendUint32(data, 0x00010000) // revision
	data = be.AppendUint32(data, 0)          // checksum adjustment, see assemble
	data = be.AppendUint32(data, 0x5F0F3CF5) // magic
	data = be.AppendUint16(data, 0b1001)     // baseline at 0, whole-pixel scaling
	data = be.AppendUint16(data, uint16(f.upem))
	data = append(data, make([]byte, 16)...) // created, modified
	data = append(data, numbers(b.x0, b.y0, b.x1, b.y1)...)
	return append(data, numbers(0, 8, 2, 1, 0)...) // style, least size, direction, long loca, format
}

func (f *subset) hhea(b bounds, widest, count uint16) []byte {
	be := binary.BigEndian
	data := be.AppendUint32(nil, 0x00010000)
	data = append(data, numbers(b.y1, b.y0, 0)...) // ascent, descent, line gap
	data = be.AppendUint16(data, widest)
	data = append(data, numbers(b.x0, 0, b.x1, 1, 0, 0, 0, 0, 0, 0, 0)...)
	return be.AppendUint16(data, count)
}

func maxp(count, points, contours uint16) []byte {
	be := binary.BigEndian
	data := be.AppendUint32(nil, 0x00010000)
	for _, v := range [...]uint16{count, points, contours, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0} {
		data = be.AppendUint16(data, v)
	}
	return data
}

type table struct {
	tag  string
	data []byte
}

// assemble puts tables, given in the order of their tags, into one file.
func assemble(tables []table) []byte {
	be := binary.BigEndian
	log := 0
	for 2<<log <= len(tables) {
		log++
	}
	n := uint16(len(tables))
	file := be.AppendUint32(nil, 0x00010000)
	for _, v := range [...]uint16{n, 16 << log, uint16(log), 16*n - 16<<log} {
		file = be.AppendUint16(file, v)
	}
	offset, head := len(file)+16*len(tables), 0
	var body []byte
	for _, t := range tables {
		if t.tag == "head" {
			head = offset + len(body)
		}
		file = append(file, t.tag...)
		for _, v := range [...]uint32{checksum(t.data), uint32(offset + len(body)), uint32(len(t.data))} {
			file = be.AppendUint32(file, v)
		}
		body = append(body, t.data...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	file = append(file, body...)
	be.PutUint32(file[head+8:], 0xB1B0AFBA-checksum(file))
	return file
}

func checksum(data []byte) uint32 {
	sum := uint32(0)
	for i := 0; i < len(data); i += 4 {
		var quad [4]byte
		copy(quad[:], data[i:])
		sum += binary.BigEndian.Uint32(quad[:])
	}
	return sum
}
