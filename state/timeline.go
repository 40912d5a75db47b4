package state

import (
	"context"
	"time"

	"nirapod/safety"
)

// ofIncident chooses the points of an incident's alerts.
const ofIncident = `point IN (SELECT point FROM alerts WHERE incident = ?)`

// Happened returns at most limit transitions at the points of an incident's
// alerts between two times, both inclusive, oldest first.
func (v *View) Happened(ctx context.Context, incident string, from, to time.Time, limit int) ([]safety.Transition, error) {
	condition, args := v.tenant("factory")
	return query(ctx, v.d.reader, scanTransition, `SELECT id, `+transitionColumns+` FROM transitions
		WHERE `+condition+` AND `+ofIncident+` AND at BETWEEN ? AND ? ORDER BY at, id LIMIT ?`,
		append(args, incident, millis(from), millis(to), limit)...)
}

// Resets returns what people asked to be reset at the points of an incident's
// alerts, oldest first.
func (v *View) Resets(ctx context.Context, incident string) ([]Reset, error) {
	condition, args := v.tenant("factory")
	return query(ctx, v.d.reader, scanReset, `SELECT `+resetColumns+` FROM resets
		WHERE `+condition+` AND `+ofIncident+` ORDER BY id`, append(args, incident)...)
}

// Signals returns the signals of an incident, oldest first: one, and a real
// one after it if a drill turned out to be real.
func (v *View) Signals(ctx context.Context, incident string) ([]safety.Signal, error) {
	condition, args := v.tenant("factory")
	return query(ctx, v.d.reader, scanJSON[safety.Signal], `SELECT doc FROM signals
		WHERE `+condition+` AND incident = ? ORDER BY id`, append(args, incident)...)
}

// Undelivered returns what an incident has to tell the desk and has not been
// answered, in order of leaving.
func (v *View) Undelivered(ctx context.Context, incident string) ([]Item, error) {
	condition, args := v.tenant("factory")
	return query(ctx, v.d.reader, scanItem, `SELECT `+itemColumns+` FROM outbox
		WHERE `+condition+` AND dest = 'desk' AND status IN ('waiting', 'objected')
			AND ref IN (SELECT id FROM signals WHERE incident = ? UNION SELECT id FROM notices WHERE incident = ?)
		ORDER BY seq`, append(args, incident, incident)...)
}
