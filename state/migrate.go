package state

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"nirapod/safety"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the tables' history. Once released it never
// changes: databases that took it would differ from new ones.
type migration struct {
	number int
	name   string
	text   string
	sum    string
}

// migrations returns the steps in fsys in order of their numbers.
func migrations(fsys fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(fsys, "migrations")
	if err != nil {
		return nil, err
	}
	var steps []migration
	for _, entry := range entries { // sorted by name, hence by number
		digits, name, _ := strings.Cut(strings.TrimSuffix(entry.Name(), ".sql"), "_")
		number, err := strconv.Atoi(digits)
		if err != nil || len(digits) != 4 {
			return nil, fmt.Errorf("migration %s: its name must begin with four digits", entry.Name())
		}
		if len(steps) > 0 && steps[len(steps)-1].number == number {
			return nil, fmt.Errorf("migration %s: number %d is taken by %s", entry.Name(), number, steps[len(steps)-1].name)
		}
		text, err := fs.ReadFile(fsys, "migrations/"+entry.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		steps = append(steps, migration{number, name, string(text), hex.EncodeToString(sum[:])})
	}
	return steps, nil
}

func (d *DB) migrate(ctx context.Context) error {
	steps, err := migrations(migrationFiles)
	if err != nil {
		return err
	}
	return d.apply(ctx, steps)
}

// apply takes the steps that the database has not taken yet, each in its own
// transaction. Each transaction looks anew, since another process may be
// opening the same database.
func (d *DB) apply(ctx context.Context, steps []migration) error {
	err := d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (
			number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT`)
		if err != nil {
			return err
		}
		return refuseNewer(ctx, tx, steps)
	})
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := d.Write(ctx, func(tx *sql.Tx) error { return step.take(ctx, tx) }); err != nil {
			return fmt.Errorf("migration %04d_%s: %w", step.number, step.name, err)
		}
	}
	return nil
}

func refuseNewer(ctx context.Context, tx *sql.Tx, steps []migration) error {
	known := make(map[int]bool, len(steps))
	for _, step := range steps {
		known[step.number] = true
	}
	taken, err := query(ctx, tx, func(row scanner) (m migration, err error) {
		return m, row.Scan(&m.number, &m.name)
	}, `SELECT number, name FROM migrations ORDER BY number`)
	if err != nil {
		return err
	}
	for _, m := range taken {
		if !known[m.number] {
			return fmt.Errorf("the database was written by a newer nirapod (it has migration %04d_%s, which this program does not know): run that version or restore a backup: %w",
				m.number, m.name, safety.ErrInvalid)
		}
	}
	return nil
}

func (m migration) take(ctx context.Context, tx *sql.Tx) error {
	var sum string
	switch err := tx.QueryRowContext(ctx, `SELECT sha256 FROM migrations WHERE number = ?`, m.number).Scan(&sum); {
	case err == nil && sum == m.sum:
		return nil
	case err == nil:
		return fmt.Errorf("the database took another step under this number: %w", safety.ErrInvalid)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO migrations (number, name, sha256) VALUES (?, ?, ?)`, m.number, m.name, m.sum)
	return err
}
