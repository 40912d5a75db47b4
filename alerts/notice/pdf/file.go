package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"io"
	"unicode/utf16"
)

// file collects the objects of a PDF file (ISO 32000-1, 7.5).
type file struct {
	buf     bytes.Buffer
	offsets []int // of object i+1
	zlib    *zlib.Writer
}

func newFile() *file {
	f := &file{zlib: zlib.NewWriter(nil)}
	f.buf.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return f
}

// reserve returns the number of an object that is written later.
func (f *file) reserve() int {
	f.offsets = append(f.offsets, 0)
	return len(f.offsets)
}

func (f *file) object(id int, format string, args ...any) {
	f.offsets[id-1] = f.buf.Len()
	fmt.Fprintf(&f.buf, "%d 0 obj\n", id)
	fmt.Fprintf(&f.buf, format, args...)
	f.buf.WriteString("\nendobj\n")
}

// stream writes data compressed; dict is what its dictionary says besides.
func (f *file) stream(id int, dict string, data []byte) {
	var packed bytes.Buffer
	f.zlib.Reset(&packed)
	_, err := f.zlib.Write(data)
	if err == nil {
		err = f.zlib.Close()
	}
	if err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	f.offsets[id-1] = f.buf.Len()
	fmt.Fprintf(&f.buf, "%d 0 obj\n<< %s /Filter /FlateDecode /Length %d >>\nstream\n", id, dict, packed.Len())
	f.buf.Write(packed.Bytes())
	f.buf.WriteString("\nendstream\nendobj\n")
}

// finish writes the file out with its table of objects.
func (f *file) finish(w io.Writer, root, info int) error {
	id := sha256.Sum256(f.buf.Bytes())
	start := f.buf.Len()
	fmt.Fprintf(&f.buf, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets)+1)
	for _, offset := range f.offsets {
		fmt.Fprintf(&f.buf, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&f.buf, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [<%x> <%[4]x>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(f.offsets)+1, root, info, id[:16], start)
	_, err := f.buf.WriteTo(w)
	return err
}

// text writes a string for people as PDF wants it: UTF-16BE in hex.
func text(s string) string { return "<FEFF" + utf16Hex(s) + ">" }

func utf16Hex(s string) string {
	var b bytes.Buffer
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return b.String()
}
