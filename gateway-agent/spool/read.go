package spool

import (
	"errors"
	"fmt"
	"io"
	"os"

	"nirapod/safety"
	"nirapod/wire"
)

const maxGone = 100 // spans in a batch

// Batch is a stretch of one stream without a break: each number from From to
// To is a record or gone.
type Batch struct {
	From, To uint64
	First    uint64   // number of Records[0]; To+1 if there is none
	Records  []Record // consecutive, all synced or all unsynced
	Gone     []Gone   // ascending
}

func (b *Batch) synced() bool { return !b.Records[0].Wall.IsZero() }

// Reader reads one stream. It is for one goroutine; several readers of one
// spool do not disturb each other.
type Reader struct {
	s      *Spool
	stream wire.Stream

	seg     *segment // where the last batch ended
	version int
	off     int64
	seq     uint64
}

// Reader returns a reader of stream.
func (s *Spool) Reader(stream wire.Stream) *Reader { return &Reader{s: s, stream: stream} }

// Next returns what is held of run between from and to (inclusive), up to
// limit records and up to the first change between synced and unsynced. It
// returns an error wrapping safety.ErrNotFound when nothing of that is held.
func (r *Reader) Next(run string, from, to uint64, limit int) (Batch, error) {
	b := Batch{From: from, To: from - 1}
	for {
		sr, seg, last := r.s.locate(run, r.stream, b.To+1)
		if seg == nil || b.To >= to {
			break
		}
		full, err := r.segment(&b, sr, seg, min(to, last), limit)
		if err != nil {
			items, same := r.s.mend(sr, seg, r.version)
			if !same {
				continue
			}
			for i := 0; i < len(items) && !full; i++ {
				full = b.add(items[i], min(to, last), limit)
			}
		}
		if full || len(b.Records) > 0 {
			break
		}
	}
	if b.To < b.From {
		return Batch{}, fmt.Errorf("run %s stream %s from %d: %w", run, r.stream, from, safety.ErrNotFound)
	}
	if len(b.Records) == 0 {
		b.First = b.To + 1
	}
	return b, nil
}

// locate returns the segment that answers for seq, and its last number.
func (s *Spool) locate(run string, stream wire.Stream, seq uint64) (*series, *segment, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sr := range s.series {
		if sr.run == run && sr.stream == stream {
			if seg := sr.holding(seq); seg != nil {
				return sr, seg, sr.last(seg)
			}
		}
	}
	return nil, nil, 0
}

// segment adds to b what seg holds up to number to. It reports whether b is
// full. An error means that seg is damaged.
func (r *Reader) segment(b *Batch, sr *series, seg *segment, to uint64, limit int) (full bool, err error) {
	r.s.files.RLock()
	defer r.s.files.RUnlock()
	r.s.mu.Lock()
	size, version := seg.size, seg.version
	r.s.mu.Unlock()
	off := int64(len(magic))
	if r.seg == seg && r.version == version && r.seq <= b.To+1 {
		off = r.off
	}
	r.seg, r.version, r.off, r.seq = seg, version, off, 0
	f, err := os.Open(seg.path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	frames := newFrameReader(io.NewSectionReader(f, off, max(0, size-off)), sr.seed(), off)
	for !full && b.To < to {
		at := frames.off
		it, err := frames.next()
		switch {
		case errors.Is(err, io.EOF):
			b.addGone(b.To+1, to, wire.GoneCorrupt)
			continue
		case err != nil:
			return false, err
		}
		full = b.add(it, to, limit)
		r.off, r.seq = at, it.from
	}
	return full, nil
}

// add takes it into the batch as far as it fits and reports whether the batch
// is full.
func (b *Batch) add(it item, to uint64, limit int) (full bool) {
	if it.to <= b.To {
		return false
	}
	if it.from > b.To+1 {
		b.addGone(b.To+1, min(to, it.from-1), wire.GoneCorrupt)
	}
	switch {
	case b.To >= to:
		return false
	case it.gone != "":
		b.addGone(b.To+1, min(to, it.to), it.gone)
		return len(b.Gone) >= maxGone
	case len(b.Records) == 0:
		b.First = it.from
	case len(b.Records) == limit || it.from != b.First+uint64(len(b.Records)) || b.synced() == it.record.Wall.IsZero():
		return true
	}
	b.Records = append(b.Records, it.record)
	b.To = it.to
	return false
}

func (b *Batch) addGone(from, to uint64, reason string) {
	if n := len(b.Gone) - 1; n >= 0 && b.Gone[n].Reason == reason && b.Gone[n].Span.To == from-1 {
		b.Gone[n].Span.To = to
	} else {
		b.Gone = append(b.Gone, Gone{safety.Span{From: from, To: to}, reason})
	}
	b.To = to
}
