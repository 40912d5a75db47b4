package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"nirapod/app"
	"nirapod/dashboard/web"
)

func runDemo(ctx context.Context, args []string, std streams) error {
	f := flags("demo", std)
	o := app.DemoOptions{}
	f.StringVar(&o.Addr, "addr", "127.0.0.1:8080", "loopback `HOST:PORT` of the page")
	f.StringVar(&o.Scenario, "scenario", "smoulder", "`NAME` of a scenario, or a file")
	f.StringVar(&o.Data, "data", "", "keep everything in `DIR`; default: a fresh directory, removed at the end")
	verbose := f.Bool("v", false, "print the server's log")
	if err := parse(f, args); err != nil {
		return err
	}
	page, err := web.Page()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.Binaries = filepath.Dir(self)
	level := slog.LevelError
	if *verbose {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: level}))
	return app.RunDemo(ctx, o, page, std.out, log)
}

// configured are the flags of every command that needs the server's file.
func configured(name string, std streams, args []string, more func(set func(*string, string, string))) (app.Config, app.Roles, error) {
	f := flags(name, std)
	file := f.String("c", "/etc/nirapod/nirapod.yaml", "the server's `FILE`")
	list := f.String("roles", "", "comma-separated `ROLES` of this process; default: all")
	if more != nil {
		more(func(p *string, name, text string) { f.StringVar(p, name, "", text) })
	}
	if err := parse(f, args); err != nil {
		return app.Config{}, nil, err
	}
	return load(*file, *list)
}

// load reads the server's file for a list of roles; "" means all that it asks
// for.
func load(file, list string) (app.Config, app.Roles, error) {
	var roles app.Roles
	if list != "" {
		var err error
		if roles, err = app.ParseRoles(list); err != nil {
			return app.Config{}, nil, err
		}
	}
	cfg, err := app.Load(file, roles)
	if roles == nil {
		roles = cfg.DefaultRoles()
	}
	return cfg, roles, err
}

func serve(ctx context.Context, args []string, std streams, log *slog.Logger) error {
	var watch string
	cfg, roles, err := configured("serve", std, args, func(set func(*string, string, string)) {
		set(&watch, "watch", "loopback `HOST:PORT` for /healthz, /readyz and /metrics of this process")
	})
	if err != nil {
		return err
	}
	var page fs.FS
	if roles[app.RoleDashboard] {
		if page, err = web.Page(); err != nil {
			return err
		}
	}
	server, err := app.New(ctx, cfg, roles, page, log)
	if err != nil {
		return err
	}
	if watch != "" {
		if err := server.Watch(watch); err != nil {
			return errors.Join(err, server.Close())
		}
	}
	at := server.Addresses()
	log.Info("serving", "roles", roles.String(), "mode", cfg.Mode, "http", at.HTTP, "desk", at.Desk, "broker", at.Broker, "watch", at.Watch)
	return server.Run(ctx)
}

// ready asks a running process whether all of it works, for supervisors that
// have no other client at hand.
func ready(ctx context.Context, args []string, std streams) error {
	f := flags("ready", std)
	at := f.String("watch", "127.0.0.1:9100", "`HOST:PORT` that serve -watch has opened")
	if err := parse(f, args); err != nil {
		return err
	}
	return app.Ready(ctx, *at)
}

// check names every mistake of a server's file, its site files and the rules,
// without starting anything.
func check(args []string, std streams) error {
	f := flags("check", std)
	site := f.String("site", "", "check only this site `FILE`")
	file := f.String("c", "", "the server's `FILE`")
	list := f.String("roles", "", "comma-separated `ROLES`; default: all")
	if err := parse(f, args); err != nil {
		return err
	}
	if *site != "" {
		return checkSites(app.Config{Sites: []string{*site}}, std.out)
	}
	if *file == "" {
		return wrongUse("nirapod check: name a file with -c or -site")
	}
	cfg, _, err := load(*file, *list)
	if err != nil {
		return err
	}
	if err := checkSites(cfg, std.out); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s: no mistakes\n", *file)
	return nil
}

// checkSites prints warnings and returns all mistakes, those of the rules and of
// binding them among them.
func checkSites(cfg app.Config, out io.Writer) error {
	packs, err := cfg.Packs()
	if err != nil {
		return err
	}
	for _, name := range cfg.Sites {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		_, changes, warnings, err := app.ReadSite(name, data, packs)
		for _, w := range warnings {
			fmt.Fprintln(out, "warning:", w)
		}
		if err != nil {
			return err
		}
		for _, c := range changes {
			fmt.Fprintln(out, "own value:", c)
		}
		fmt.Fprintf(out, "%s: no mistakes\n", name)
	}
	return nil
}
