package app

import (
	"fmt"
	"slices"
	"strings"

	"nirapod/safety"
)

// Role is one part of the server that can run in a process of its own.
type Role string

// The roles.
const (
	RoleBroker    Role = "broker"
	RoleIngest    Role = "ingest"
	RoleAlerts    Role = "alerts"
	RoleDashboard Role = "dashboard"
	RoleDesk      Role = "desk"
)

var allRoles = []Role{RoleBroker, RoleIngest, RoleAlerts, RoleDashboard, RoleDesk}

// Roles are the roles of one process.
type Roles map[Role]bool

// AllRoles is the whole server in one process.
func AllRoles() Roles {
	r := Roles{}
	for _, role := range allRoles {
		r[role] = true
	}
	return r
}

// ParseRoles reads a comma-separated list such as "ingest,alerts".
func ParseRoles(list string) (Roles, error) {
	r := Roles{}
	for word := range strings.SplitSeq(list, ",") {
		role := Role(strings.TrimSpace(word))
		if !slices.Contains(allRoles, role) {
			return nil, fmt.Errorf("role %q: want some of broker, ingest, alerts, dashboard, desk: %w", role, safety.ErrInvalid)
		}
		r[role] = true
	}
	return r, nil
}

func (r Roles) String() string {
	var words []string
	for _, role := range allRoles {
		if r[role] {
			words = append(words, string(role))
		}
	}
	return strings.Join(words, ",")
}

func (r Roles) needBroker() bool { return r[RoleIngest] || r[RoleAlerts] || r[RoleDashboard] }

// needState reports whether the process opens the state.
func (r Roles) needState() bool { return r[RoleBroker] || r.needBroker() }

// needSeries reports whether the process opens the series store.
func (r Roles) needSeries() bool { return r[RoleIngest] || r[RoleDashboard] }

// check refuses a split that the series store does not allow.
func (r Roles) check(series SeriesKind) []error {
	if series == TSDB && r[RoleIngest] != r[RoleDashboard] {
		return []error{fmt.Errorf("roles %s: ingest and dashboard share the embedded series store, which has one owner; run them in one process, or keep series in InfluxDB (series.kind: influx): %w", r, safety.ErrInvalid)}
	}
	return nil
}
