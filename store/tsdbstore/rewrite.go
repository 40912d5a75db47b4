package tsdbstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// failedSync marks a store whose last process saw a sync fail. The kernel then
// calls the lost pages clean: they read well until power is lost, no further
// sync writes them, and the hole would cost everything behind it.
const failedSync = "sync-failed"

// markFailedSync is best effort, on a disk that just failed.
func markFailedSync(dir string) {
	f, err := os.Create(filepath.Join(dir, failedSync))
	if err != nil {
		return
	}
	if errors.Join(f.Sync(), f.Close()) == nil {
		_ = fsyncDir(dir)
	}
}

// rewriteAfterFailedSync writes the logs anew, from what still can be read, if
// the last process left the mark.
func rewriteAfterFailedSync(dir string) error {
	mark := filepath.Join(dir, failedSync)
	if _, err := os.Stat(mark); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, name := range []string{"wal", "wbl"} {
		err := filepath.WalkDir(filepath.Join(dir, name), func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || !e.Type().IsRegular() || filepath.Ext(path) == ".tmp" {
				return err
			}
			return rewrite(path)
		})
		if err != nil {
			return fmt.Errorf("rewrite after a failed sync: %w", err)
		}
	}
	return errors.Join(os.Remove(mark), fsyncDir(dir))
}

func rewrite(path string) error {
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err := errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return fsyncDir(filepath.Dir(path))
}
