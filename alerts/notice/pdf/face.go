package pdf

import (
	"bytes"
	"fmt"
	"sync"

	typeface "github.com/go-text/typesetting/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"

	"nirapod/alerts/notice/font"
)

const (
	bangla = iota
	latin
	regular // what the first two lack: Greek, Cyrillic, more of Latin
	mono
	faceCount
)

// Faces are asked in this order. The last one stands for a character that none
// of them has.
var (
	textFaces = [...]int{bangla, latin, regular}
	monoFaces = [...]int{mono, bangla, latin, regular}
)

var faceNames = [faceCount]string{"NotoSansBengali", "NotoSansBengaliLatin", "GoRegular", "GoMono"}

// sources are parsed once. A parsed font is immutable and safe to share.
var sources = sync.OnceValues(func() ([faceCount]*typeface.Font, error) {
	var fonts [faceCount]*typeface.Font
	for i, data := range [faceCount][]byte{font.Bangla, font.Latin, goregular.TTF, gomono.TTF} {
		face, err := typeface.ParseTTF(bytes.NewReader(data))
		if err != nil {
			return fonts, fmt.Errorf("font %s: %w", faceNames[i], err)
		}
		fonts[i] = face.Font
	}
	return fonts, nil
})
