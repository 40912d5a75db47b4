package state

import (
	"context"
	"database/sql"
	"errors"

	"nirapod/safety"
)

const kindTransition = "transition"

// ledgered is a table each of whose rows has a leaf: the newest leaf of a row
// is about text, SQL that makes the row's JSON.
type ledgered struct{ kind, table, key, text string }

// doc is the document of a row, or what stands in its place.
const doc = `'doc', CASE WHEN json_valid(doc) THEN json(doc) ELSE doc END`

var (
	ledgeredTransitions = ledgered{kindTransition, "transitions", "id", `json_object('id', id, 'factory', factory, 'source', source,
		'run', run, 'seq', seq, 'point', point, 'pack', pack, 'rule', rule, 'rule_version', rule_version, 'hazard', hazard,
		'class', class, 'severity', severity, 'zone', zone, 'sensor', sensor, 'grade', grade, 'clause', clause,
		'from', from_state, 'to', to_state, 'at', at, 'values', CASE WHEN json_valid(vals) THEN json(vals) ELSE vals END, 'flags', flags)`}
	ledgeredAlerts = ledgered{"alert", "alerts", "id", `json_object('id', id, 'factory', factory, 'point', point, 'class', class,
		'state', state, 'incident', incident, 'occurred_at', occurred_at,
		'reset_at', CASE WHEN json_valid(work) THEN work ->> 'reset_at' ELSE work END, 'reset_by', CASE WHEN json_valid(work) THEN work ->> 'reset_by' END,
		'reset_reason', CASE WHEN json_valid(work) THEN work ->> 'reset_reason' END, ` + doc + `)`}
	ledgeredIncidents = ledgered{"incident", "incidents", "id", `json_object('id', id, 'factory', factory, 'kind', kind, 'state', state,
		'occurred_at', occurred_at, 'next_at', next_at, ` + doc + `)`}
	ledgeredSignals = ledgered{"signal", "signals", "id", `json_object('id', id, 'factory', factory, 'incident', incident,
		'exercise', exercise, 'status', status, ` + doc + `)`}
	ledgeredNotices = ledgered{"notice", "notices", "id", `json_object('id', id, 'factory', factory, 'incident', incident, 'kind', kind,
		'exercise', exercise, 'status', status, 'occurred_at', occurred_at, 'due_at', due_at, ` + doc + `)`}
	ledgeredMessages = ledgered{"message", "outbox", "seq", `json_object('seq', seq, 'key', key, 'dest', dest, 'factory', factory, 'kind', kind,
		'ref', ref, 'body', body, 'status', status, 'answer', answer, 'expires_at', expires_at, 'created_at', created_at)`}
	ledgeredResets  = ledgered{"reset", "resets", "id", `json_object('id', id, 'factory', factory, 'point', point, 'by', by, 'at', at)`}
	ledgeredPermits = ledgered{"permit", "permit_acts", "id", `json_object('id', id, 'factory', factory, 'permit', permit, 'kind', kind,
		'sensor', sensor, 'by', by, 'at', at, ` + doc + `)`}
	// What a receiver said last while a message waits is no decision.
	ledgeredTold = ledgered{"told", "messages", "id", `json_object('id', id, 'factory', factory, 'alert', alert, 'step', step,
		'receiver', receiver, 'role', role, 'address', address, 'body', body, 'status', status,
		'answer', CASE WHEN status = 'waiting' THEN '' ELSE answer END, 'created_at', created_at, 'ended_at', ended_at)`}
	ledgeredSites = ledgered{"site", "site_versions", "version", `json_object('version', version, 'factory', factory,
		'imported_at', imported_at, ` + doc + `)`}
	ledgeredCurrent = ledgered{"site_current", "sites", "factory", `json_object('factory', factory, 'version', version, 'office', office)`}

	allLedgered = []ledgered{
		ledgeredSites, ledgeredCurrent, ledgeredTransitions, ledgeredResets, ledgeredAlerts, ledgeredIncidents,
		ledgeredSignals, ledgeredNotices, ledgeredMessages, ledgeredPermits, ledgeredTold,
	}
)

// columns are what scan reads.
func (t ledgered) columns() string { return `factory, ` + t.key + `, ` + t.text }

func (t ledgered) scan(row scanner) (e entry, err error) {
	e.kind = t.kind
	return e, row.Scan(&e.factory, &e.ref, &e.text)
}

// row returns a row as its leaf is about it.
func (t ledgered) row(ctx context.Context, q querier, id any) (entry, error) {
	return one(ctx, q, t.scan, `SELECT `+t.columns()+` FROM `+t.table+` WHERE `+t.key+` = ?`, id)
}

// beginLedger gives leaves to the rows of a database that is older than its
// ledger. It happens once.
func (d *DB) beginLedger(ctx context.Context) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		_, err := one(ctx, tx, scanOne[string], `DELETE FROM meta WHERE key = 'ledger' RETURNING key`)
		if errors.Is(err, safety.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		for _, t := range allLedgered {
			rows, err := query(ctx, tx, t.scan, `SELECT `+t.columns()+` FROM `+t.table+` ORDER BY `+t.key)
			if err != nil {
				return err
			}
			for i := range rows {
				rows[i].adopted = true
			}
			if err := enter(ctx, tx, rows); err != nil {
				return err
			}
		}
		return nil
	})
}
