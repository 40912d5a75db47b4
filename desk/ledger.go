package desk

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	_ "modernc.org/sqlite" // registers the driver

	"nirapod/safety"
)

// ledger is the desk's database. A write that returned is on the disk.
type ledger struct {
	writer, reader *sql.DB
}

type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// collect returns what scan makes of each row; never nil without an error.
func collect[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []T{}
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

func openLedger(ctx context.Context, dir string) (*ledger, error) {
	path, err := create(dir)
	if err != nil {
		return nil, err
	}
	pragmas := []string{"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "foreign_keys(1)"}
	connect := func(lock string, conns int, more ...string) (*sql.DB, error) {
		query := url.Values{"_txlock": {lock}, "_pragma": slices.Concat(pragmas, more)}
		db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
		if err == nil {
			db.SetMaxOpenConns(conns)
		}
		return db, err
	}
	l := &ledger{}
	if l.writer, err = connect("immediate", 1); err != nil {
		return nil, err
	}
	if err := l.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), l.writer.Close())
	}
	if l.reader, err = connect("deferred", 2, "query_only(1)"); err != nil {
		return nil, errors.Join(err, l.writer.Close())
	}
	return l, nil
}

// create makes the file before SQLite does, readable by its owner only, and
// makes its name survive power loss.
func create(dir string) (path string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "desk.db")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", errors.Join(err, f.Close())
	}
	return path, errors.Join(f.Close(), d.Sync(), d.Close())
}

func (l *ledger) close() error { return errors.Join(l.reader.Close(), l.writer.Close()) }

func (l *ledger) write(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := l.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// keep stores a filing durably and returns its receipt. The same filing again
// returns the same receipt; another content under its id and version, or its
// id from another sender, is refused with an error wrapping safety.ErrConflict.
func (l *ledger) keep(ctx context.Context, e entry, now time.Time) (receipt safety.Receipt, err error) {
	doc, err := json.Marshal(e.filing)
	if err != nil {
		return receipt, err
	}
	hash := sha256.Sum256(doc)
	receipt = safety.Receipt{ID: e.filing.ID, Version: e.filing.Version}
	err = l.write(ctx, func(tx *sql.Tx) error {
		receipt.Number, receipt.ReceivedAt, err = e.earlier(ctx, tx, hash)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := e.owned(ctx, tx); err != nil {
			return err
		}
		receipt.ReceivedAt = now.UTC().Truncate(time.Millisecond)
		if receipt.Number == "" {
			if receipt.Number, err = nextNumber(ctx, tx, e.prefix(), receipt.ReceivedAt); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO filings (id, version, kind, sender, factory, office, incident,
			incident_kind, exercise, number, received_at, hash, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.filing.ID, e.filing.Version, e.kind, e.sender, e.factory, e.office, e.incident,
			e.incidentKind, e.exercise, receipt.Number, receipt.ReceivedAt.UnixMilli(), hash[:], string(doc))
		if err != nil {
			return err
		}
		err = caseKey{e.incident, e.exercise}.refresh(ctx, tx)
		crashPoint("desk-in-transaction")
		return err
	})
	return receipt, err
}

// earlier looks for this filing among those kept. Without it the error is
// sql.ErrNoRows, and number is that of another version of it, if there is one.
func (e entry) earlier(ctx context.Context, tx *sql.Tx, hash [sha256.Size]byte) (number string, at time.Time, err error) {
	var kind, sender string
	var exercise bool
	err = tx.QueryRowContext(ctx, `SELECT kind, sender, exercise, number FROM filings WHERE id = ? ORDER BY version LIMIT 1`,
		e.filing.ID).Scan(&kind, &sender, &exercise, &number)
	if err != nil {
		return "", at, err
	}
	if kind != e.kind || sender != e.sender || exercise != e.exercise {
		return "", at, fmt.Errorf("%s %s is another's, or exercise and real were mixed up: %w", e.kind, e.filing.ID, safety.ErrConflict)
	}
	var ms int64
	var stored []byte
	err = tx.QueryRowContext(ctx, `SELECT received_at, hash FROM filings WHERE id = ? AND version = ?`,
		e.filing.ID, e.filing.Version).Scan(&ms, &stored)
	if err == nil && !slices.Equal(stored, hash[:]) {
		err = fmt.Errorf("%s %s version %d was filed with another content: %w", e.kind, e.filing.ID, e.filing.Version, safety.ErrConflict)
	}
	return number, time.UnixMilli(ms).UTC(), err
}

var dhaka = time.FixedZone("+06", 6*60*60)

func nextNumber(ctx context.Context, tx *sql.Tx, prefix string, at time.Time) (string, error) {
	var n int64
	year := at.In(dhaka).Year()
	err := tx.QueryRowContext(ctx, `INSERT INTO numbers (prefix, year, last) VALUES (?, ?, 1)
		ON CONFLICT (prefix, year) DO UPDATE SET last = last + 1 RETURNING last`, prefix, year).Scan(&n)
	return fmt.Sprintf("%s-%d-%06d", prefix, year, n), err
}
