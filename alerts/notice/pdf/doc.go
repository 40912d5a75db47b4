// Package pdf sets paragraphs, tables and lists on A4 pages, Bangla included,
// in pure Go, and promises that the text can be read back out of the file
// exactly as it was put in.
//
// Bangla cannot be read back glyph by glyph: one drawn shape stands for
// different letters in different places, and signs stand before the letter
// that they follow. Therefore every shaped cluster (what HarfBuzz keeps
// together: a conjunct with its signs) becomes one glyph of a small TrueType
// font made for the document, and one code of the page's text. Its ToUnicode
// entry is the source text of the cluster, so there is nothing to reorder.
//
// The same document gives the same bytes. Text is data here: no character of
// it can change the structure of the file, and a character that no face has is
// drawn as an empty box but still read back.
package pdf
