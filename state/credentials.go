package state

import (
	"context"
	"database/sql"
	"fmt"

	"nirapod/safety"
)

// SetGatewayCredential makes username and the password behind hash the only
// way in for a gateway: an earlier credential of it ends. The error wraps
// safety.ErrConflict when the username is another gateway's.
func (d *DB) SetGatewayCredential(ctx context.Context, username, hash, factory, gateway string) error {
	if username == "" || hash == "" || factory == "" || gateway == "" {
		return fmt.Errorf("gateway credential %q: username, hash, factory and gateway are needed: %w", username, safety.ErrInvalid)
	}
	return d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM gateway_credentials WHERE factory = ? AND gateway = ?`, factory, gateway)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO gateway_credentials (username, hash, factory, gateway) VALUES (?, ?, ?, ?)`,
			username, hash, factory, gateway)
		return conflict(err, "username %q belongs to another gateway", username)
	})
}

// GatewayCredential returns the password hash of a gateway's username and
// whose it is. The error wraps safety.ErrNotFound when there is none.
func (d *DB) GatewayCredential(ctx context.Context, username string) (hash, factory, gateway string, err error) {
	found, err := one(ctx, d.reader, func(row scanner) (c [3]string, err error) {
		return c, row.Scan(&c[0], &c[1], &c[2])
	}, `SELECT hash, factory, gateway FROM gateway_credentials WHERE username = ?`, username)
	if err != nil {
		return "", "", "", fmt.Errorf("gateway credential %q: %w", username, err)
	}
	return found[0], found[1], found[2], nil
}
