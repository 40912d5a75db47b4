// Command firmware-sim runs a scenario's sensors as register machines on
// simulated buses, in real time, for a gateway agent to read.
//
// It prints one line "listening HOST:PORT" on standard output once clients can
// connect. Exit status 2 is a mistake in the arguments, the scenario or its
// recording.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	sim "nirapod/firmware-sim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "firmware-sim:", err)
		os.Exit(1)
	}
}

// errUsage marks what the caller must put right.
var errUsage = errors.New("usage")

type usage struct{ error }

func (usage) Is(target error) bool { return target == errUsage }
func (u usage) Unwrap() error      { return u.error }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("firmware-sim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	scenario := flags.String("scenario", "smoulder",
		"`FILE` of a scenario, or the name of a shipped one: "+strings.Join(sim.Names(), ", "))
	recording := flags.String("recording", "", "CSV `FILE` to play instead of the one that the scenario names")
	listen := flags.String("listen", "127.0.0.1:7762", "`HOST:PORT` to listen on; port 0 takes a free one")
	seed := flags.Uint64("seed", 1, "of all noise")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return usage{err}
	}
	if flags.NArg() > 0 {
		return usage{fmt.Errorf("firmware-sim: unexpected argument %q", flags.Arg(0))}
	}
	sc, err := sim.Load(*scenario, *recording)
	if err != nil {
		return usage{err}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	server := sim.NewServer(sim.New(sc, *seed), log)
	if _, err := fmt.Fprintln(stdout, "listening", l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	log.Info("scenario runs", "scenario", sc.Name, "seed", *seed)
	if err := server.Run(ctx, l); ctx.Err() == nil {
		return err
	}
	return nil
}
