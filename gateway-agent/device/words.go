package device

import (
	"encoding/binary"
	"fmt"
)

// AppendWord appends a word as HDC302x and SCD41 take it: two bytes, the higher
// first, and their CRC.
func AppendWord(out []byte, word uint16) []byte {
	out = binary.BigEndian.AppendUint16(out, word)
	return append(out, crc8(out[len(out)-2:]))
}

// ReadWords fills words from an answer in the same form, three bytes for each.
// The error wraps ErrCRC.
func ReadWords(in []byte, words []uint16) error {
	for i := range words {
		word := in[3*i:]
		if want := crc8(word[:2]); want != word[2] {
			return fmt.Errorf("word %d is % x, want check %#02x: %w", i, word[:3], want, ErrCRC)
		}
		words[i] = binary.BigEndian.Uint16(word)
	}
	return nil
}

// crc8 is polynomial 0x31, initial value 0xFF, not reflected.
func crc8(b []byte) byte {
	crc := byte(0xFF)
	for _, v := range b {
		crc ^= v
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x31
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
