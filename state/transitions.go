package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"nirapod/safety"
)

const transitionColumns = `factory, source, run, seq, point, pack, rule, rule_version, hazard, class, severity,
	zone, sensor, grade, clause, from_state, to_state, at, vals, flags`

// putTransitions returns what the ledger has to hold of them: nothing of a repeat.
func putTransitions(ctx context.Context, tx transaction, transitions []safety.Transition) ([]entry, error) {
	if len(transitions) == 0 {
		return nil, nil
	}
	last, err := one(ctx, tx, scanOne[int64], `SELECT ifnull(max(id), 0) FROM transitions`)
	if err != nil {
		return nil, err
	}
	const text = `INSERT INTO transitions (` + transitionColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (factory, source, run, seq) WHERE run != '' DO NOTHING`
	err = each(ctx, tx, text, transitions, func(t safety.Transition) ([]any, error) {
		vals, err := json.Marshal(values(t.Values))
		return []any{
			t.Factory, t.Source, t.Run, int64(t.Seq), t.Point, t.Pack, t.Rule, t.RuleVersion,
			string(t.Hazard), string(t.Class), string(t.Severity), t.Zone, t.Sensor, string(t.Grade), t.Clause,
			t.From.String(), t.To.String(), millis(t.At), string(vals), int64(t.Flags),
		}, err
	})
	if err != nil {
		return nil, err
	}
	return query(ctx, tx, ledgeredTransitions.scan, `SELECT `+ledgeredTransitions.columns()+` FROM transitions WHERE id > ? ORDER BY id`, last)
}

func scanTransition(row scanner) (t safety.Transition, err error) {
	var seq, at int64
	var from, to string
	var vals []byte
	err = row.Scan(&t.ID, &t.Factory, &t.Source, &t.Run, &seq, &t.Point, &t.Pack, &t.Rule, &t.RuleVersion,
		&t.Hazard, &t.Class, &t.Severity, &t.Zone, &t.Sensor, &t.Grade, &t.Clause,
		&from, &to, &at, &vals, &t.Flags)
	if err != nil {
		return t, err
	}
	t.Seq, t.At = uint64(seq), moment(at)
	t.From, _ = safety.ParseState(from)
	t.To, _ = safety.ParseState(to)
	if err := json.Unmarshal(vals, (*values)(&t.Values)); err != nil {
		return t, fmt.Errorf("transition %d: %w", t.ID, err)
	}
	return t, nil
}

// TransitionsAfter returns up to limit transitions with ids above id, in order
// of id. A reader that remembers the last id it has dealt with misses none: an
// id becomes visible only after all smaller ones.
func (d *DB) TransitionsAfter(ctx context.Context, id int64, limit int) ([]safety.Transition, error) {
	return query(ctx, d.reader, scanTransition,
		`SELECT id, `+transitionColumns+` FROM transitions WHERE id > ? ORDER BY id LIMIT ?`, id, limit)
}

// LastState returns what was said last about a point, whoever said it and
// whenever it happened; unknown if nothing was.
func (d *DB) LastState(ctx context.Context, factory, point string) (safety.State, error) {
	word, err := one(ctx, d.reader, scanOne[string],
		`SELECT to_state FROM transitions WHERE factory = ? AND point = ? ORDER BY id DESC LIMIT 1`, factory, point)
	if errors.Is(err, safety.ErrNotFound) {
		return safety.Unknown, nil
	}
	state, _ := safety.ParseState(word)
	return state, err
}
