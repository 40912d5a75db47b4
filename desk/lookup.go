package desk

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"nirapod/safety"
)

const (
	casesPage = 200
	seenPage  = 100 // looks told to a sender at once
	noDue     = math.MaxInt64
	// A case that was looked at stays in the officers' queue until a week after
	// its newest filing; later it is found by its incident, and among the filings.
	queued = 7 * 24 * time.Hour
)

// scope is the offices that an asker reads for; empty: all.
type scope []string

// condition holds for rows of those offices.
func (s scope) condition() (text string, args []any, err error) {
	list, err := json.Marshal([]string(s))
	return `(? = 0 OR office IN (SELECT value FROM json_each(?)))`, []any{len(s), string(list)}, err
}

// caseRow is a case and where it stands among what arrived.
type caseRow struct {
	safety.Case
	arrived int64 // seq of its first filing
	newest  int64 // seq of its newest filing
}

const caseColumns = `doc, seen_by, seen_at, arrived, newest`

func scanCase(row *sql.Rows) (c caseRow, err error) {
	var doc []byte
	var by string
	var seenAt sql.NullInt64
	if err := row.Scan(&doc, &by, &seenAt, &c.arrived, &c.newest); err != nil {
		return c, err
	}
	if err := json.Unmarshal(doc, &c.Case); err != nil {
		return c, err
	}
	if c.SeenBy = by; seenAt.Valid {
		at := time.UnixMilli(seenAt.Int64).UTC()
		c.SeenAt = &at
	}
	return c, nil
}

// cases returns a page of what officers have to look at: real before exercise,
// then the most urgent, then the earliest open clock, then the first to arrive.
// after is 0 or the position of the last one of the page before.
func (l *ledger) cases(ctx context.Context, offices scope, after int64, now time.Time) (page []safety.Case, next *string, err error) {
	where, args, err := offices.condition()
	if err != nil {
		return nil, nil, err
	}
	rows, err := collect(ctx, l.reader, scanCase, `SELECT `+caseColumns+` FROM cases
		WHERE `+where+` AND (seen_at IS NULL OR newest_at >= ?)
		AND (? = 0 OR (exercise, urgency, coalesce(due_at, ?), arrived) >
			(SELECT exercise, urgency, coalesce(due_at, ?), arrived FROM cases WHERE arrived = ?))
		ORDER BY exercise, urgency, coalesce(due_at, ?), arrived LIMIT ?`,
		append(args, now.Add(-queued).UnixMilli(), after, noDue, noDue, after, noDue, casesPage)...)
	page = make([]safety.Case, len(rows))
	for i, c := range rows {
		page[i] = c.Case
	}
	if len(rows) == casesPage {
		cursor := strconv.FormatInt(rows[casesPage-1].arrived, 10)
		next = &cursor
	}
	return page, next, err
}

// find returns the case of an incident, the real one before the exercise, or
// the one that exercise names. One of another office is not found.
func find(ctx context.Context, q querier, offices scope, incident string, exercise *bool) (c caseRow, both bool, err error) {
	where, args, err := offices.condition()
	if err != nil {
		return c, false, err
	}
	rows, err := collect(ctx, q, scanCase, `SELECT `+caseColumns+` FROM cases WHERE `+where+` AND incident = ?
		AND (? IS NULL OR exercise = ?) ORDER BY exercise`, append(args, incident, exercise, exercise)...)
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("incident %q: %w", incident, safety.ErrNotFound)
	}
	if err != nil {
		return c, false, err
	}
	return rows[0], len(rows) > 1, nil
}

// papers are the filings of a case, each with its document.
func (l *ledger) papers(ctx context.Context, c safety.Case) ([]paper, error) {
	arrivals, err := caseKey{c.IncidentID, c.Exercise}.arrivals(ctx, l.reader)
	if err != nil {
		return nil, err
	}
	papers := make([]paper, len(arrivals))
	for i, a := range arrivals {
		papers[i] = paper{CaseFiling: a.line(), Doc: a.filing}
	}
	return papers, nil
}

// paper is a filing as officers read it.
type paper struct {
	safety.CaseFiling
	Doc safety.Filing `json:"doc"`
}

// look records that an officer has looked at a case as it now stands, and
// returns it with who was first. Looking again at the same changes nothing.
// Without exercise, where there is a real case beside an exercise, it is
// refused with an error wrapping safety.ErrConflict: nobody is to be taken to
// have seen a fire who looked at a drill.
func (l *ledger) look(ctx context.Context, asker access, incident string, exercise *bool, officer string, now time.Time) (safety.Case, error) {
	var c caseRow
	err := l.write(ctx, func(tx *sql.Tx) (err error) {
		var both bool
		if c, both, err = find(ctx, tx, asker.scope, incident, exercise); err != nil {
			return err
		}
		if both {
			return fmt.Errorf("incident %s is an exercise and a real one: say which, exercise true or false: %w", incident, safety.ErrConflict)
		}
		at := now.UTC().Truncate(time.Millisecond)
		_, err = tx.ExecContext(ctx, `INSERT INTO looks (incident, exercise, upto, officer, program, at)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS
			(SELECT 1 FROM looks WHERE incident = ?1 AND exercise = ?2 AND upto >= ?3 AND officer = ?4)`,
			incident, c.Exercise, c.newest, officer, asker.name, at.UnixMilli())
		if err != nil || c.SeenAt != nil {
			return err
		}
		c.SeenBy, c.SeenAt = officer, &at
		_, err = tx.ExecContext(ctx, `UPDATE cases SET seen_by = ?, seen_at = ? WHERE incident = ? AND exercise = ?`,
			officer, at.UnixMilli(), incident, c.Exercise)
		return err
	})
	return c.Case, err
}

// seen tells a sender which of its filings somebody looked at for the first
// time after a position, and the position to go on from. A position beyond the
// end is of another database: then all is told again.
func (l *ledger) seen(ctx context.Context, sender string, after int64) (found []safety.Seen, upto int64, err error) {
	err = l.reader.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM looks`).Scan(&upto)
	if err != nil {
		return nil, 0, err
	}
	if after > upto {
		after = 0
	}
	err = l.reader.QueryRowContext(ctx, `SELECT coalesce(max(seq), ?1) FROM
		(SELECT seq FROM looks WHERE seq > ?1 ORDER BY seq LIMIT ?2)`, after, seenPage).Scan(&upto)
	if err != nil {
		return nil, 0, err
	}
	found, err = collect(ctx, l.reader, func(row *sql.Rows) (s safety.Seen, err error) {
		return s, row.Scan(&s.ID, &s.Kind, &s.By, (*unixMilli)(&s.At))
	}, `SELECT f.id, f.kind, l.officer, l.at FROM looks l
		JOIN filings f ON f.incident = l.incident AND f.exercise = l.exercise AND f.seq <= l.upto
		WHERE l.seq > ? AND l.seq <= ? AND f.sender = ? AND NOT EXISTS
			(SELECT 1 FROM looks e WHERE e.incident = l.incident AND e.exercise = l.exercise AND e.seq < l.seq AND e.upto >= f.seq)
		ORDER BY l.seq, f.seq`, after, upto, sender)
	return found, upto, err
}
