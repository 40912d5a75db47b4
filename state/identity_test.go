package state_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"nirapod/safety"
	"nirapod/state"
)

func demoUser(change func(*state.User)) state.User {
	u := state.User{Name: "committee", Role: state.Committee, Factory: "padma", PasswordHash: "$argon2id$secret", Language: "bn"}
	change(&u)
	return u
}

func TestUsers(t *testing.T) {
	d := open(t, t.TempDir())
	u, err := d.CreateUser(t.Context(), demoUser(func(u *state.User) { u.ID = "mine" }))
	if err != nil || u.ID == "mine" || u.ID == "" {
		t.Fatalf("created %+v, %v", u, err)
	}
	officer, err := d.CreateUser(t.Context(), state.User{
		Name: "Officer", Role: state.Officer, Office: "gazipur", PasswordHash: "h", Language: "en",
	})
	must(t, err)
	if _, err := d.CreateUser(t.Context(), demoUser(func(u *state.User) { u.Name = "COMMITTEE" })); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("a name that is taken: %v", err)
	}
	for _, name := range []string{"committee", "Committee"} {
		if got, err := d.UserByName(t.Context(), name); err != nil || got != u {
			t.Errorf("UserByName(%q) = %+v, %v", name, got, err)
		}
	}
	if _, err := d.UserByName(t.Context(), "nobody"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("a user who is not there: %v", err)
	}
	if all, err := d.Users(t.Context()); err != nil || len(all) != 2 || all[0] != u || all[1] != officer {
		t.Errorf("users %+v, %v", all, err)
	}
	if text, err := json.Marshal(u); err != nil || strings.Contains(string(text), "secret") {
		t.Errorf("a user as JSON shows the hash: %s, %v", text, err)
	}
}

func TestCreateUserRefuses(t *testing.T) {
	d := open(t, t.TempDir())
	for name, change := range map[string]func(*state.User){
		"no name":                     func(u *state.User) { u.Name = "" },
		"a name with a space":         func(u *state.User) { u.Name = "committee " },
		"an endless name":             func(u *state.User) { u.Name = strings.Repeat("a", 65) },
		"no password":                 func(u *state.User) { u.PasswordHash = "" },
		"no language":                 func(u *state.User) { u.Language = "" },
		"another language":            func(u *state.User) { u.Language = "hi" },
		"no role":                     func(u *state.User) { u.Role = "" },
		"a role that is reserved":     func(u *state.User) { u.Role = state.Inspector },
		"a committee of no factory":   func(u *state.User) { u.Factory = "" },
		"a committee of an office":    func(u *state.User) { u.Office = "gazipur" },
		"an officer of a factory":     func(u *state.User) { u.Role = state.Officer },
		"an officer of no office":     func(u *state.User) { u.Role, u.Factory = state.Officer, "" },
		"an installer with an office": func(u *state.User) { u.Role, u.Office = state.Installer, "gazipur" },
	} {
		if _, err := d.CreateUser(t.Context(), demoUser(change)); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSessions(t *testing.T) {
	d := open(t, t.TempDir())
	u, err := d.CreateUser(t.Context(), demoUser(func(*state.User) {}))
	must(t, err)
	token, other := sha256.Sum256([]byte("a")), sha256.Sum256([]byte("b"))
	must(t, d.CreateSession(t.Context(), token, u.ID, "csrf", at(0), at(30)))

	found := func(hash [32]byte, second int) bool {
		t.Helper()
		s, err := d.Session(t.Context(), hash, at(second))
		if err == nil && s != (state.Session{User: u, CSRF: "csrf", Expires: at(30)}) {
			t.Errorf("session %+v", s)
		}
		if err != nil && !errors.Is(err, safety.ErrNotFound) {
			t.Error(err)
		}
		return err == nil
	}
	if !found(token, 29) || found(token, 30) || found(other, 1) {
		t.Error("a session lives for its token until it expires")
	}
	if err := d.CreateSession(t.Context(), token, u.ID, "x", at(0), at(30)); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("the same token twice: %v", err)
	}
	if err := d.CreateSession(t.Context(), other, "nobody", "x", at(0), at(30)); err == nil {
		t.Error("a session of nobody")
	}
	must(t, d.DeleteSession(t.Context(), token))
	must(t, d.DeleteSession(t.Context(), token))
	if found(token, 1) {
		t.Error("a session lives on after logout")
	}

	must(t, d.CreateSession(t.Context(), token, u.ID, "csrf", at(0), at(30)))
	must(t, d.CreateSession(t.Context(), other, u.ID, "csrf", at(30), at(59)))
	if found(token, 1) {
		t.Error("an expired session is kept")
	}
	must(t, d.SetPassword(t.Context(), u.ID, "new"))
	if got, _ := d.UserByName(t.Context(), u.Name); got.PasswordHash != "new" || found(other, 31) {
		t.Errorf("after a new password: hash %q, and the session lives: %v", got.PasswordHash, found(other, 31))
	}
	if err := d.SetPassword(t.Context(), "nobody", "new"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("a password for nobody: %v", err)
	}
}

func TestGatewayCredentials(t *testing.T) {
	d := open(t, t.TempDir())
	first := state.GatewayCredential{Username: "padma/gw-1", Factory: "padma", Gateway: "gw-1", Hash: "h1", Mosquitto: "m1"}
	second := state.GatewayCredential{Username: "padma/gw-1-new", Factory: "padma", Gateway: "gw-1", Hash: "h2"}
	must(t, d.SetGatewayCredential(t.Context(), first))
	must(t, d.SetGatewayCredential(t.Context(), second))
	if got, err := d.GatewayCredential(t.Context(), second.Username); err != nil || got != second {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := d.GatewayCredential(t.Context(), first.Username); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("the replaced key still opens: %v", err)
	}
	other := first
	other.Gateway = "gw-0"
	must(t, d.SetGatewayCredential(t.Context(), other))
	if all, err := d.GatewayCredentials(t.Context()); err != nil || !slices.Equal(all, []state.GatewayCredential{other, second}) {
		t.Errorf("all: %+v, %v", all, err)
	}
	other.Username = second.Username
	if err := d.SetGatewayCredential(t.Context(), other); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("another gateway's username: %v", err)
	}
	other.Hash = ""
	if err := d.SetGatewayCredential(t.Context(), other); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("a credential without a password: %v", err)
	}
	must(t, d.RemoveGatewayCredential(t.Context(), "padma", "gw-1"))
	if _, err := d.GatewayCredential(t.Context(), second.Username); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("the removed key still opens: %v", err)
	}
	if err := d.RemoveGatewayCredential(t.Context(), "padma", "gw-1"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}
