package state_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

func open(t testing.TB, dir string) *state.DB {
	t.Helper()
	d, err := state.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func at(second int) time.Time {
	return time.Date(2026, 11, 1, 6, 0, second, 5e6, time.UTC)
}

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with space, ?#% and বাংলা", "deeper")
	first, err := state.Open(t.Context(), dir)
	must(t, err)
	epoch, err := first.Epoch(t.Context())
	must(t, err)
	must(t, first.Close())

	info, err := os.Stat(filepath.Join(dir, "state.db"))
	must(t, err)
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("state.db holds password hashes and has mode %o", mode)
	}
	again := open(t, dir)
	if got, err := again.Epoch(t.Context()); err != nil || got != epoch || len(epoch) != 16 {
		t.Errorf("epoch %q became %q, %v", epoch, got, err)
	}
	if other, _ := open(t, t.TempDir()).Epoch(t.Context()); other == epoch {
		t.Error("two databases have one epoch")
	}
}

func TestWritesAreDurableAndForeignKeysHold(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, d.Write(t.Context(), func(tx *sql.Tx) error {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
			var got string
			must(t, tx.QueryRow("PRAGMA "+pragma).Scan(&got))
			if got != want {
				t.Errorf("%s = %s, want %s", pragma, got, want)
			}
		}
		return nil
	}))
}

func TestWriteIsAllOrNothing(t *testing.T) {
	d := open(t, t.TempDir())
	boom := errors.New("boom")
	err := d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE meta SET value = 'gone'`)
		must(t, err)
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
	if epoch, err := d.Epoch(t.Context()); err != nil || epoch == "gone" {
		t.Errorf("epoch %q, %v after a write that failed", epoch, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE meta SET value = 'gone'`)
		cancel()
		return err
	})
	if epoch, _ := d.Epoch(t.Context()); err == nil || epoch == "gone" {
		t.Errorf("epoch %q, error %v after a write that was cancelled", epoch, err)
	}
}

func TestOpenRefusesNewerDatabase(t *testing.T) {
	dir := t.TempDir()
	d, err := state.Open(t.Context(), dir)
	must(t, err)
	must(t, d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO migrations (number, name, sha256) VALUES (9001, 'future', 'x')`)
		return err
	}))
	must(t, d.Close())
	_, err = state.Open(t.Context(), dir)
	if !errors.Is(err, safety.ErrInvalid) {
		t.Fatalf("error %v, want one wrapping safety.ErrInvalid", err)
	}
}

func TestTwoProcessesWrite(t *testing.T) {
	dir := t.TempDir()
	first, second := open(t, dir), open(t, dir)
	done := make(chan error, 2)
	for i, d := range []*state.DB{first, second} {
		go func() {
			var err error
			for n := uint64(1); n <= 50 && err == nil; n++ {
				err = d.CommitBatch(context.Background(), state.Batch{Transitions: []safety.Transition{
					{Factory: "padma", Source: "gw-1", Run: string(rune('a' + i)), Seq: n, At: at(0)},
				}})
			}
			done <- err
		}()
	}
	must(t, <-done)
	must(t, <-done)
	if all, err := first.TransitionsAfter(t.Context(), 0, 1000); err != nil || len(all) != 100 {
		t.Errorf("%d transitions, %v, want 100", len(all), err)
	}
}

// noMoreProgress breaks the last write of CommitBatch.
func noMoreProgress(tx *sql.Tx) error {
	_, err := tx.Exec(`CREATE TRIGGER broken BEFORE INSERT ON progress BEGIN SELECT RAISE(ABORT, 'disk'); END`)
	return err
}
