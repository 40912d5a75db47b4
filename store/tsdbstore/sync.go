package tsdbstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"

	"golang.org/x/sys/unix"
)

// syncer makes one write log of the TSDB durable from outside: after a commit
// returned, its records have been written to the segments, and a sync of any
// descriptor of a segment reaches them. Segments are numbered upwards; only
// the newest grows, but the TSDB may start another at any time (a full one, or
// the end of a compaction), so one commit may lie in several.
type syncer struct {
	dir    string
	newest *os.File // kept open: a failed write-back is told to every descriptor that was open then
	number int      // of newest, -1 before the first
	size   int64    // of newest when it was last synced, -1 if never

	fdatasync func(*os.File) error
	fsyncDir  func(dir string) error
}

func newSyncers(dir string) []*syncer {
	var all []*syncer
	for _, name := range []string{"wal", "wbl"} {
		all = append(all, &syncer{
			dir: filepath.Join(dir, name), number: -1, size: -1,
			fdatasync: fdatasync, fsyncDir: fsyncDir,
		})
	}
	return all
}

// sync returns when all that is in the logs is on the disk. The log of readings
// comes first, because late samples in the second name series of the first.
func (s *Store) sync() error {
	for _, l := range s.logs {
		if err := l.sync(); err != nil {
			markFailedSync(filepath.Dir(l.dir))
			return s.breakDown(fmt.Errorf("sync %s: %w", l.dir, err))
		}
	}
	return nil
}

// sync syncs the newest segment known and every newer one, then the directory
// if it has a new entry. A segment that is gone since it was listed was cut off
// by a compaction, which synced what it replaced it with; the listing is
// repeated because newer segments may have come with that.
func (l *syncer) sync() error {
	for {
		numbers, err := l.list()
		if err != nil {
			return err
		}
		if l.newest != nil && (len(numbers) == 0 || numbers[0] != l.number) {
			// Removed meanwhile; the descriptor still reaches it.
			if err := l.fdatasync(l.newest); err != nil {
				return err
			}
		}
		again, err := l.syncAll(numbers)
		if err != nil {
			return err
		}
		if !again {
			return nil
		}
	}
}

func (l *syncer) syncAll(numbers []int) (again bool, err error) {
	fresh := false
	for _, n := range numbers {
		if n != l.number {
			opened, err := os.Open(l.path(n))
			if errors.Is(err, fs.ErrNotExist) {
				return true, nil
			}
			if err != nil {
				return false, err
			}
			if err := l.close(); err != nil {
				return false, errors.Join(err, opened.Close())
			}
			l.newest, l.number, l.size, fresh = opened, n, -1, true
		}
		if err := l.syncNewest(); err != nil {
			return false, err
		}
	}
	if fresh {
		return false, l.fsyncDir(l.dir)
	}
	return false, nil
}

func (l *syncer) syncNewest() error {
	info, err := l.newest.Stat()
	if err != nil {
		return err
	}
	if info.Size() == l.size {
		return nil
	}
	if err := l.fdatasync(l.newest); err != nil {
		return err
	}
	l.size = info.Size()
	return nil
}

// list returns the numbers of the segments that may hold unsynced records,
// lowest first.
func (l *syncer) list() ([]int, error) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		// Checkpoints and repairs have other names; the TSDB syncs them.
		if n, err := strconv.Atoi(e.Name()); err == nil && n >= l.number {
			numbers = append(numbers, n)
		}
	}
	sort.Ints(numbers)
	return numbers, nil
}

func (l *syncer) path(n int) string { return filepath.Join(l.dir, fmt.Sprintf("%08d", n)) }

func (l *syncer) close() error {
	if l.newest == nil {
		return nil
	}
	err := l.newest.Close()
	l.newest = nil
	return err
}

func fdatasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func fsyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
