package state

import (
	"context"
	"database/sql"
	"time"
)

// Item is one thing that has to leave the machine exactly once.
type Item struct {
	Seq       int64  // order of leaving, per Dest and Factory
	Key       string // idempotency key: a repeated one changes nothing
	Dest      string // desk | gateway
	Factory   string
	Kind      string // signal | notice | command
	Ref       string // id of the signal or notice; id of the gateway
	Body      []byte // JSON
	Attempts  int
	NotBefore time.Time
	Expires   *time.Time // nil: never
	Created   time.Time
	Objected  bool // the other side refused it, and may think better of it
}

// Outcome ends an item.
type Outcome string

// The outcomes. All but waiting and objected are final.
const (
	Waiting  Outcome = "waiting"
	Objected Outcome = "objected" // refused, to be tried again; holds up no other item
	Done     Outcome = "done"
	Refused  Outcome = "refused" // the other side will never take it as it is
	Expired  Outcome = "expired"
)

const itemColumns = `seq, key, dest, factory, kind, ref, body, attempts, not_before, expires_at, created_at, status = 'objected'`

func scanItem(row scanner) (it Item, err error) {
	var notBefore, created int64
	var expires sql.NullInt64
	err = row.Scan(&it.Seq, &it.Key, &it.Dest, &it.Factory, &it.Kind, &it.Ref, &it.Body, &it.Attempts,
		&notBefore, &expires, &created, &it.Objected)
	it.NotBefore, it.Created = moment(notBefore), moment(created)
	if expires.Valid {
		at := moment(expires.Int64)
		it.Expires = &at
	}
	return it, err
}

// Enqueue adds an item at the end of the outbox. If its key is there already,
// whatever became of it, nothing changes.
func (b *Book) Enqueue(ctx context.Context, it Item) error {
	added, err := query(ctx, b.tx, ledgeredMessages.scan, `INSERT INTO outbox
		(key, dest, factory, kind, ref, body, status, attempts, not_before, expires_at, created_at, answer)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, '') ON CONFLICT (key) DO NOTHING RETURNING `+ledgeredMessages.columns(),
		it.Key, it.Dest, it.Factory, it.Kind, it.Ref, string(it.Body), Waiting,
		millis(it.NotBefore), optional(it.Expires), millis(it.Created))
	for _, e := range added {
		b.enter(e)
	}
	return err
}

// Heads returns the oldest waiting item to dest of every factory, and all that
// dest objected to, oldest first. The next waiting one of a factory shows only
// when this one has ended or was objected to.
func (d *DB) Heads(ctx context.Context, dest string) ([]Item, error) {
	return query(ctx, d.reader, scanItem, `SELECT `+itemColumns+` FROM outbox WHERE seq IN
		(SELECT min(seq) FROM outbox WHERE dest = ?1 AND status = 'waiting' GROUP BY factory
		UNION SELECT seq FROM outbox WHERE dest = ?1 AND status = 'objected') ORDER BY seq`, dest)
}

// WaitingSince returns the factories that have an item to dest which was made at
// or before then and waits for its first answer, sorted.
func (d *DB) WaitingSince(ctx context.Context, dest string, then time.Time) ([]string, error) {
	return query(ctx, d.reader, scanOne[string], `SELECT DISTINCT factory FROM outbox
		WHERE dest = ? AND status = 'waiting' AND created_at <= ? ORDER BY factory`, dest, millis(then))
}

// AlertsDue reports whether package alerts has something to decide at now:
// an alert to group, an incident whose time has come, or a step of the ladder.
func (d *DB) AlertsDue(ctx context.Context, now time.Time) (bool, error) {
	return one(ctx, d.reader, scanOne[bool], `SELECT EXISTS (SELECT 1 FROM alerts WHERE grouped = 0)
		OR EXISTS (SELECT 1 FROM incidents WHERE next_at <= ?1)
		OR EXISTS (SELECT 1 FROM steps WHERE done_at IS NULL AND due_at <= ?1)`, now.UnixMilli())
}

// Delay puts off an item's next attempt and counts one.
func (b *Book) Delay(ctx context.Context, seq int64, until time.Time) error {
	_, err := b.tx.ExecContext(ctx, `UPDATE outbox SET attempts = attempts + 1, not_before = ?
		WHERE seq = ? AND status IN ('waiting', 'objected')`, millis(until), seq)
	return err
}

// Finish ends an item with the other side's answer. It returns false and does
// nothing if the item has ended before.
func (b *Book) Finish(ctx context.Context, seq int64, outcome Outcome, answer string) (bool, error) {
	n := int64(0)
	err := b.save(ctx, ledgeredMessages, seq, func() error {
		done, err := b.tx.ExecContext(ctx, `UPDATE outbox SET status = ?, answer = ?, attempts = attempts + 1
			WHERE seq = ? AND status IN ('waiting', 'objected')`, outcome, answer, seq)
		if err == nil {
			n, err = done.RowsAffected()
		}
		return err
	})
	return n == 1, err
}

// Object notes that the other side refused an item, and why, and when it is
// tried again. It is not final.
func (b *Book) Object(ctx context.Context, seq int64, answer string, until time.Time) error {
	return b.save(ctx, ledgeredMessages, seq, func() error {
		_, err := b.tx.ExecContext(ctx, `UPDATE outbox SET status = 'objected', answer = ?, attempts = attempts + 1, not_before = ?
			WHERE seq = ? AND status IN ('waiting', 'objected')`, answer, millis(until), seq)
		return err
	})
}
