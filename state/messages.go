package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"nirapod/safety"
)

// Message is what one person is told by one receiver.
type Message struct {
	ID       string
	Key      string // idempotency key: a repeated one changes nothing
	Factory  string
	Alert    string // "" of one that only tries the receiver
	Step     string
	Receiver string
	Role     string // of the person
	Address  string
	Rank     int // of the alert's severity
	Body     safety.Name
	Status   MessageStatus
	Attempts int
	Created  time.Time
	Expires  time.Time
	Tried    *time.Time // first attempt; nil: none yet
	Ended    *time.Time
	Answer   string // of the other side, or why it was not taken
}

// MessageStatus is how far a message has come.
type MessageStatus string

// The statuses. Accepted is the other side's word that it took the message: sent
// is not received.
const (
	MessageWaiting  MessageStatus = "waiting"
	MessageAccepted MessageStatus = "accepted"
	MessageRefused  MessageStatus = "refused" // it will never take it as it is
	MessageExpired  MessageStatus = "expired"
)

const messageColumns = `id, key, factory, alert, step, receiver, role, address, rank, body, status, attempts,
	created_at, expires_at, tried_at, ended_at, answer`

func scanMessage(row scanner) (m Message, err error) {
	var body []byte
	var created, expires int64
	var tried, ended sql.NullInt64
	err = row.Scan(&m.ID, &m.Key, &m.Factory, &m.Alert, &m.Step, &m.Receiver, &m.Role, &m.Address, &m.Rank, &body,
		&m.Status, &m.Attempts, &created, &expires, &tried, &ended, &m.Answer)
	if err != nil {
		return m, err
	}
	m.Created, m.Expires, m.Tried, m.Ended = moment(created), moment(expires), perhaps(tried), perhaps(ended)
	return m, json.Unmarshal(body, &m.Body)
}

// AddMessage adds a message that waits. If its key is there already nothing changes.
func (b *Book) AddMessage(ctx context.Context, m Message) error {
	doc, err := docs(m.Body)
	if err != nil {
		return err
	}
	return b.save(ctx, ledgeredTold, m.ID, func() error {
		_, err := b.tx.ExecContext(ctx, `INSERT INTO messages
			(id, key, factory, alert, step, receiver, role, address, rank, body, status, attempts, not_before, expires_at, created_at, answer)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, '') ON CONFLICT (key) DO NOTHING`,
			m.ID, m.Key, m.Factory, m.Alert, m.Step, m.Receiver, m.Role, m.Address, m.Rank, doc[0], MessageWaiting,
			millis(m.Expires), millis(m.Created))
		return err
	})
}

// WaitingMessages returns up to limit messages that a receiver may try at now,
// the gravest first, of those the oldest.
func (d *DB) WaitingMessages(ctx context.Context, receiver string, now time.Time, limit int) ([]Message, error) {
	return query(ctx, d.reader, scanMessage, `SELECT `+messageColumns+` FROM messages
		WHERE receiver = ? AND status = 'waiting' AND not_before <= ? ORDER BY rank DESC, id LIMIT ?`, receiver, millis(now), limit)
}

// MessagesWaitingSince returns the factories that have a message which was made
// at or before then and which no receiver has taken, sorted.
func (d *DB) MessagesWaitingSince(ctx context.Context, then time.Time) ([]string, error) {
	return query(ctx, d.reader, scanOne[string], `SELECT DISTINCT factory FROM messages
		WHERE status = 'waiting' AND created_at <= ? ORDER BY factory`, millis(then))
}

// Messages returns what was said about an alert, in order.
func (d *DB) Messages(ctx context.Context, alert string) ([]Message, error) {
	return query(ctx, d.reader, scanMessage, `SELECT `+messageColumns+` FROM messages WHERE alert = ? ORDER BY id`, alert)
}

// PutOffMessage counts a failed attempt and waits with the next.
func (b *Book) PutOffMessage(ctx context.Context, id, why string, now, until time.Time) error {
	_, err := b.tx.ExecContext(ctx, `UPDATE messages SET attempts = attempts + 1, not_before = ?, answer = ?,
		tried_at = coalesce(tried_at, ?) WHERE id = ? AND status = 'waiting'`, millis(until), why, millis(now), id)
	return err
}

// EndMessage writes down at now how a message ended.
func (b *Book) EndMessage(ctx context.Context, id string, status MessageStatus, answer string, now time.Time) error {
	return b.save(ctx, ledgeredTold, id, func() error {
		_, err := b.tx.ExecContext(ctx, `UPDATE messages SET status = ?, answer = ?, attempts = attempts + (? <> 'expired'),
			tried_at = coalesce(tried_at, ?), ended_at = ? WHERE id = ? AND status = 'waiting'`,
			status, answer, status, millis(now), millis(now), id)
		return err
	})
}

// Receiver is what is known of a receiver from its attempts.
type Receiver struct {
	Name     string     `json:"name"`
	Accepted *time.Time `json:"accepted_at"` // nil: it has never taken a message
	Failed   *time.Time `json:"failed_at"`   // since it last took one; nil: it has not failed
	Failure  string     `json:"failure"`
}

// ReceiverAnswered notes that a receiver took a message at now, or why it did not.
func (b *Book) ReceiverAnswered(ctx context.Context, name string, failure error, now time.Time) error {
	if failure == nil {
		_, err := b.tx.ExecContext(ctx, `INSERT INTO receivers (name, accepted_at, failure) VALUES (?, ?, '')
			ON CONFLICT (name) DO UPDATE SET accepted_at = excluded.accepted_at, failed_at = NULL, failure = ''`, name, millis(now))
		return err
	}
	_, err := b.tx.ExecContext(ctx, `INSERT INTO receivers (name, failed_at, failure) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET failed_at = coalesce(failed_at, excluded.failed_at), failure = excluded.failure`,
		name, millis(now), failure.Error())
	return err
}

// Receiver returns what is known of one; nothing of one that never tried.
func (d *DB) Receiver(ctx context.Context, name string) (Receiver, error) {
	scan := func(row scanner) (r Receiver, err error) {
		var accepted, failed sql.NullInt64
		err = row.Scan(&r.Name, &accepted, &failed, &r.Failure)
		r.Accepted, r.Failed = perhaps(accepted), perhaps(failed)
		return r, err
	}
	r, err := one(ctx, d.reader, scan, `SELECT name, accepted_at, failed_at, failure FROM receivers WHERE name = ?`, name)
	if errors.Is(err, safety.ErrNotFound) {
		return Receiver{Name: name}, nil
	}
	return r, err
}
