package spool

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"nirapod/safety"
)

// A segment begins with magic. Each frame is a two-byte mark, the length of
// the payload (uint16), the CRC-32C of the payload (uint32), all little
// endian, and the payload. The CRC begins with the series' name, so that a
// frame of another run or stream is no frame here.
const (
	magic      = "NPSPOOL1"
	frameHead  = 8
	frameMark  = 0xA75E
	maxPayload = 1<<16 - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errFrame reports bytes that are no frame, or only part of one.
var errFrame = errors.New("damaged frame")

func appendFrame(b []byte, seed uint32, it item) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, frameHead)...)
	b, err := appendItem(b, it)
	if err != nil {
		return b[:start], err
	}
	payload := b[start+frameHead:]
	if len(payload) > maxPayload {
		return b[:start], fmt.Errorf("record of %d bytes: want at most %d: %w", len(payload), maxPayload, safety.ErrInvalid)
	}
	binary.LittleEndian.PutUint16(b[start:], frameMark)
	binary.LittleEndian.PutUint16(b[start+2:], uint16(len(payload)))
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Update(seed, castagnoli, payload))
	return b, nil
}

// frameLength returns the length of the whole frame that head begins.
func frameLength(head []byte) (int, bool) {
	return frameHead + int(binary.LittleEndian.Uint16(head[2:])), binary.LittleEndian.Uint16(head) == frameMark
}

func decodeFrame(frame []byte, seed uint32) (item, error) {
	payload := frame[frameHead:]
	if crc32.Update(seed, castagnoli, payload) != binary.LittleEndian.Uint32(frame[4:]) {
		return item{}, errFrame
	}
	it, err := decodeItem(payload)
	if err != nil {
		return item{}, fmt.Errorf("%w: %w", errFrame, err)
	}
	return it, nil
}

// frameReader reads frames one after the other.
type frameReader struct {
	r    *bufio.Reader
	seed uint32
	off  int64 // of the next frame
}

func newFrameReader(r io.Reader, seed uint32, off int64) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, frameHead+maxPayload), seed: seed, off: off}
}

// next returns the next item. The error is io.EOF at a clean end, and wraps
// errFrame for bytes that are no frame.
func (f *frameReader) next() (item, error) {
	head, err := f.r.Peek(frameHead)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return item{}, io.EOF
	}
	if err != nil {
		return item{}, fmt.Errorf("%w: %w", errFrame, err)
	}
	n, ok := frameLength(head)
	if !ok {
		return item{}, errFrame
	}
	frame, err := f.r.Peek(n)
	if err != nil {
		return item{}, fmt.Errorf("%w: %w", errFrame, err)
	}
	it, err := decodeFrame(frame, f.seed)
	if err != nil {
		return item{}, err
	}
	_, err = f.r.Discard(n)
	f.off += int64(n)
	return it, err
}

// salvage returns every whole frame in data, in ascending order, the length of
// the undamaged beginning, and how many of the items lie behind damage.
func salvage(data []byte, seed uint32) (items []item, sound, behind int) {
	sound = -1
	off := len(magic)
	if !bytes.HasPrefix(data, []byte(magic)) {
		sound, off = 0, 0
	}
	end := uint64(0)
	for off+frameHead <= len(data) {
		n, ok := frameLength(data[off:])
		if ok && off+n <= len(data) {
			if it, err := decodeFrame(data[off:off+n], seed); err == nil && it.from > end {
				items, end = append(items, it), it.to
				if sound >= 0 {
					behind++
				}
				off += n
				continue
			}
		}
		if sound < 0 {
			sound = off
		}
		off++
	}
	if sound < 0 {
		sound = off
	}
	return items, sound, behind
}
