package spool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// Stamp is when something happened by the gateway's clocks. It is fixed at
// acceptance and never changes afterwards.
type Stamp struct {
	Mono int64     // ms of the boot's monotonic clock
	Wall time.Time // UTC, whole ms; zero when the clock was unsynced
}

// Record is one reading (stream r) or one transition (stream a). Its time is
// in Stamp, not in Reading.At or Transition.At.
type Record struct {
	Stamp
	Reading    safety.Reading
	Transition *safety.Transition
}

// Gone declares numbers that no longer hold a record.
type Gone struct {
	Span   safety.Span
	Reason string // one of wire's Gone constants
}

// item is what one frame holds: a record, or a span that is gone.
type item struct {
	from, to uint64
	gone     string // reason; "" for a record
	record   Record
}

const (
	kindReading byte = iota + 1
	kindTransition
	kindGone
)

var errPayload = errors.New("malformed payload")

// clean returns r as it will be read back, or an error wrapping
// safety.ErrInvalid if it can never be sent.
func (r Record) clean(stream wire.Stream) (Record, error) {
	if r.Mono < 0 {
		return r, fmt.Errorf("mono %d: %w", r.Mono, safety.ErrInvalid)
	}
	if !r.Wall.IsZero() {
		r.Wall = r.Wall.UTC().Truncate(time.Millisecond)
	}
	if stream == wire.Alarms {
		if r.Transition == nil || r.Reading != (safety.Reading{}) {
			return r, fmt.Errorf("stream a holds transitions only: %w", safety.ErrInvalid)
		}
		return r, nil
	}
	if r.Transition != nil {
		return r, fmt.Errorf("stream r holds readings only: %w", safety.ErrInvalid)
	}
	q := &r.Reading
	q.At = time.Time{}
	if q.Quality == safety.Bad {
		q.Value = 0
	}
	if math.IsNaN(q.Value) || math.IsInf(q.Value, 0) || !wire.ValidID(q.Sensor) ||
		q.Quality > safety.Good || (q.Quality == safety.Good) != (q.Reason == "") {
		return r, fmt.Errorf("reading %+v: %w", *q, safety.ErrInvalid)
	}
	return r, nil
}

func appendItem(b []byte, it item) ([]byte, error) {
	switch {
	case it.gone != "":
		b = append(b, kindGone)
		b = binary.AppendUvarint(b, it.from)
		b = binary.AppendUvarint(b, it.to)
		return appendText(b, it.gone), nil
	case it.record.Transition != nil:
		doc, err := json.Marshal(it.record.Transition)
		if err != nil {
			return b, fmt.Errorf("transition: %w: %w", err, safety.ErrInvalid)
		}
		b = appendStamp(append(b, kindTransition), it)
		return append(b, doc...), nil
	}
	r := it.record.Reading
	b = appendStamp(append(b, kindReading), it)
	b = append(b, byte(r.Quality), byte(r.Flags))
	b = appendText(b, r.Sensor)
	b = appendText(b, string(r.Reason))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Value)), nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStamp(b []byte, it item) []byte {
	b = binary.AppendUvarint(b, it.from)
	b = binary.AppendVarint(b, it.record.Mono)
	if it.record.Wall.IsZero() {
		return append(b, 0)
	}
	return binary.AppendVarint(append(b, 1), it.record.Wall.UnixMilli())
}

// cursor takes a payload apart; bad sticks.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n < 0 || n > len(c.b) {
		c.bad = true
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.take(n)
	return v
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.take(n)
	return v
}

func (c *cursor) text() string {
	n := c.uvarint()
	if n > uint64(len(c.b)) {
		c.bad = true
		return ""
	}
	return string(c.take(int(n)))
}

func (c *cursor) stamp() Stamp {
	st := Stamp{Mono: c.varint()}
	if c.byte() == 1 {
		st.Wall = time.UnixMilli(c.varint()).UTC()
	}
	return st
}

func decodeItem(payload []byte) (item, error) {
	c := cursor{b: payload}
	kind := c.byte()
	it := item{from: c.uvarint()}
	it.to = it.from
	switch kind {
	case kindGone:
		it.to = c.uvarint()
		it.gone = c.text()
		c.bad = c.bad || it.gone == ""
	case kindReading:
		it.record.Stamp = c.stamp()
		r := &it.record.Reading
		r.Quality, r.Flags = safety.Quality(c.byte()), safety.Flags(c.byte())
		r.Sensor, r.Reason = c.text(), safety.Reason(c.text())
		if v := c.take(8); v != nil {
			r.Value = math.Float64frombits(binary.LittleEndian.Uint64(v))
		}
	case kindTransition:
		it.record.Stamp = c.stamp()
		it.record.Transition = new(safety.Transition)
		if err := json.Unmarshal(c.b, it.record.Transition); err != nil {
			return item{}, fmt.Errorf("%w: %w", errPayload, err)
		}
		c.b = nil
	default:
		c.bad = true
	}
	if c.bad || len(c.b) > 0 || it.from < 1 || it.to < it.from {
		return item{}, errPayload
	}
	return it, nil
}
