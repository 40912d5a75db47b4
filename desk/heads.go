package desk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"nirapod/internal/tree"
	"nirapod/safety"
)

// errStale reports a proof from another head than the one held: ask, and prove
// from that.
var errStale = errors.New("the proof does not begin at the head held here")

// heldHead is the head of a factory that the desk holds.
type heldHead struct {
	sender, office, key, note string
	head                      tree.Head
	at                        time.Time
}

func (l *ledger) held(ctx context.Context, q querier, factory string) (h heldHead, known bool, err error) {
	found, err := collect(ctx, q, func(row *sql.Rows) (h heldHead, err error) {
		return h, row.Scan(&h.sender, &h.office, &h.key, &h.note, (*unixMilli)(&h.at))
	}, `SELECT sender, office, key, note, at FROM heads WHERE factory = ?`, factory)
	if err != nil || len(found) == 0 {
		return h, false, err
	}
	h = found[0]
	h.head, err = tree.OpenHead([]byte(h.note), h.key)
	return h, true, err
}

// grow takes a head that grew from the one held, or keeps why not. The error
// then wraps safety.ErrConflict. What was held stays.
func (l *ledger) grow(ctx context.Context, sender string, g tree.Growth, now time.Time) (fault string, err error) {
	err = l.write(ctx, func(tx *sql.Tx) error {
		old, known, err := l.held(ctx, tx, g.Factory)
		if err != nil {
			return err
		}
		if known && old.sender != sender {
			return fmt.Errorf("the ledger of %s comes from another sender: %w", g.Factory, safety.ErrForbidden)
		}
		if !known {
			old.key = g.Key
		}
		var head tree.Head
		if head, fault, err = judge(old, known, g); err != nil {
			return err
		}
		if fault != "" {
			_, err = tx.ExecContext(ctx, `INSERT INTO head_faults (factory, office, reason, held, offered, at) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT DO NOTHING`, g.Factory, old.office, fault, old.note, g.Head, now.UnixMilli())
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO heads (factory, sender, office, key, size, note, at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (factory) DO UPDATE SET office = excluded.office, size = excluded.size, note = excluded.note, at = excluded.at`,
			g.Factory, sender, g.Office, g.Key, head.Size, g.Head, now.UnixMilli())
		return err
	})
	return fault, err
}

// judge reads a head beside the one held. fault says in what it tells another
// history; an error is about the request.
func judge(old heldHead, known bool, g tree.Growth) (head tree.Head, fault string, err error) {
	if known && g.Key != old.key {
		return head, "signed with another key", nil
	}
	head, err = tree.OpenHead([]byte(g.Head), old.key)
	if err == nil && head.Factory != g.Factory {
		err = fmt.Errorf("the head is of factory %s: %w", head.Factory, safety.ErrInvalid)
	}
	if err != nil || !known {
		return head, "", err
	}
	switch {
	case head.Size < old.head.Size:
		return head, fmt.Sprintf("%d leaves, and there were %d", head.Size, old.head.Size), nil
	case head.Size == old.head.Size && head.Root != old.head.Root:
		return head, fmt.Sprintf("another history of the same %d leaves", head.Size), nil
	case head.Size == old.head.Size:
		return head, "", nil
	case g.From != old.head.Size:
		return head, "", errStale
	}
	if !grew(g.Proof, head, old.head) {
		return head, fmt.Sprintf("the first %d leaves are not those that were there", old.head.Size), nil
	}
	return head, "", nil
}

func grew(proof tlog.TreeProof, now, then tree.Head) bool {
	return tlog.CheckTree(proof, now.Size, now.Root, then.Size, then.Root) == nil
}

// takeHead takes the newest head of a factory's ledger from its sender.
func (d *Desk) takeHead(w http.ResponseWriter, r *http.Request) {
	sender, ok := d.sender(w, r)
	if !ok {
		return
	}
	var g tree.Growth
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&g); err != nil {
		problem(w, http.StatusBadRequest, "want a head as JSON: "+err.Error())
		return
	}
	if !idForm.MatchString(g.Factory) || !officeForm.MatchString(g.Office) {
		problem(w, http.StatusBadRequest, "factory, office: not of their form")
		return
	}
	if len(sender.scope) > 0 && !slices.Contains(sender.scope, g.Factory) {
		problem(w, http.StatusForbidden, sender.name+" does not file for factory "+g.Factory)
		return
	}
	crashPoint("desk-before-head")
	fault, err := d.ledger.grow(r.Context(), sender.name, g, time.Now())
	crashPoint("desk-after-head")
	switch {
	case errors.Is(err, errStale):
		problem(w, http.StatusPreconditionFailed, err.Error())
	case err != nil:
		d.fail(w, "head", sender.name, err)
	case fault != "":
		d.log.Error("a factory's ledger was rewritten", "factory", g.Factory, "sender", sender.name, "fault", fault)
		problem(w, http.StatusConflict, "the ledger of "+g.Factory+" tells another history: "+fault)
	default:
		reply(w, map[string]any{"factory": g.Factory})
	}
}

// tellHead tells a sender which head of a factory the desk holds.
func (d *Desk) tellHead(w http.ResponseWriter, r *http.Request) {
	sender, ok := d.sender(w, r)
	if !ok {
		return
	}
	old, known, err := d.ledger.held(r.Context(), d.ledger.reader, r.PathValue("factory"))
	if err != nil {
		d.fail(w, "head", sender.name, err)
		return
	}
	if known && old.sender != sender.name {
		problem(w, http.StatusForbidden, "another's")
		return
	}
	reply(w, map[string]any{"size": old.head.Size})
}

func (d *Desk) sender(w http.ResponseWriter, r *http.Request) (access, bool) {
	sender, ok := authorize(d.senders, r)
	if !ok {
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem(w, http.StatusUnauthorized, "a sender's bearer token is required")
	}
	return sender, ok
}

// heads shows officers the heads held for their offices, and every fault.
func (d *Desk) heads(w http.ResponseWriter, r *http.Request, asker access) error {
	items, err := d.ledger.headsOf(r.Context(), asker.scope)
	if err != nil {
		return err
	}
	reply(w, map[string]any{"items": items})
	return nil
}

func (l *ledger) headsOf(ctx context.Context, offices scope) ([]safety.HeldHead, error) {
	items, err := collect(ctx, l.reader, func(row *sql.Rows) (h safety.HeldHead, err error) {
		return h, row.Scan(&h.FactoryID, &h.Office, &h.Size, &h.Head, &h.Key, (*unixMilli)(&h.HeardAt))
	}, `SELECT factory, office, size, note, key, at FROM heads ORDER BY factory`)
	if err != nil {
		return nil, err
	}
	items = slices.DeleteFunc(items, func(h safety.HeldHead) bool {
		return len(offices) > 0 && !slices.Contains(offices, h.Office)
	})
	for i := range items {
		items[i].Faults, err = collect(ctx, l.reader, func(row *sql.Rows) (f safety.HeadFault, err error) {
			return f, row.Scan(&f.Reason, &f.Held, &f.Offered, (*unixMilli)(&f.At))
		}, `SELECT reason, held, offered, at FROM head_faults WHERE factory = ? ORDER BY seq`, items[i].FactoryID)
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}
