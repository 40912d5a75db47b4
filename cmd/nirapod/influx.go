package main

import (
	"context"
	"errors"
	"fmt"

	"nirapod/app"
)

// influx makes in InfluxDB 2 what the server's file asks for. The operator's
// token comes from a file and the server's goes to one: neither is an argument
// nor printed.
func influx(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 || args[0] != "setup" {
		return wrongUse("nirapod influx: want setup")
	}
	f := flags("influx setup", std)
	file := f.String("c", "/etc/nirapod/nirapod.yaml", "the server's `FILE`")
	operator := f.String("operator-token", "", "`FILE` with a token that may manage the organisation")
	shorten := f.Bool("shorten", false, "let a bucket forget what is older than the retention asked for")
	if err := parse(f, args[1:]); err != nil {
		return err
	}
	if *operator == "" {
		return wrongUse("nirapod influx setup: name the file of the operator's token with -operator-token")
	}
	cfg, err := app.Load(*file, nil)
	if err != nil {
		return err
	}
	done, err := app.SetUpInflux(ctx, cfg.Series, *operator, *shorten)
	for _, line := range done {
		_, printErr := fmt.Fprintln(std.out, line)
		err = errors.Join(err, printErr)
	}
	if err == nil && len(done) == 0 {
		_, err = fmt.Fprintln(std.out, "nothing to change")
	}
	return err
}
