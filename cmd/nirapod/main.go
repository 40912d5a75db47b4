// Command nirapod is the server: broker, ingest, alerts, dashboard and desk,
// in one process or several, and what an administrator needs beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"nirapod/safety"
)

const usage = `usage: nirapod COMMAND [FLAGS]

  demo     run everything on loopback, with a simulated factory
  serve    run the server: serve -c FILE [-roles broker,ingest,alerts,dashboard,desk] [-watch HOST:PORT]
  ready    ask a running server whether all of it works: ready -watch HOST:PORT
  check    name every mistake: check -c FILE [-roles …] or check -site FILE
  user     add or list people: user add -c FILE -name … -role …; user list -c FILE
  rules    try and read rules: rules test FILES…, rules replay -rules DIR -map FILE DATA…,
           rules backtest -c FILE -rules DIR, rules explain
  gateway  let a gateway in, or shut it out: gateway add -c FILE -factory ID -gateway ID; gateway remove …
  permit   isolate sensors while work goes on: permit open -c FILE -factory ID …; permit close …; permit tested …; permit list …
  receivers  list how people are written to, and try it: receivers list -c FILE; receivers test -c FILE -receiver NAME -to ADDRESS
  ledger   verify the record of what people and machine decided: ledger verify [-key KEY] FILE.zip|DIR,
           ledger key -c FILE, ledger erase -c FILE …
  influx   make buckets, token and tasks in InfluxDB 2: influx setup -c FILE -operator-token FILE

nirapod COMMAND -h explains the flags.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, safety.ErrInvalid):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "nirapod:", err)
		os.Exit(1)
	}
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) error {
	std := streams{in, out, errOut}
	if len(args) == 0 {
		return wrongUse("no command\n\n%s", usage)
	}
	log := slog.New(slog.NewTextHandler(errOut, nil))
	switch command, rest := args[0], args[1:]; command {
	case "demo":
		return runDemo(ctx, rest, std)
	case "serve":
		return serve(ctx, rest, std, log)
	case "ready":
		return ready(ctx, rest, std)
	case "check":
		return check(rest, std)
	case "user":
		return user(ctx, rest, std)
	case "rules":
		return ruleTools(ctx, rest, std, log)
	case "gateway":
		return gateway(ctx, rest, std)
	case "permit":
		return permits(ctx, rest, std)
	case "receivers":
		return receivers(ctx, rest, std)
	case "ledger":
		return ledgerTools(ctx, rest, std)
	case "influx":
		return influx(ctx, rest, std)
	case "help", "-h", "--help":
		fmt.Fprint(out, usage)
		return nil
	default:
		return wrongUse("unknown command %q\n\n%s", command, usage)
	}
}

// flags returns a flag set that prints to std and never ends the process.
func flags(name string, std streams) *flag.FlagSet {
	f := flag.NewFlagSet("nirapod "+name, flag.ContinueOnError)
	f.SetOutput(std.err)
	return f
}

// parseWithFiles parses args; what is left over are names.
func parseWithFiles(f *flag.FlagSet, args []string) error {
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return wrongUse("%v", err)
	}
	return nil
}

// parse parses args; what is left over is a mistake.
func parse(f *flag.FlagSet, args []string) error {
	if err := parseWithFiles(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return wrongUse("%s: unexpected %q", f.Name(), f.Arg(0))
	}
	return nil
}

func wrongUse(format string, args ...any) error {
	return fmt.Errorf(format+"%w", append(args, quiet{})...)
}

// quiet marks wrong use without adding words to it.
type quiet struct{}

func (quiet) Error() string { return "" }
func (quiet) Unwrap() error { return safety.ErrInvalid }
