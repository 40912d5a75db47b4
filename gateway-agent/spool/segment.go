package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"nirapod/wire"
)

// series is one stream of one run.
type series struct {
	gen     uint64 // orders runs: later ones are larger
	run     string
	boot    string
	stream  wire.Stream
	current bool
	segs    []*segment // ascending, without a break: holes inside are gone
	next    uint64     // first number that is not yet accepted
	mono    int64      // newest known, of earlier runs
}

// segment is one file: the numbers from first up to the next segment.
type segment struct {
	path    string
	first   uint64
	size    int64 // bytes that are accepted
	version int   // counts replacements of the file
	sealed  bool  // nothing is appended any more
	thin    bool  // thinned by this process
	stub    bool  // dropped: holds one gone span
	mended  bool  // damage was found and dealt with
}

var segmentName = regexp.MustCompile(`^(\d{8,})_([0-9a-f]{16})_([A-Za-z0-9.:-]{1,64})_([ra])_(\d{20})\.seg$`)

func (sr *series) path(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%08d_%s_%s_%s_%020d.seg", sr.gen, sr.run, sr.boot, sr.stream, first))
}

func (sr *series) seed() uint32 {
	return crc32.Checksum([]byte(sr.run+"/"+string(sr.stream)), castagnoli)
}

// base is the first number still held, next if there is none.
func (sr *series) base() uint64 {
	if len(sr.segs) > 0 {
		return sr.segs[0].first
	}
	return sr.next
}

// last is the last number that seg answers for.
func (sr *series) last(seg *segment) uint64 {
	if i := slices.Index(sr.segs, seg); i >= 0 && i+1 < len(sr.segs) {
		return sr.segs[i+1].first - 1
	}
	return sr.next - 1
}

// holding returns the segment that answers for seq, nil if there is none.
func (sr *series) holding(seq uint64) *segment {
	for _, seg := range slices.Backward(sr.segs) {
		if seg.first <= seq && seq < sr.next {
			return seg
		}
	}
	return nil
}

// parseName returns the series and first number that a file name says.
func parseName(name string) (sr series, first uint64, ok bool) {
	m := segmentName.FindStringSubmatch(name)
	if m == nil {
		return series{}, 0, false
	}
	gen, err1 := strconv.ParseUint(m[1], 10, 64)
	first, err2 := strconv.ParseUint(m[5], 10, 64)
	sr = series{gen: gen, run: m[2], boot: m[3], stream: wire.Stream(m[4])}
	return sr, first, errors.Join(err1, err2) == nil && first > 0
}

// readSegment returns what can be read of a file: blocks that the disk does
// not give back are zero.
func readSegment(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return data, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data = make([]byte, info.Size())
	const block = 4096
	for off := 0; off < len(data); off += block {
		part := data[off:min(off+block, len(data))]
		if _, err := f.ReadAt(part, int64(off)); err != nil && !errors.Is(err, io.EOF) {
			clear(part)
		}
	}
	return data, nil
}

// writeWhole replaces path by data, durably and all or nothing.
func (s *Spool) writeWhole(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncPath(s.dir)
}

func syncPath(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// replace puts items in the place of all that seg holds.
func (s *Spool) replace(sr *series, seg *segment, items []item) error {
	data := []byte(magic)
	for _, it := range items {
		var err error
		if data, err = appendFrame(data, sr.seed(), it); err != nil {
			return err
		}
	}
	s.files.Lock()
	defer s.files.Unlock()
	if err := s.writeWhole(seg.path, data); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.size = int64(len(data))
	seg.version++
	return nil
}

// remove takes seg out of the index and off the disk.
func (s *Spool) remove(sr *series, seg *segment) error {
	s.files.Lock()
	defer s.files.Unlock()
	s.mu.Lock()
	sr.segs = slices.DeleteFunc(sr.segs, func(x *segment) bool { return x == seg })
	s.mu.Unlock()
	if err := os.Remove(seg.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
