package pdf_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// opened is a PDF file as far as a reader of text needs it. It knows only what
// this package writes.
type opened struct {
	objects map[int]string // dictionaries and arrays
	streams map[int]string // unpacked
	trailer string
}

var (
	reRef    = regexp.MustCompile(`(\d+) 0 R`)
	reFont   = regexp.MustCompile(`/(F\d+) (\d+) 0 R`)
	reBfchar = regexp.MustCompile(`<([0-9A-F]{4})> <([0-9A-F]*)>`)
	reShow   = regexp.MustCompile(`/(F\d+) [\d.]+ Tf|<([0-9A-F]+)> Tj|(BT)`)
)

// open follows the table of objects, so that a wrong offset is an error.
func open(t testing.TB, data []byte) opened {
	t.Helper()
	at, ok := strings.CutSuffix(string(data[bytes.LastIndex(data, []byte("startxref\n"))+10:]), "\n%%EOF\n")
	start, err := strconv.Atoi(at)
	if !ok || err != nil {
		t.Fatalf("end of file: %q", at)
	}
	table, trailer, ok := strings.Cut(string(data[start:]), "trailer\n")
	lines := strings.SplitAfter(table, "\n")
	if !ok || lines[0] != "xref\n" {
		t.Fatalf("no table of objects at %d", start)
	}
	f := opened{objects: map[int]string{}, streams: map[int]string{}, trailer: trailer}
	for id, line := range lines[3 : len(lines)-1] {
		if len(line) != 20 {
			t.Fatalf("entry %q is not of 20 bytes", line)
		}
		offset, _ := strconv.Atoi(line[:10])
		body, ok := bytes.CutPrefix(data[offset:], fmt.Appendf(nil, "%d 0 obj\n", id+1))
		if !ok {
			t.Fatalf("object %d is not at %d", id+1, offset)
		}
		f.read(t, id+1, body)
	}
	return f
}

func (f opened) read(t testing.TB, id int, body []byte) {
	t.Helper()
	end := bytes.Index(body, []byte("\nendobj\n"))
	if head, rest, ok := bytes.Cut(body, []byte("\nstream\n")); ok && len(head) < end {
		length, err := strconv.Atoi(after(string(head), "/Length "))
		if err != nil || !bytes.HasPrefix(rest[length:], []byte("\nendstream\nendobj\n")) {
			t.Fatalf("object %d: length of its stream: %d, %v", id, length, err)
		}
		z, err := zlib.NewReader(bytes.NewReader(rest[:length]))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		f.objects[id], f.streams[id] = string(head), string(unpacked)
		return
	}
	f.objects[id] = string(body[:end])
}

// after returns the number or name that follows key.
func after(dict, key string) string {
	_, rest, _ := strings.Cut(dict, key)
	return strings.FieldsFunc(rest+" ", func(r rune) bool { return r == ' ' || r == '>' })[0]
}

func (f opened) ref(t testing.TB, dict, key string) int {
	t.Helper()
	_, rest, _ := strings.Cut(dict, key)
	id, err := strconv.Atoi(reRef.FindStringSubmatch(rest)[1])
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// pages returns the objects of the pages in their order.
func (f opened) pages(t testing.TB) []string {
	t.Helper()
	tree := f.objects[f.ref(t, f.objects[f.ref(t, f.trailer, "/Root ")], "/Pages ")]
	_, kids, _ := strings.Cut(tree, "/Kids [")
	kids, _, _ = strings.Cut(kids, "]")
	var pages []string
	for _, m := range reRef.FindAllStringSubmatch(kids, -1) {
		id, _ := strconv.Atoi(m[1])
		pages = append(pages, f.objects[id])
	}
	return pages
}

// maps returns what the codes of each font stand for.
func (f opened) maps(t testing.TB, page string) map[string]map[string]string {
	t.Helper()
	maps := map[string]map[string]string{}
	resources := f.objects[f.ref(t, page, "/Resources ")]
	for _, m := range reFont.FindAllStringSubmatch(resources, -1) {
		id, _ := strconv.Atoi(m[2])
		codes := map[string]string{}
		for _, e := range reBfchar.FindAllStringSubmatch(f.streams[f.ref(t, f.objects[id], "/ToUnicode ")], -1) {
			codes[e[1]] = utf16Text(e[2])
		}
		maps[m[1]] = codes
	}
	return maps
}

func utf16Text(digits string) string {
	var units []uint16
	for ; len(digits) >= 4; digits = digits[4:] {
		u, _ := strconv.ParseUint(digits[:4], 16, 16)
		units = append(units, uint16(u))
	}
	return string(utf16.Decode(units))
}

// read returns the text of a file as a reader gets it: lines apart, every
// code through the character map of its font.
func read(t testing.TB, data []byte) string {
	t.Helper()
	f := open(t, data)
	var text strings.Builder
	for _, page := range f.pages(t) {
		maps, font := f.maps(t, page), ""
		for _, m := range reShow.FindAllStringSubmatch(f.streams[f.ref(t, page, "/Contents ")], -1) {
			switch {
			case m[3] != "":
				text.WriteByte('\n')
			case m[1] != "":
				font = m[1]
			}
			for codes := m[2]; codes != ""; codes = codes[4:] {
				char, ok := maps[font][codes[:4]]
				if !ok {
					t.Fatalf("code %s of %s stands for nothing", codes[:4], font)
				}
				text.WriteString(char)
			}
		}
	}
	return text.String()
}
