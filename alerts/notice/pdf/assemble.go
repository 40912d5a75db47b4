package pdf

import (
	"fmt"
	"io"
	"strings"
)

// assemble writes pages, fonts and what ties them together.
func (d *Document) assemble(w io.Writer) error {
	out := newFile()
	root, tree, info, resources := out.reserve(), out.reserve(), out.reserve(), out.reserve()
	out.object(root, "<< /Type /Catalog /Pages %d 0 R /Lang (%s) /ViewerPreferences << /DisplayDocTitle true >> >>", tree, letters(d.info.Lang))
	out.object(info, "<< /Title %s /Producer (Nirapod) /CreationDate (D:%s) >>", text(clean(d.info.Title)), d.info.Created.UTC().Format("20060102150405Z"))
	var fonts strings.Builder
	for face, f := range d.set.fonts {
		if f.used() {
			fmt.Fprintf(&fonts, "/F%d %d 0 R ", face, f.embed(out))
		}
	}
	out.object(resources, "<< /Font << %s>> >>", fonts.String())
	var kids strings.Builder
	for _, p := range d.pages {
		leaf, content := out.reserve(), out.reserve()
		fmt.Fprintf(&kids, "%d 0 R ", leaf)
		out.object(leaf, "<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.2f %.2f] /Resources %d 0 R /Contents %d 0 R >>",
			tree, pageWidth, pageHeight, resources, content)
		out.stream(content, "", p.buf.Bytes())
	}
	out.object(tree, "<< /Type /Pages /Kids [%s] /Count %d >>", strings.TrimSpace(kids.String()), len(d.pages))
	return out.finish(w, root, info)
}

// letters keeps of a language tag what may stand in one.
func letters(tag string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, tag)
}
