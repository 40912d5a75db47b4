package state

import (
	"context"
	"fmt"
	"strconv"

	"nirapod/safety"
)

// Viewer is who asks.
type Viewer struct{ User User }

// View is the state as one person may see it. A committee and an installer see
// their own factory, an officer the factories whose registry names the
// officer's office; anyone else sees nothing. What belongs to another tenant
// does not exist: asking for it gives an error wrapping safety.ErrNotFound.
type View struct {
	d    *DB
	user User
}

// As returns the state as v may see it. Take a new View for each request: the
// rights are those of v.User as given.
func (d *DB) As(v Viewer) *View { return &View{d: d, user: v.User} }

// tenant is the one place that knows who may see what. It returns an SQL
// condition on a column that holds a factory id; every read of a View has it.
func (v *View) tenant(column string) (condition string, args []any) {
	switch u := v.user; {
	case (u.Role == Committee || u.Role == Installer) && u.Factory != "":
		return column + ` = ?`, []any{u.Factory}
	case u.Role == Officer && u.Office != "":
		return column + ` IN (SELECT factory FROM sites WHERE office = ?)`, []any{u.Office}
	}
	return `0`, nil
}

// Factories returns the ids of the factories that v sees, sorted.
func (v *View) Factories(ctx context.Context) ([]string, error) {
	condition, args := v.tenant("factory")
	return query(ctx, v.d.reader, scanOne[string], `SELECT factory FROM sites WHERE `+condition+` ORDER BY factory`, args...)
}

// Sites returns the current sites that v sees, by factory id.
func (v *View) Sites(ctx context.Context) ([]safety.Site, error) {
	condition, args := v.tenant("sites.factory")
	return query(ctx, v.d.reader, scanJSON[safety.Site], siteDocs+`WHERE `+condition+` ORDER BY sites.factory`, args...)
}

// Site returns the current site of a factory.
func (v *View) Site(ctx context.Context, factory string) (safety.Site, error) {
	condition, args := v.tenant("sites.factory")
	site, err := one(ctx, v.d.reader, scanJSON[safety.Site], siteDocs+`WHERE `+condition+` AND sites.factory = ?`, append(args, factory)...)
	if err != nil {
		return safety.Site{}, fmt.Errorf("factory %q: %w", factory, err)
	}
	return site, nil
}

// Gateways returns the gateways of every factory that v sees: those in the
// registry, heard or not, and any other that was heard. One never heard has a
// zero At.
func (v *View) Gateways(ctx context.Context) ([]GatewayStatus, error) {
	condition, args := v.tenant("factory")
	gateways, err := gatewaysWhere(ctx, v.d.reader, condition, args...)
	if err != nil {
		return nil, err
	}
	heard := make(map[[2]string]bool, len(gateways))
	for _, g := range gateways {
		heard[[2]string{g.Factory, g.ID}] = true
	}
	sites, err := v.Sites(ctx)
	if err != nil {
		return nil, err
	}
	for _, site := range sites {
		for _, g := range site.Gateways {
			if !heard[[2]string{site.Factory.ID, g.ID}] {
				gateways = append(gateways, GatewayStatus{
					Factory: site.Factory.ID, ID: g.ID, UnknownSensors: []string{}, Refused: map[string]int64{},
				})
			}
		}
	}
	return gateways, nil
}

// Transitions returns a page of what happened at a point, newest first.
func (v *View) Transitions(ctx context.Context, point, cursor string, limit int) (Page[safety.Transition], error) {
	condition, args := v.tenant("factory")
	before := int64(1<<63 - 1)
	if cursor != "" {
		id, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			return Page[safety.Transition]{}, fmt.Errorf("cursor %q: %w", cursor, safety.ErrInvalid)
		}
		before = id
	}
	limit = pageSize(limit)
	found, err := query(ctx, v.d.reader, scanTransition, `SELECT id, `+transitionColumns+` FROM transitions
		WHERE `+condition+` AND point = ? AND id < ? ORDER BY id DESC LIMIT ?`, append(args, point, before, limit+1)...)
	if err != nil {
		return Page[safety.Transition]{}, err
	}
	return page(found, limit, func(t safety.Transition) string { return strconv.FormatInt(t.ID, 10) }), nil
}
