package desk

import (
	"context"
	"database/sql"
	_ "embed" // the tables' history
	"fmt"
)

var (
	//go:embed migrations/0001_filings.sql
	filingsTables string
	//go:embed migrations/0002_cases.sql
	casesTables string
	//go:embed migrations/0003_heads.sql
	headsTables string
)

// steps are the history of the tables: step n makes a database of version n.
// Once released a step never changes.
var steps = []func(context.Context, *sql.Tx) error{
	func(ctx context.Context, tx *sql.Tx) error { return execute(ctx, tx, filingsTables) },
	addCases,
	func(ctx context.Context, tx *sql.Tx) error { return execute(ctx, tx, headsTables) },
}

func execute(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := tx.ExecContext(ctx, text)
	return err
}

// migrate takes all missing steps in one transaction.
func (l *ledger) migrate(ctx context.Context) error {
	return l.write(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
			return err
		}
		if version > len(steps) {
			return fmt.Errorf("the database is of a newer program (version %d)", version)
		}
		for _, step := range steps[version:] {
			if err := step(ctx, tx); err != nil {
				return err
			}
		}
		return execute(ctx, tx, fmt.Sprintf(`PRAGMA user_version = %d`, len(steps)))
	})
}

// addCases makes the cases of what arrived before there were any.
func addCases(ctx context.Context, tx *sql.Tx) error {
	if err := execute(ctx, tx, casesTables); err != nil {
		return err
	}
	known, err := collect(ctx, tx, func(row *sql.Rows) (k caseKey, err error) {
		return k, row.Scan(&k.incident, &k.exercise)
	}, `SELECT DISTINCT incident, exercise FROM filings`)
	if err != nil {
		return err
	}
	for _, k := range known {
		if err := k.refresh(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
