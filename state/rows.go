package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"nirapod/safety"
)

type scanner interface{ Scan(dest ...any) error }

type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// query returns what scan makes of each row; never nil without an error.
func query[T any](ctx context.Context, q querier, scan func(scanner) (T, error), text string, args ...any) ([]T, error) {
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

// one returns the only row, or an error wrapping safety.ErrNotFound.
func one[T any](ctx context.Context, q querier, scan func(scanner) (T, error), text string, args ...any) (T, error) {
	found, err := query(ctx, q, scan, text, args...)
	if err == nil && len(found) == 0 {
		err = safety.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// scanOne scans rows of a single column.
func scanOne[T any](row scanner) (v T, err error) { return v, row.Scan(&v) }

// scanJSON scans rows of a single column that holds JSON.
func scanJSON[T any](row scanner) (v T, err error) {
	var doc []byte
	if err := row.Scan(&doc); err != nil {
		return v, err
	}
	return v, json.Unmarshal(doc, &v)
}

// conflict makes a broken uniqueness constraint an error wrapping
// safety.ErrConflict that says what is taken.
func conflict(err error, what string, args ...any) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok &&
		(e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return fmt.Errorf(what+": %w", append(args, safety.ErrConflict)...)
	}
	return err
}

// millis and moment store a time as unix milliseconds; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// values are what a rule read. JSON has no word for numbers that are not
// finite, and a transition must not be lost because one stands in it.
type values map[string]float64

func (v values) MarshalJSON() ([]byte, error) {
	doc := make(map[string]any, len(v))
	for name, f := range v {
		doc[name] = f
		if math.IsNaN(f) || math.IsInf(f, 0) {
			doc[name] = strconv.FormatFloat(f, 'g', -1, 64)
		}
	}
	return json.Marshal(doc)
}

func (v *values) UnmarshalJSON(doc []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(doc, &raw); err != nil {
		return err
	}
	*v = make(values, len(raw))
	for name, text := range raw {
		f, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
		if err != nil {
			return err
		}
		(*v)[name] = f
	}
	return nil
}
