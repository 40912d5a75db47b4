package state

import (
	"context"
	"fmt"

	"nirapod/safety"
)

// Page is a piece of a list. Next is the cursor of the piece after it, nil at
// the end.
type Page[T any] struct {
	Items []T     `json:"items"` // never nil
	Next  *string `json:"next"`
}

// Sizes of a page: what a caller gets that asks for none, and the most.
const (
	defaultPage = 50
	maxPage     = 200
)

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}

// page makes a Page of items, of which there are more than limit when the
// list goes on.
func page[T any](items []T, limit int, id func(T) string) Page[T] {
	if len(items) <= limit {
		return Page[T]{Items: items}
	}
	next := id(items[limit-1])
	return Page[T]{Items: items[:limit], Next: &next}
}

// AlertFilter chooses alerts. Empty fields choose all.
type AlertFilter struct {
	Factory  string
	Class    safety.Class
	State    safety.AlertState
	Incident string
	Point    string
	Open     bool // not cleared
}

// IncidentFilter chooses incidents. Empty fields choose all.
type IncidentFilter struct {
	Factory string
	State   string
}

// NoticeFilter chooses notices. Empty fields choose all.
type NoticeFilter struct {
	Factory  string
	Status   safety.NoticeStatus
	Incident string
}

// Alerts returns a page of alerts, newest first. cursor is "" or the Next of
// the page before; limit is 1 to 200, 0 = 50.
func (v *View) Alerts(ctx context.Context, f AlertFilter, cursor string, limit int) (Page[safety.Alert], error) {
	s := selection{
		{"factory = ?", f.Factory},
		{"class = ?", string(f.Class)},
		{"state = ?", string(f.State)},
		{"incident = ?", f.Incident},
		{"point = ?", f.Point},
	}
	if f.Open {
		s = append(s, criterion{"state <> ?", string(safety.Cleared)})
	}
	return list(ctx, v, "alerts", s, cursor, limit, func(a safety.Alert) string { return a.ID })
}

// Alert returns one alert.
func (v *View) Alert(ctx context.Context, id string) (safety.Alert, error) {
	return single[safety.Alert](ctx, v, "alerts", id)
}

// Incidents returns a page of incidents, newest first, as Alerts does.
func (v *View) Incidents(ctx context.Context, f IncidentFilter, cursor string, limit int) (Page[safety.Incident], error) {
	s := selection{{"factory = ?", f.Factory}, {"state = ?", f.State}}
	return list(ctx, v, "incidents", s, cursor, limit, func(i safety.Incident) string { return i.ID })
}

// Incident returns one incident.
func (v *View) Incident(ctx context.Context, id string) (safety.Incident, error) {
	return single[safety.Incident](ctx, v, "incidents", id)
}

// Notices returns a page of notices, newest first, as Alerts does.
func (v *View) Notices(ctx context.Context, f NoticeFilter, cursor string, limit int) (Page[safety.Notice], error) {
	s := selection{{"factory = ?", f.Factory}, {"status = ?", string(f.Status)}, {"incident = ?", f.Incident}}
	return list(ctx, v, "notices", s, cursor, limit, func(n safety.Notice) string { return n.ID })
}

// Notice returns one notice.
func (v *View) Notice(ctx context.Context, id string) (safety.Notice, error) {
	return single[safety.Notice](ctx, v, "notices", id)
}

// selection is what a person asked for, beside what they may see. A criterion
// without a value asks for nothing.
type selection []criterion

type criterion struct{ condition, value string }

// list reads a page of a table of documents. Ids are ULIDs: newest last.
func list[T any](ctx context.Context, v *View, table string, s selection, cursor string, limit int, id func(T) string) (Page[T], error) {
	where, args := v.tenant("factory")
	for _, c := range append(s, criterion{"id < ?", cursor}) {
		if c.value != "" {
			where += " AND " + c.condition
			args = append(args, c.value)
		}
	}
	limit = pageSize(limit)
	found, err := query(ctx, v.d.reader, scanJSON[T], `SELECT doc FROM `+table+` WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return Page[T]{}, fmt.Errorf("%s: %w", table, err)
	}
	return page(found, limit, id), nil
}

func single[T any](ctx context.Context, v *View, table, id string) (T, error) {
	where, args := v.tenant("factory")
	found, err := one(ctx, v.d.reader, scanJSON[T], `SELECT doc FROM `+table+` WHERE `+where+` AND id = ?`, append(args, id)...)
	if err != nil {
		return found, fmt.Errorf("%s %q: %w", table, id, err)
	}
	return found, nil
}
