// Command gateway-agent reads the sensors of one box, judges them, sounds its
// outputs and reports to the server.
//
//	gateway-agent run -c FILE                   until it is told to stop
//	gateway-agent check -c FILE                 names all mistakes of FILE and of the rules for it
//	gateway-agent scan -c FILE                  what answers on the buses, as JSON
//	gateway-agent selftest [-outputs] -c FILE   as JSON; with -outputs everything sounds for a second
//
// Exit status 0 is success, 1 a failure or a test not passed, 2 a mistake in
// the arguments or the configuration.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"

	agent "nirapod/gateway-agent"
	"nirapod/safety"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, safety.ErrInvalid):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "gateway-agent:", err)
		os.Exit(1)
	}
}

var errNotPassed = errors.New("not passed")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("gateway-agent", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("c", "/etc/nirapod/agent.yaml", "configuration `FILE`")
	outputs := flags.Bool("outputs", false, "selftest: sound every output for a second")
	verbose := flags.Bool("v", false, "log more")
	if len(args) == 0 || !slices.Contains([]string{"run", "check", "scan", "selftest"}, args[0]) {
		return fmt.Errorf("gateway-agent: want run, check, scan or selftest, then -c FILE: %w", safety.ErrInvalid)
	}
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil || flags.NArg() > 0 {
		return fmt.Errorf("gateway-agent %s: unknown arguments %q: %w", args[0], flags.Args(), safety.ErrInvalid)
	}
	cfg, err := agent.Load(*file)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	switch args[0] {
	case "check":
		return check(cfg, *file, stdout, log)
	case "scan":
		return scan(cfg, stdout)
	case "selftest":
		return selftest(ctx, cfg, *outputs, stdout, log)
	}
	a, err := agent.New(cfg, version(), log)
	if err != nil {
		return err
	}
	if err := a.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

func check(cfg agent.Config, file string, stdout io.Writer, log *slog.Logger) error {
	undecided, err := cfg.Check(log)
	if err != nil {
		return err
	}
	for _, why := range undecided {
		fmt.Fprintf(stdout, "%s: %s\n", file, why)
	}
	_, err = fmt.Fprintf(stdout, "%s: %d sensors, %d outputs, no mistakes\n", file, len(cfg.Sensors), len(cfg.Outputs))
	return err
}

func scan(cfg agent.Config, stdout io.Writer) error {
	scans := agent.ScanBuses(cfg)
	if err := print(stdout, scans); err != nil {
		return err
	}
	if slices.ContainsFunc(scans, func(s agent.Scan) bool { return !s.OK() }) {
		return errNotPassed
	}
	return nil
}

func selftest(ctx context.Context, cfg agent.Config, outputs bool, stdout io.Writer, log *slog.Logger) error {
	r, err := agent.SelfTest(ctx, cfg, outputs, log)
	if err := errors.Join(err, print(stdout, r)); err != nil {
		return err
	}
	if !r.OK {
		return errNotPassed
	}
	return nil
}

func print(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// version is that of the build, for people.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return info.Main.Version
}
