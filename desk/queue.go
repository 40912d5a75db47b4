package desk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"nirapod/safety"
)

const queuePage = 100

// Item is one line of the officers' queue.
type Item struct {
	ID           string    `json:"id"`
	Version      int       `json:"version"`
	Kind         string    `json:"kind"` // signal | notice
	FactoryID    string    `json:"factory_id"`
	Office       string    `json:"dife_office"`
	IncidentID   string    `json:"incident_id"`
	IncidentKind string    `json:"incident_kind"`
	Exercise     bool      `json:"exercise"`
	Number       string    `json:"receipt_number"`
	ReceivedAt   time.Time `json:"received_at"`
}

// queue returns a page of what arrived for offices (none: all) before a
// position (0: the newest), newest first, and the position of the next page.
func (l *ledger) queue(ctx context.Context, offices scope, before int64) (items []Item, next *string, err error) {
	where, args, err := offices.condition()
	if err != nil {
		return nil, nil, err
	}
	rows, err := l.reader.QueryContext(ctx, `SELECT seq, id, version, kind, factory, office, incident, incident_kind,
		exercise, number, received_at FROM filings
		WHERE `+where+` AND (? = 0 OR seq < ?)
		ORDER BY seq DESC LIMIT ?`, append(args, before, before, queuePage)...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	items = []Item{}
	var seq, ms int64
	for rows.Next() {
		var it Item
		if err := rows.Scan(&seq, &it.ID, &it.Version, &it.Kind, &it.FactoryID, &it.Office, &it.IncidentID,
			&it.IncidentKind, &it.Exercise, &it.Number, &ms); err != nil {
			return nil, nil, err
		}
		it.ReceivedAt = time.UnixMilli(ms).UTC()
		items = append(items, it)
	}
	if len(items) == queuePage {
		cursor := strconv.FormatInt(seq, 10)
		next = &cursor
	}
	return items, next, rows.Err()
}

// filing returns the newest version of a filing. One of another office is not found.
func (l *ledger) filing(ctx context.Context, offices scope, id string) (json.RawMessage, error) {
	where, args, err := offices.condition()
	if err != nil {
		return nil, err
	}
	var doc []byte
	err = l.reader.QueryRowContext(ctx, `SELECT doc FROM filings WHERE `+where+` AND id = ?
		ORDER BY version DESC LIMIT 1`, append(args, id)...).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, safety.ErrNotFound
	}
	return doc, err
}
