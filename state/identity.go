package state

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"nirapod/safety"
)

// Role is what a user may be. Inspector is reserved: nobody can have it yet.
type Role string

// The roles.
const (
	Committee Role = "committee" // of one factory
	Officer   Role = "officer"   // of one DIFE office, sees the factories of it
	Installer Role = "installer" // of one factory
	Inspector Role = "inspector"
)

// User is a person who can log in.
type User struct {
	ID           string `json:"id"` // given by CreateUser
	Name         string `json:"name"`
	Role         Role   `json:"role"`
	Factory      string `json:"factory_id"` // committee and installer; else ""
	Office       string `json:"office"`     // officer; else ""
	PasswordHash string `json:"-"`
	Language     string `json:"language"` // bn | en
}

const userColumns = `users.id, name, role, factory, office, password_hash, language`

func scanUser(row scanner) (u User, err error) {
	return u, row.Scan(&u.ID, &u.Name, &u.Role, &u.Factory, &u.Office, &u.PasswordHash, &u.Language)
}

func (u User) validate() error {
	var wrong string
	switch {
	case u.Name == "" || len(u.Name) > 64 || strings.TrimSpace(u.Name) != u.Name:
		wrong = "a name has 1 to 64 bytes and no spaces around it"
	case u.Language != "bn" && u.Language != "en":
		wrong = "language must be bn or en"
	case u.PasswordHash == "":
		wrong = "no password"
	case u.Role == Officer && (u.Office == "" || u.Factory != ""):
		wrong = "an officer belongs to an office and to no factory"
	case (u.Role == Committee || u.Role == Installer) && (u.Factory == "" || u.Office != ""):
		wrong = "committee and installer belong to a factory and to no office"
	case u.Role != Officer && u.Role != Committee && u.Role != Installer:
		wrong = fmt.Sprintf("role %q is none of committee, officer, installer", u.Role)
	default:
		return nil
	}
	return fmt.Errorf("user %q: %s: %w", u.Name, wrong, safety.ErrInvalid)
}

// CreateUser stores u under a new id and returns it. The error wraps
// safety.ErrConflict when the name is taken; case does not distinguish names.
func (d *DB) CreateUser(ctx context.Context, u User) (User, error) {
	if err := u.validate(); err != nil {
		return User{}, err
	}
	u.ID = rand.Text()
	err := d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO users (id, name, role, factory, office, password_hash, language)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, u.ID, u.Name, string(u.Role), u.Factory, u.Office, u.PasswordHash, u.Language)
		return conflict(err, "user %q exists", u.Name)
	})
	if err != nil {
		return User{}, err
	}
	return u, nil
}

// SetPassword replaces a user's password hash and ends all their sessions.
func (d *DB) SetPassword(ctx context.Context, userID, hash string) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		changed, err := tx.ExecContext(ctx, `UPDATE users SET password_hash = ? WHERE id = ?`, hash, userID)
		if err != nil {
			return err
		}
		if n, err := changed.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("user %s: %w", userID, safety.ErrNotFound)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE user = ?`, userID)
		return err
	})
}

// UserByName returns the user of that name. The error wraps
// safety.ErrNotFound when there is none.
func (d *DB) UserByName(ctx context.Context, name string) (User, error) {
	u, err := one(ctx, d.reader, scanUser, `SELECT `+userColumns+` FROM users WHERE name = ?`, name)
	if err != nil {
		return User{}, fmt.Errorf("user %q: %w", name, err)
	}
	return u, nil
}

// Users returns all users by name.
func (d *DB) Users(ctx context.Context) ([]User, error) {
	return query(ctx, d.reader, scanUser, `SELECT `+userColumns+` FROM users ORDER BY name`)
}

// Session is one login of a user.
type Session struct {
	User    User
	CSRF    string
	Expires time.Time
}

// CreateSession stores a login of a user under the SHA-256 of its token, so
// that who reads the database cannot log in. Sessions that expired at or
// before now are removed.
func (d *DB) CreateSession(ctx context.Context, tokenHash [32]byte, userID, csrf string, now, expires time.Time) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires <= ?`, millis(now)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (token_sha256, user, csrf, expires) VALUES (?, ?, ?, ?)`,
			tokenHash[:], userID, csrf, millis(expires))
		return conflict(err, "session exists")
	})
}

// Session returns the session of a token with the user as stored now. The
// error wraps safety.ErrNotFound when there is none or it has expired.
func (d *DB) Session(ctx context.Context, tokenHash [32]byte, now time.Time) (Session, error) {
	s, err := one(ctx, d.reader, func(row scanner) (s Session, err error) {
		var expires int64
		u := &s.User
		err = row.Scan(&u.ID, &u.Name, &u.Role, &u.Factory, &u.Office, &u.PasswordHash, &u.Language, &s.CSRF, &expires)
		s.Expires = moment(expires)
		return s, err
	}, `SELECT `+userColumns+`, csrf, expires FROM sessions JOIN users ON users.id = sessions.user
		WHERE token_sha256 = ? AND expires > ?`, tokenHash[:], millis(now))
	if err != nil {
		return Session{}, fmt.Errorf("session: %w", err)
	}
	return s, nil
}

// DeleteSession ends a session. One that does not exist has ended.
func (d *DB) DeleteSession(ctx context.Context, tokenHash [32]byte) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE token_sha256 = ?`, tokenHash[:])
		return err
	})
}
