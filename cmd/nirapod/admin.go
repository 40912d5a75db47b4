package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"nirapod/app"
	"nirapod/internal/password"
	"nirapod/safety"
	"nirapod/state"
)

const minPassword = 10

func user(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 {
		return wrongUse("nirapod user: want add or list")
	}
	switch args[0] {
	case "add":
		return addUser(ctx, args[1:], std)
	case "list":
		return listUsers(ctx, args[1:], std)
	}
	return wrongUse("nirapod user %s: want add or list", args[0])
}

// addUser reads the password from standard input: arguments are seen by every
// process of the machine.
func addUser(ctx context.Context, args []string, std streams) (err error) {
	u := state.User{}
	var role string
	cfg, _, err := configured("user add", std, args, func(set func(*string, string, string)) {
		set(&u.Name, "name", "login `NAME`")
		set(&role, "role", "`ROLE`: committee, officer or installer")
		set(&u.Factory, "factory", "`ID` of the factory, for committee and installer")
		set(&u.Office, "office", "`ID` of the DIFE office, for officer")
		set(&u.Language, "language", "bn or en; default bn")
	})
	if err != nil {
		return err
	}
	u.Role = state.Role(role)
	if u.Language == "" {
		u.Language = "bn"
	}
	fmt.Fprint(std.err, "password: ")
	line, err := bufio.NewReader(std.in).ReadString('\n')
	word := strings.TrimRight(line, "\r\n")
	if len(word) < minPassword {
		return fmt.Errorf("password: want at least %d characters on standard input: %w", minPassword, errors.Join(safety.ErrInvalid, err))
	}
	u.PasswordHash = password.Hash(word)
	return withState(ctx, cfg, func(db *state.DB) error {
		if _, err := db.CreateUser(ctx, u); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s (%s) can log in\n", u.Name, u.Role)
		return nil
	})
}

func listUsers(ctx context.Context, args []string, std streams) error {
	cfg, _, err := configured("user list", std, args, nil)
	if err != nil {
		return err
	}
	return withState(ctx, cfg, func(db *state.DB) error {
		users, err := db.Users(ctx)
		for _, u := range users {
			fmt.Fprintf(std.out, "%s\t%s\t%s%s\n", u.Name, u.Role, u.Factory, u.Office)
		}
		return err
	})
}

// gateway gives a gateway its password, or takes it away.
func gateway(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 || args[0] != "add" && args[0] != "remove" {
		return wrongUse("nirapod gateway: want add or remove")
	}
	var factory, id string
	cfg, _, err := configured("gateway "+args[0], std, args[1:], func(set func(*string, string, string)) {
		set(&factory, "factory", "`ID` of the factory")
		set(&id, "gateway", "`ID` of the gateway, as in the site file")
	})
	if err != nil {
		return err
	}
	return withState(ctx, cfg, func(db *state.DB) error {
		do := addGateway
		if args[0] == "remove" {
			do = removeGateway
		}
		if err := do(ctx, db, cfg, factory, id, std.out); err != nil {
			return err
		}
		warning, err := app.KeepMosquitto(ctx, db, cfg)
		if warning != "" {
			fmt.Fprintln(std.err, "warning:", warning)
		}
		return err
	})
}

// addGateway prints the password once: only its hashes are kept.
func addGateway(ctx context.Context, db *state.DB, cfg app.Config, factory, id string, out io.Writer) error {
	if err := app.ImportSites(ctx, db, cfg); err != nil {
		return err
	}
	word, err := app.AddGateway(ctx, db, factory, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "username %s/%s\npassword %s\n", factory, id, word)
	return nil
}

func removeGateway(ctx context.Context, db *state.DB, _ app.Config, factory, id string, out io.Writer) error {
	if err := db.RemoveGatewayCredential(ctx, factory, id); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s/%s is shut out\n", factory, id)
	return nil
}

func withState(ctx context.Context, cfg app.Config, do func(*state.DB) error) (err error) {
	db, err := state.Open(ctx, cfg.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(db)
}
