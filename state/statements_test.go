package state_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/safety"
	"nirapod/state"
)

// New statements come up in transactions that wait for each other.
func TestManyWritersAtOnce(t *testing.T) {
	db := open(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for i := range 8 {
		g.Go(func() error {
			for n := range 20 {
				name := fmt.Sprint("role-", i)
				err := db.Book(ctx, func(b *state.Book) error {
					if at, err := b.Cursor(ctx, name); err != nil || at != int64(n) {
						return fmt.Errorf("%s at %d, want %d: %w", name, at, n, err)
					}
					if _, err := b.OpenAlert(ctx, name); !errors.Is(err, safety.ErrNotFound) {
						return err
					}
					return b.SetCursor(ctx, name, int64(n+1))
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
