package pdf

import (
	"encoding/binary"
	"math"

	"github.com/go-text/typesetting/font/opentype"
)

// farthest keeps the difference of any two coordinates within 16 bits.
const farthest = 16_000

type point struct {
	x, y int16
	on   bool // the curve goes through it
}

// outline returns the contours of a cluster, all its parts at their places.
func (f *subset) outline(c shapedCluster) [][]point {
	var contours [][]point
	for _, p := range c.parts {
		shape, ok := f.face.GlyphDataOutline(p.gid)
		if !ok {
			continue
		}
		at := func(q opentype.SegmentPoint, on bool) point {
			return point{clamp(float64(q.X) + p.x), clamp(float64(q.Y) + p.y), on}
		}
		for _, s := range shape.Segments {
			if s.Op == opentype.SegmentOpMoveTo {
				contours = append(contours, []point{at(s.Args[0], true)})
				continue
			}
			if len(contours) == 0 {
				continue
			}
			last := &contours[len(contours)-1]
			args := s.ArgsSlice()
			for i, q := range args {
				*last = append(*last, at(q, i == len(args)-1))
			}
		}
	}
	return closed(contours)
}

// closed drops the point that repeats the first of its contour, and contours
// without area.
func closed(contours [][]point) [][]point {
	out := contours[:0]
	for _, c := range contours {
		if n := len(c); n > 1 && c[n-1] == c[0] {
			c = c[:n-1]
		}
		if len(c) > 2 {
			out = append(out, c)
		}
	}
	return out
}

func clamp(v float64) int16 {
	return int16(math.Round(max(-farthest, min(farthest, v))))
}

type bounds struct{ x0, y0, x1, y1 int16 }

func boundsOf(contours [][]point) bounds {
	b := bounds{math.MaxInt16, math.MaxInt16, math.MinInt16, math.MinInt16}
	for _, c := range contours {
		for _, p := range c {
			b = bounds{min(b.x0, p.x), min(b.y0, p.y), max(b.x1, p.x), max(b.y1, p.y)}
		}
	}
	return b
}

// glyf writes contours as one simple glyph of the TrueType table glyf; nil for
// a glyph without ink.
func glyf(contours [][]point) []byte {
	if len(contours) == 0 {
		return nil
	}
	be, b := binary.BigEndian, boundsOf(contours)
	data := numbers(int16(len(contours)), b.x0, b.y0, b.x1, b.y1)
	var flags, xs, ys []byte
	end, last := -1, point{}
	for _, c := range contours {
		end += len(c)
		data = be.AppendUint16(data, uint16(end))
		for _, p := range c {
			flag := byte(0)
			if p.on {
				flag = onCurve
			}
			xs, flag = appendStep(xs, flag, p.x-last.x, xShort, xSame)
			ys, flag = appendStep(ys, flag, p.y-last.y, yShort, ySame)
			flags, last = append(flags, flag), p
		}
	}
	data = append(data, 0, 0) // no instructions
	data = append(append(append(data, flags...), xs...), ys...)
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	return data
}

// Flags of a point in the table glyf.
const (
	onCurve = 1 << iota
	xShort  // one byte without sign
	yShort
	_
	xSame // of a short step: it is positive; else: there is none
	ySame
)

func appendStep(data []byte, flag byte, step int16, short, same byte) ([]byte, byte) {
	switch {
	case step == 0:
		return data, flag | same
	case step > 0 && step < 256:
		return append(data, byte(step)), flag | short | same
	case step < 0 && step > -256:
		return append(data, byte(-step)), flag | short
	}
	return binary.BigEndian.AppendUint16(data, uint16(step)), flag
}

func numbers(vs ...int16) []byte {
	var data []byte
	for _, v := range vs {
		data = binary.BigEndian.AppendUint16(data, uint16(v))
	}
	return data
}
