// Package state keeps what must be exact and durable: the site registry, how
// far each gateway's records are committed, the transitions of rules, users
// and their sessions, and what the alerts role decides. It is one SQLite file;
// a write that returned without error survives power loss.
//
// Whatever a person may read goes through a View, which holds the one tenant
// filter. The other methods of DB are for the roles themselves.
//
// All methods are safe for concurrent use. Several processes of one host may
// open the same directory. Errors wrap safety.ErrNotFound, safety.ErrInvalid
// and safety.ErrConflict where those apply.
package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	_ "modernc.org/sqlite" // registers the driver
)

// DB is the open state. The caller closes it.
type DB struct {
	writer *pool // one connection: writes wait for each other here, not in SQLite
	reader *pool
}

const readers = 4 // connections that read beside the writer

// Every connection gets these: WAL so that readers never wait, FULL so that a
// commit is on the disk, and a wait for another process that writes.
var pragmas = []string{"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "foreign_keys(1)"}

// Open opens dir/state.db, creating directory and database as needed, and
// brings its tables up to date. A database of a newer program is refused.
func Open(ctx context.Context, dir string) (*DB, error) {
	path, err := create(dir)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	d := &DB{}
	if d.writer, err = connect(path, "immediate", 1); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if d.reader, err = connect(path, "deferred", readers, "query_only(1)"); err != nil {
		return nil, errors.Join(fmt.Errorf("state: %w", err), d.writer.Close())
	}
	err = d.migrate(ctx)
	if err == nil {
		err = d.beginLedger(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("state %s: %w", path, err), d.Close())
	}
	return d, nil
}

// create makes the file before SQLite does, readable by its owner only: it
// holds password hashes. SQLite gives its journals the same mode.
func create(dir string) (path string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "state.db")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	return path, errors.Join(f.Close(), syncDir(dir))
}

// syncDir makes a new file's name in dir survive power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func connect(path, lock string, conns int, more ...string) (*pool, error) {
	query := url.Values{"_txlock": {lock}, "_pragma": slices.Concat(pragmas, more)}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return &pool{DB: db, known: map[string]*sql.Stmt{}}, nil
}

// Close empties the write-ahead log into the database and closes it.
func (d *DB) Close() error {
	readErr := d.reader.Close()
	_, walErr := d.writer.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(readErr, walErr, d.writer.Close())
}

// Write runs fn in a transaction that is durable when Write returns nil and
// has not happened when it returns an error. Writes wait for each other: fn
// must not wait for anything but the database, nor call other methods of DB.
func (d *DB) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, rollback(tx))
	}
	return tx.Commit()
}

// often is Write for what is written many times a second.
func (d *DB) often(ctx context.Context, fn func(tx transaction) error) error {
	d.writer.parse(ctx)
	return d.Write(ctx, func(tx *sql.Tx) error { return fn(transaction{tx, d.writer}) })
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}
