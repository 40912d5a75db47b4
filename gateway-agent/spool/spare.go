package spool

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The spare is a file whose only use is to be deleted: alarms take its room
// when something else has filled the disk. While it is missing telemetry is
// refused, so that it cannot take that room.

func (s *Spool) sparePath() string { return filepath.Join(s.dir, "spare") }

func (s *Spool) spareBytes() int64 { return s.cfg.segment }

func (s *Spool) hasSpare() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spare
}

// releaseSpare frees the reserved space. It reports whether there was any.
func (s *Spool) releaseSpare() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := s.spare
	s.spare = false
	if had && os.Remove(s.sparePath()) != nil {
		return false
	}
	return had
}

// restoreSpare reserves the space again. It reports whether it is there.
func (s *Spool) restoreSpare() bool {
	if s.hasSpare() {
		return true
	}
	err := s.writeSpare()
	if err != nil {
		err = errors.Join(err, os.Remove(s.sparePath()))
	}
	s.mu.Lock()
	s.spare = err == nil
	s.mu.Unlock()
	return err == nil
}

func (s *Spool) writeSpare() error {
	f, err := os.OpenFile(s.sparePath(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, s.spareBytes())
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = f.WriteAt(make([]byte, s.spareBytes()), 0)
	}
	return errors.Join(err, f.Close())
}
