package tsdbstore

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"
)

// rebuildFromLogs makes the TSDB build its head from the write logs alone. It
// reports whether the log of late samples was damaged; what is damaged is left
// out, the rest kept.
//
// The TSDB would rather trust chunks_head, a cache that it writes through a
// buffer and never syncs, and skip what the log of late samples calls "mapped
// into a chunk". After kill -9 such a chunk may never have been written, or its
// number may have gone to another; the marker "nothing mapped yet" (number 0),
// which follows each compaction of late samples, is even taken to mean that all
// before it was mapped. Acknowledged late samples are then lost. So the cache
// is removed and the log of late samples is copied without its markers: what
// was in a chunk as well as in the log is kept once.
func rebuildFromLogs(dir string, segmentSize int) (damaged bool, err error) {
	if err := os.RemoveAll(filepath.Join(dir, "chunks_head")); err != nil {
		return false, err
	}
	wbl := filepath.Join(dir, wlog.WblDirName)
	fresh, old := filepath.Join(dir, "wbl-without-markers"), filepath.Join(dir, "wbl-with-markers")
	_, err = os.Stat(wbl)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return false, err
	}
	// Without a log there was none, or an earlier rebuild was cut off between
	// the two renames; the copy was complete before the first.
	if !missing {
		if damaged, err = replaceByCopy(wbl, fresh, old, segmentSize); err != nil {
			return damaged, err
		}
	}
	if err := os.Rename(fresh, wbl); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return damaged, err
	}
	return damaged, errors.Join(fsyncDir(dir), os.RemoveAll(old))
}

// replaceByCopy leaves the copy of wbl, durable, in fresh and wbl itself in old.
func replaceByCopy(wbl, fresh, old string, segmentSize int) (damaged bool, err error) {
	if err := errors.Join(os.RemoveAll(fresh), os.RemoveAll(old)); err != nil {
		return false, err
	}
	if damaged, err = copyWithoutMarkers(wbl, fresh, segmentSize); err != nil {
		return damaged, err
	}
	if err := errors.Join(fsyncDir(fresh), fsyncDir(filepath.Dir(fresh))); err != nil {
		return damaged, err
	}
	return damaged, os.Rename(wbl, old)
}

func copyWithoutMarkers(from, to string, segmentSize int) (damaged bool, err error) {
	if segmentSize == 0 {
		segmentSize = wlog.DefaultSegmentSize
	}
	out, err := wlog.NewSize(slog.New(slog.DiscardHandler), nil, to, segmentSize, compression.Snappy)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	first, last, err := wlog.Segments(from)
	if err != nil {
		return false, err
	}
	for n := max(first, 0); n <= last; n++ {
		lost, err := copySegment(out, wlog.SegmentName(from, n))
		if err != nil {
			return false, err
		}
		damaged = damaged || lost
	}
	return damaged, nil
}

// copySegment copies one segment up to where it is damaged. Records lie within
// one segment and do not depend on each other.
func copySegment(out *wlog.WL, path string) (damaged bool, err error) {
	segment, err := wlog.OpenReadSegment(path)
	if err != nil {
		return false, err
	}
	buffered := wlog.NewSegmentBufReader(segment)
	defer func() { err = errors.Join(err, buffered.Close()) }()
	in := wlog.NewReader(buffered)
	for in.Next() {
		if len(in.Record()) > 0 && record.Type(in.Record()[0]) == record.MmapMarkers {
			continue
		}
		if err := out.Log(in.Record()); err != nil {
			return false, err
		}
	}
	return in.Err() != nil, nil
}
