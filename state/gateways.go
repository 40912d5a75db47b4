package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// GatewayStatus is what the server last heard of a gateway. The zero At means
// that nothing was ever heard.
type GatewayStatus struct {
	Factory        string           `json:"factory_id"`
	ID             string           `json:"id"`
	Run            string           `json:"run"`
	Online         bool             `json:"online"`
	Clock          string           `json:"clock"` // synced | unsynced | "" = not known
	Version        string           `json:"version"`
	At             time.Time        `json:"at"`
	Simulated      bool             `json:"simulated"`
	UnknownSensors []string         `json:"unknown_sensors"` // sent, but not in the site
	Refused        map[string]int64 `json:"refused"`         // refusals by reason since the database was made
}

// SetPresence replaces what is stored of the gateway, but for Refused, which
// CommitBatch counts.
func (d *DB) SetPresence(ctx context.Context, g GatewayStatus) error {
	if g.UnknownSensors == nil {
		g.UnknownSensors = []string{}
	}
	unknown, err := json.Marshal(g.UnknownSensors)
	if err != nil {
		return err
	}
	err = d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO gateways (factory, id, run, online, clock, version, at, simulated, unknown_sensors)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET run = ?3, online = ?4, clock = ?5,
			version = ?6, at = ?7, simulated = ?8, unknown_sensors = ?9`,
			g.Factory, g.ID, g.Run, g.Online, g.Clock, g.Version, millis(g.At), g.Simulated, string(unknown))
		return err
	})
	if err != nil {
		return fmt.Errorf("presence of %s/%s: %w", g.Factory, g.ID, err)
	}
	return nil
}

// Gateways returns every gateway that was ever heard, by factory and id.
func (d *DB) Gateways(ctx context.Context) ([]GatewayStatus, error) {
	return gatewaysWhere(ctx, d.reader, "1")
}

// gatewaysWhere returns the gateways whose column factory satisfies where.
// One that only had records refused has been heard too.
func gatewaysWhere(ctx context.Context, q querier, where string, args ...any) ([]GatewayStatus, error) {
	return query(ctx, q, scanGateway, `
		SELECT factory, id, ifnull(run, ''), ifnull(online, 0), ifnull(clock, ''), ifnull(version, ''), ifnull(at, 0),
			ifnull(simulated, 0), ifnull(unknown_sensors, '[]'),
			(SELECT json_group_object(reason, n) FROM refusal_counts c WHERE c.factory = seen.factory AND c.gateway = seen.id)
		FROM (SELECT factory, id FROM gateways UNION SELECT factory, gateway FROM refusal_counts) AS seen
		LEFT JOIN gateways USING (factory, id)
		WHERE `+where+` ORDER BY factory, id`, args...)
}

func scanGateway(row scanner) (g GatewayStatus, err error) {
	var at int64
	var unknown, refused []byte
	err = row.Scan(&g.Factory, &g.ID, &g.Run, &g.Online, &g.Clock, &g.Version, &at, &g.Simulated, &unknown, &refused)
	if err != nil {
		return g, err
	}
	g.At = moment(at)
	if err := json.Unmarshal(unknown, &g.UnknownSensors); err != nil {
		return g, err
	}
	return g, json.Unmarshal(refused, &g.Refused)
}
