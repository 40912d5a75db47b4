package desk

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"nirapod/safety"
)

// ownOffice is how the clocks of a notice call this desk: its receipt ends them.
const ownOffice = "dife_office"

var urgencies = []safety.Urgency{safety.UrgencyConfirmed, safety.UrgencyCallPoint, safety.UrgencyUnresolved}

// caseKey names a case.
type caseKey struct {
	incident string
	exercise bool
}

// arrival is the newest version of one filing.
type arrival struct {
	seq    int64
	number string
	at     time.Time
	filing safety.Filing
}

// line is how the arrival stands in its case.
func (a arrival) line() safety.CaseFiling {
	line := safety.CaseFiling{ID: a.filing.ID, Kind: kindSignal, Version: a.filing.Version, ReceiptNumber: a.number, ReceivedAt: a.at}
	if n := a.filing.Notice; n != nil {
		line.Kind, line.NoticeKind = kindNotice, n.Kind
	}
	return line
}

// refresh makes a case follow from all that arrived about it. Whoever looked
// before has not seen the newest filing.
func (k caseKey) refresh(ctx context.Context, tx *sql.Tx) error {
	var first, newest, newestAt int64
	err := tx.QueryRowContext(ctx, `SELECT min(seq), max(seq), max(received_at) FROM filings WHERE incident = ? AND exercise = ?`,
		k.incident, k.exercise).Scan(&first, &newest, &newestAt)
	if err != nil {
		return err
	}
	arrivals, err := k.arrivals(ctx, tx)
	if err != nil {
		return err
	}
	c := summarize(arrivals)
	c.Exercise = k.exercise
	err = tx.QueryRowContext(ctx, `SELECT received_at FROM filings WHERE seq = ?`, first).Scan((*unixMilli)(&c.ReceivedAt))
	if err != nil {
		return err
	}
	doc, err := json.Marshal(c)
	if err != nil {
		return err
	}
	var due *int64
	if c.DueAt != nil {
		ms := c.DueAt.UnixMilli()
		due = &ms
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO cases
		(incident, exercise, factory, office, urgency, due_at, arrived, newest, newest_at, seen_by, seen_at, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', NULL, ?)
		ON CONFLICT (incident, exercise) DO UPDATE SET office = excluded.office, urgency = excluded.urgency, due_at = excluded.due_at,
			newest = excluded.newest, newest_at = excluded.newest_at, seen_by = '', seen_at = NULL, doc = excluded.doc`,
		k.incident, k.exercise, c.FactoryID, c.Office, slices.Index(urgencies, c.Urgency), due, first, newest, newestAt, string(doc))
	return err
}

// arrivals returns the newest version of each filing of a case, in order of arrival.
func (k caseKey) arrivals(ctx context.Context, q querier) ([]arrival, error) {
	return collect(ctx, q, func(row *sql.Rows) (a arrival, err error) {
		var doc []byte
		var version int
		if err := row.Scan(&a.seq, &a.number, (*unixMilli)(&a.at), &doc, &version); err != nil {
			return a, err
		}
		return a, json.Unmarshal(doc, &a.filing)
	}, `SELECT seq, number, received_at, doc, max(version) FROM filings WHERE incident = ? AND exercise = ?
		GROUP BY id ORDER BY seq`, k.incident, k.exercise)
}

// summarize makes one case of its filings. The newest one says what and where;
// the most urgent word counts, and the earliest open clock.
func summarize(arrivals []arrival) safety.Case {
	c := safety.Case{Urgency: safety.UrgencyUnresolved, Place: []safety.Name{}, Filings: []safety.CaseFiling{}}
	for _, a := range arrivals {
		urgency := safety.UrgencyConfirmed // a notice is the employer's word
		if s := a.filing.Signal; s != nil {
			urgency = urgencyOf(*s)
			c.IncidentID, c.IncidentKind, c.FactoryID, c.Factory = s.IncidentID, s.IncidentKind, s.FactoryID, s.Factory
			c.Office, c.Demo, c.Place, c.OccurredAt = s.Office, s.Demo, s.Place, s.OccurredAt
		} else {
			n := *a.filing.Notice
			c.IncidentID, c.IncidentKind, c.FactoryID, c.Factory = n.IncidentID, n.IncidentKind, n.FactoryID, n.Body.Factory
			c.Office, c.Demo, c.Place, c.OccurredAt = n.Body.Office, n.Body.Demo, n.Body.Place, n.OccurredAt
			c.DueAt = earliest(c.DueAt, n.Clocks)
		}
		if slices.Index(urgencies, urgency) < slices.Index(urgencies, c.Urgency) {
			c.Urgency = urgency
		}
		c.Filings = append(c.Filings, a.line())
	}
	if c.Place == nil {
		c.Place = []safety.Name{}
	}
	return c
}

// urgencyOf reads a signal. A word that this desk does not know is the least.
func urgencyOf(s safety.Signal) safety.Urgency {
	switch {
	case s.Confirmed:
		return safety.UrgencyConfirmed
	case slices.Contains(urgencies, safety.Urgency(s.Confidence)):
		return safety.Urgency(s.Confidence)
	}
	return safety.UrgencyUnresolved
}

func earliest(due *time.Time, clocks []safety.Clock) *time.Time {
	for _, c := range clocks {
		if c.MetAt == nil && c.Recipient != ownOffice && (due == nil || c.DueAt.Before(*due)) {
			due = &c.DueAt
		}
	}
	return due
}

// owned refuses a filing about an incident of another factory.
func (e entry) owned(ctx context.Context, tx *sql.Tx) error {
	var other bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM filings WHERE incident = ? AND factory <> ?)`,
		e.incident, e.factory).Scan(&other)
	if err == nil && other {
		err = fmt.Errorf("incident %s is of another factory: %w", e.incident, safety.ErrConflict)
	}
	return err
}

// unixMilli scans a time kept as Unix milliseconds.
type unixMilli time.Time

func (t *unixMilli) Scan(value any) error {
	ms, ok := value.(int64)
	if !ok {
		return fmt.Errorf("%v is no time", value)
	}
	*t = unixMilli(time.UnixMilli(ms).UTC())
	return nil
}
