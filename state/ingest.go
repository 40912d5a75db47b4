package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"nirapod/safety"
)

// Progress says which records of one run and stream of a gateway are durable:
// all up to Upto and those in Ranges, which lie above it.
type Progress struct {
	Factory, Gateway, Run, Stream string
	Upto                          uint64
	Ranges                        []safety.Span
}

// Refusal is why records of a gateway were not taken. Span is zero when it is
// not known which.
type Refusal struct {
	Factory, Gateway, Run, Stream string
	Span                          safety.Span
	Reason                        string
	At                            time.Time
}

// Batch is what ingest makes durable together.
type Batch struct {
	Progress    []Progress                   // each replaces what was stored for its run and stream
	Transitions []safety.Transition          // ID is ignored; in the order in which they shall be read
	Engine      map[string]map[string][]byte // factory → key → state; an empty state removes the key
	Refusals    []Refusal
	Permits     []PermitOutcome
	Taken       []PermitTaken
}

// keptRefusals is how many refusals of a gateway are kept in full. All are
// counted.
const keptRefusals = 1000

// CommitBatch stores all of b or, on an error, nothing, so that progress never
// says more than the transitions and engine states beside it. A transition
// whose factory, source, run and seq are stored already is a repeat and is
// ignored; the server's own (run "") are always new.
func (d *DB) CommitBatch(ctx context.Context, b Batch) error {
	err := d.often(ctx, func(tx transaction) error {
		entries, err := putTransitions(ctx, tx, b.Transitions)
		if err != nil {
			return err
		}
		if err := enter(ctx, tx, entries); err != nil {
			return err
		}
		if err := putEngine(ctx, tx, b.Engine); err != nil {
			return err
		}
		if err := putRefusals(ctx, tx, b.Refusals); err != nil {
			return err
		}
		if err := putOutcomes(ctx, tx, b.Permits); err != nil {
			return err
		}
		if err := putTaken(ctx, tx, b.Taken); err != nil {
			return err
		}
		return putProgress(ctx, tx, b.Progress)
	})
	if err != nil {
		return fmt.Errorf("commit batch: %w", err)
	}
	return nil
}

// each runs the statement once for every item.
func each[T any](ctx context.Context, tx transaction, text string, items []T, args func(T) ([]any, error)) error {
	for _, item := range items {
		values, err := args(item)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, text, values...); err != nil {
			return err
		}
	}
	return nil
}

func putProgress(ctx context.Context, tx transaction, all []Progress) error {
	const text = `INSERT INTO progress (factory, gateway, run, stream, upto, ranges) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET upto = excluded.upto, ranges = excluded.ranges`
	return each(ctx, tx, text, all, func(p Progress) ([]any, error) {
		pairs := make([][2]uint64, len(p.Ranges))
		for i, span := range p.Ranges {
			pairs[i] = [2]uint64{span.From, span.To}
		}
		ranges, err := json.Marshal(pairs)
		return []any{p.Factory, p.Gateway, p.Run, p.Stream, int64(p.Upto), string(ranges)}, err
	})
}

func putEngine(ctx context.Context, tx transaction, engine map[string]map[string][]byte) error {
	type instance struct {
		factory, key string
		state        []byte
	}
	var changed, gone []instance
	for factory, states := range engine {
		for key, state := range states {
			if len(state) == 0 {
				gone = append(gone, instance{factory, key, nil})
			} else {
				changed = append(changed, instance{factory, key, state})
			}
		}
	}
	err := each(ctx, tx, `DELETE FROM engine_states WHERE factory = ? AND key = ?`, gone,
		func(i instance) ([]any, error) { return []any{i.factory, i.key}, nil })
	if err != nil {
		return err
	}
	const text = `INSERT INTO engine_states (factory, key, state) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET state = excluded.state`
	return each(ctx, tx, text, changed, func(i instance) ([]any, error) { return []any{i.factory, i.key, i.state}, nil })
}

func putRefusals(ctx context.Context, tx transaction, refusals []Refusal) error {
	const text = `INSERT INTO refusals (factory, gateway, run, stream, from_seq, to_seq, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	err := each(ctx, tx, text, refusals, func(r Refusal) ([]any, error) {
		return []any{r.Factory, r.Gateway, r.Run, r.Stream, int64(r.Span.From), int64(r.Span.To), r.Reason, millis(r.At)}, nil
	})
	if err != nil {
		return err
	}
	const count = `INSERT INTO refusal_counts (factory, gateway, reason, n) VALUES (?, ?, ?, 1)
		ON CONFLICT DO UPDATE SET n = n + 1`
	err = each(ctx, tx, count, refusals, func(r Refusal) ([]any, error) { return []any{r.Factory, r.Gateway, r.Reason}, nil })
	if err != nil {
		return err
	}
	const trim = `DELETE FROM refusals WHERE factory = ?1 AND gateway = ?2 AND id <= (
		SELECT id FROM refusals WHERE factory = ?1 AND gateway = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)`
	touched := map[[2]string]bool{}
	for _, r := range refusals {
		if gateway := [2]string{r.Factory, r.Gateway}; !touched[gateway] {
			touched[gateway] = true
			if _, err := tx.ExecContext(ctx, trim, r.Factory, r.Gateway, keptRefusals); err != nil {
				return err
			}
		}
	}
	return nil
}

// ProgressAll returns the progress of every run and stream ever seen.
func (d *DB) ProgressAll(ctx context.Context) ([]Progress, error) {
	return query(ctx, d.reader, func(row scanner) (p Progress, err error) {
		var ranges []byte
		var upto int64
		var pairs [][2]uint64
		if err := row.Scan(&p.Factory, &p.Gateway, &p.Run, &p.Stream, &upto, &ranges); err != nil {
			return p, err
		}
		if err := json.Unmarshal(ranges, &pairs); err != nil {
			return p, err
		}
		p.Upto = uint64(upto)
		for _, pair := range pairs {
			p.Ranges = append(p.Ranges, safety.Span{From: pair[0], To: pair[1]})
		}
		return p, nil
	}, `SELECT factory, gateway, run, stream, upto, ranges FROM progress`)
}

// EngineStates returns the engine's states of a factory by key.
func (d *DB) EngineStates(ctx context.Context, factory string) (map[string][]byte, error) {
	states := map[string][]byte{}
	_, err := query(ctx, d.reader, func(row scanner) (struct{}, error) {
		var key string
		var state []byte
		err := row.Scan(&key, &state)
		states[key] = state
		return struct{}{}, err
	}, `SELECT key, state FROM engine_states WHERE factory = ?`, factory)
	return states, err
}

// Epoch returns a random word that was made with the database. A gateway that
// sees another one knows that earlier commits may be forgotten.
func (d *DB) Epoch(ctx context.Context) (string, error) {
	return one(ctx, d.reader, scanOne[string], `SELECT value FROM meta WHERE key = 'epoch'`)
}
