package state

import (
	"context"
	"database/sql"
	"fmt"

	"nirapod/safety"
)

// GatewayCredential is a gateway's way in at the broker: one password, hashed
// once for each kind of broker.
type GatewayCredential struct {
	Username         string
	Factory, Gateway string
	Hash             string // for the embedded broker
	Mosquitto        string // as in Mosquitto's password file; "" for one older than these files
}

// SetGatewayCredential makes c the only way in for its gateway: an earlier
// credential of it ends. The error wraps safety.ErrConflict when the username
// is another gateway's.
func (d *DB) SetGatewayCredential(ctx context.Context, c GatewayCredential) error {
	if c.Username == "" || c.Hash == "" || c.Factory == "" || c.Gateway == "" {
		return fmt.Errorf("gateway credential %q: username, hash, factory and gateway are needed: %w", c.Username, safety.ErrInvalid)
	}
	return d.Write(ctx, func(tx *sql.Tx) error {
		if _, err := deleteCredential(ctx, tx, c.Factory, c.Gateway); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO gateway_credentials (username, factory, gateway, hash, mosquitto) VALUES (?, ?, ?, ?, ?)`,
			c.Username, c.Factory, c.Gateway, c.Hash, c.Mosquitto)
		return conflict(err, "username %q belongs to another gateway", c.Username)
	})
}

// RemoveGatewayCredential shuts a gateway out. The error wraps
// safety.ErrNotFound when it has no credential.
func (d *DB) RemoveGatewayCredential(ctx context.Context, factory, gateway string) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		n, err := deleteCredential(ctx, tx, factory, gateway)
		if err == nil && n == 0 {
			err = fmt.Errorf("gateway %s of %s has no password: %w", gateway, factory, safety.ErrNotFound)
		}
		return err
	})
}

func deleteCredential(ctx context.Context, tx *sql.Tx, factory, gateway string) (int64, error) {
	done, err := tx.ExecContext(ctx, `DELETE FROM gateway_credentials WHERE factory = ? AND gateway = ?`, factory, gateway)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

const selectCredentials = `SELECT username, factory, gateway, hash, mosquitto FROM gateway_credentials `

// GatewayCredential returns the credential of a username. The error wraps
// safety.ErrNotFound when there is none.
func (d *DB) GatewayCredential(ctx context.Context, username string) (GatewayCredential, error) {
	c, err := one(ctx, d.reader, scanCredential, selectCredentials+`WHERE username = ?`, username)
	if err != nil {
		return GatewayCredential{}, fmt.Errorf("gateway credential %q: %w", username, err)
	}
	return c, nil
}

// GatewayCredentials returns all credentials by username.
func (d *DB) GatewayCredentials(ctx context.Context) ([]GatewayCredential, error) {
	return query(ctx, d.reader, scanCredential, selectCredentials+`ORDER BY username`)
}

func scanCredential(row scanner) (c GatewayCredential, err error) {
	return c, row.Scan(&c.Username, &c.Factory, &c.Gateway, &c.Hash, &c.Mosquitto)
}
