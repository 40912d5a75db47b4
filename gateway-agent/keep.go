package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// keepRetry is how long after a failed write the next is tried.
const keepRetry = time.Second

// keeper writes the small files that a restart needs. The newest content of
// each wins; whoever hands it over never waits for the disk.
type keeper struct {
	dir    string
	broken func(bool)
	log    *slog.Logger
	wake   chan struct{}

	mu      sync.Mutex
	pending map[string]content // by file name; guarded by mu
}

// content is a whole file. Without sync it survives the death of the process
// and may be lost with the power.
type content struct {
	data []byte
	sync bool
}

func newKeeper(dir string, broken func(bool), log *slog.Logger) *keeper {
	return &keeper{
		dir: dir, broken: broken, log: log,
		wake: make(chan struct{}, 1), pending: map[string]content{},
	}
}

func (k *keeper) keep(name string, data []byte, sync bool) {
	k.mu.Lock()
	k.pending[name] = content{data, sync || k.pending[name].sync}
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *keeper) run(ctx context.Context) error {
	state := health{tell: k.broken}
	for {
		retry := make(<-chan time.Time)
		err := k.flush()
		if state.report(err) {
			k.log.Warn("saved states changed", "failing", err != nil, "err", err)
		}
		if err != nil {
			retry = time.After(keepRetry)
		}
		select {
		case <-ctx.Done():
			if err := k.flush(); err != nil {
				k.log.Error("the last states are not kept", "err", err)
			}
			return ctx.Err()
		case <-k.wake:
		case <-retry:
		}
	}
}

// flush writes the files in the order of their names and stops at the first
// that cannot be written: the rules on disk are never newer than the
// annunciator, as far as the disk keeps its promises.
func (k *keeper) flush() error {
	k.mu.Lock()
	todo := k.pending
	k.pending = map[string]content{}
	k.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(todo)) {
		if err := replace(filepath.Join(k.dir, name), todo[name]); err != nil {
			k.putBack(todo)
			return err
		}
		delete(todo, name)
	}
	return nil
}

// putBack lets what is not written wait on, unless there is newer content.
func (k *keeper) putBack(todo map[string]content) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, c := range todo {
		if newer, ok := k.pending[name]; ok {
			newer.sync = newer.sync || c.sync
			c = newer
		}
		k.pending[name] = c
	}
}

// replace puts c in the place of a file as a whole.
func replace(path string, c content) error {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(c.data)
	if err == nil && c.sync {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil || !c.sync {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// recall reads a kept file into v; found is false when there is none. A file
// that cannot be read is set aside, so that it is looked at once.
func recall(dir, name string, v any) (found bool, err error) {
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return false, errors.Join(fmt.Errorf("%s: %w", name, err), os.Rename(path, path+".bad"))
	}
	return true, nil
}
