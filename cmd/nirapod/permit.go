package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nirapod/app"
	"nirapod/permit"
	"nirapod/safety"
	"nirapod/state"
)

// permits opens, closes and lists permits to work on the server's host, for when
// there is no browser. Who is logged in there is the server's administrator.
func permits(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 {
		return wrongUse("nirapod permit: want open, close, tested or list")
	}
	switch args[0] {
	case "open":
		return openPermit(ctx, args[1:], std)
	case "close":
		return closePermit(ctx, args[1:], std)
	case "tested":
		return sensorTested(ctx, args[1:], std)
	case "list":
		return listPermits(ctx, args[1:], std)
	}
	return wrongUse("nirapod permit %s: want open, close, tested or list", args[0])
}

const console = "console" // in the place of a login

func openPermit(ctx context.Context, args []string, std streams) error {
	var factory, work, sensors, length string
	var r permit.Request
	cfg, _, err := configured("permit open", std, args, func(set func(*string, string, string)) {
		set(&factory, "factory", "`ID` of the factory")
		set(&r.Zone, "zone", "`ID` of the zone")
		set(&sensors, "sensors", "comma-separated `IDS` of sensors of the zone")
		set(&work, "work", "`WORK`: hot_work, fumigation, blow_down or painting")
		set(&length, "for", "`DURATION`, at most 4h; it ends with the shift")
		set(&r.IssuedBy, "issued-by", "`NAME` of who issues it")
		set(&r.AcceptedBy, "accepted-by", "`NAME` of who accepts it: another person")
		set(&r.Watch, "watch", "`NAME` of who keeps the fire watch")
		set(&r.Reason, "reason", "`TEXT`: what is done, and where")
	})
	if err != nil {
		return err
	}
	span, err := time.ParseDuration(length)
	if err != nil {
		return fmt.Errorf("-for %q: want a duration such as 90m: %w", length, safety.ErrInvalid)
	}
	now := time.Now()
	r.Work, r.Until = safety.Work(work), now.Add(span)
	for id := range strings.SplitSeq(sensors, ",") {
		if id = strings.TrimSpace(id); id != "" {
			r.Sensors = append(r.Sensors, id)
		}
	}
	return withOffice(ctx, cfg, func(_ *state.DB, o *permit.Office) error {
		p, err := o.Open(ctx, factory, console, r, now)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s stands until %s\n", p.ID, localTime(p.Until))
		return nil
	})
}

func closePermit(ctx context.Context, args []string, std streams) error {
	var factory, id string
	cfg, _, err := configured("permit close", std, args, func(set func(*string, string, string)) {
		set(&factory, "factory", "`ID` of the factory")
		set(&id, "id", "`ID` of the permit, as permit list says")
	})
	if err != nil {
		return err
	}
	return withOffice(ctx, cfg, func(_ *state.DB, o *permit.Office) error {
		p, err := o.End(ctx, factory, id, console, time.Now())
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s is over: test %s\n", p.ID, strings.Join(p.Untested(), ", "))
		return nil
	})
}

func sensorTested(ctx context.Context, args []string, std streams) error {
	var factory, sensor string
	cfg, _, err := configured("permit tested", std, args, func(set func(*string, string, string)) {
		set(&factory, "factory", "`ID` of the factory")
		set(&sensor, "sensor", "`ID` of the sensor that was tested after its permit")
	})
	if err != nil {
		return err
	}
	return withOffice(ctx, cfg, func(_ *state.DB, o *permit.Office) error {
		if _, err := o.Tested(ctx, factory, sensor, console, time.Now()); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s is tested\n", sensor)
		return nil
	})
}

func listPermits(ctx context.Context, args []string, std streams) error {
	var factory string
	cfg, _, err := configured("permit list", std, args, func(set func(*string, string, string)) {
		set(&factory, "factory", "`ID` of the factory")
	})
	if err != nil {
		return err
	}
	return withOffice(ctx, cfg, func(db *state.DB, _ *permit.Office) error {
		now := time.Now()
		records, err := db.PermitsSince(ctx, factory, now)
		for _, r := range records {
			how := "over, test " + strings.Join(r.Untested(), ", ")
			if r.Stands(now) {
				how = "stands, " + strings.Join(r.Sensors, ", ")
			}
			fmt.Fprintf(std.out, "%s\t%s\t%s\tuntil %s\t%s / %s, watch %s\t%s\n",
				r.ID, r.Work, r.Zone, localTime(r.End()), r.IssuedBy, r.AcceptedBy, r.Watch, how)
		}
		return err
	})
}

func localTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

func withOffice(ctx context.Context, cfg app.Config, do func(*state.DB, *permit.Office) error) error {
	packs, err := cfg.Packs()
	if err != nil {
		return err
	}
	return withState(ctx, cfg, func(db *state.DB) error { return do(db, permit.NewOffice(db, packs)) })
}
