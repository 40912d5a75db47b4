package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"nirapod/app"
	"nirapod/rules"
	"nirapod/rules/backtest"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/store"
)

const maxDays = 400

// backtestRules says what an edit of the rules would have raised and missed.
func backtestRules(ctx context.Context, args []string, std streams, log *slog.Logger) error {
	f := flags("rules backtest", std)
	file := f.String("c", "/etc/nirapod/nirapod.yaml", "the server's `FILE`: its rules_dir holds the present rules")
	dir := f.String("rules", "", "`DIR` of the edited packs; default: the shipped ones")
	factory := f.String("factory", "", "`ID` of the factory; not needed where there is one")
	days := f.Int("days", 7, "how many `DAYS` back")
	until := f.String("until", "", "`TIME` (RFC 3339) at which the days end; default: now")
	asJSON := f.Bool("json", false, "one JSON object instead of text")
	if err := parse(f, args); err != nil {
		return err
	}
	q, err := span(*days, *until)
	if err != nil {
		return err
	}
	cfg, err := app.Load(*file, nil)
	if err != nil {
		return err
	}
	if q.Present, err = cfg.Packs(); err != nil {
		return err
	}
	if q.Edit, err = loadPacks(*dir); err != nil {
		return err
	}
	report, err := askThePast(ctx, cfg, *factory, q, log)
	if err != nil {
		return err
	}
	if *asJSON {
		return report.WriteJSON(std.out)
	}
	return report.Write(std.out)
}

func span(days int, until string) (q backtest.Question, err error) {
	if days < 1 || days > maxDays {
		return q, wrongUse("nirapod rules backtest: -days %d: want 1 to %d", days, maxDays)
	}
	q.To = time.Now().UTC().Truncate(time.Millisecond)
	if until != "" {
		if q.To, err = time.Parse(time.RFC3339, until); err != nil {
			return q, wrongUse("nirapod rules backtest: -until %q: want a time such as 2026-11-22T06:00:00+06:00", until)
		}
	}
	q.From = q.To.AddDate(0, 0, -days)
	return q, nil
}

// askThePast fills q from state and series store and answers it.
func askThePast(ctx context.Context, cfg app.Config, factory string, q backtest.Question, log *slog.Logger) (report *backtest.Report, err error) {
	db, err := state.Open(ctx, cfg.DataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	site, err := siteOf(ctx, db, factory)
	if err != nil {
		return nil, err
	}
	q.Plant = rules.Plant{Factory: site.Factory.ID, Zones: site.Zones, Hazards: site.Hazards, Sensors: site.Sensors, Limits: site.Factory.Limits}
	if q.Told, err = db.RaisedBetween(ctx, site.Factory.ID, q.From, q.To); err != nil {
		return nil, err
	}
	if q.Permits, err = db.PermitsBetween(ctx, site.Factory.ID, q.From.Add(-safety.LongestPermit), q.To); err != nil {
		return nil, err
	}
	series, err := app.OpenSeries(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, series.Close()) }()
	q.Readings = func(ctx context.Context, from, to time.Time, yield func(safety.Reading) error) error {
		return series.Query(ctx, store.Query{Factory: site.Factory.ID, From: from, To: to}, func(s store.Sample) error { return yield(s.Reading) })
	}
	return backtest.Run(ctx, q)
}

func siteOf(ctx context.Context, db *state.DB, factory string) (safety.Site, error) {
	sites, err := db.Sites(ctx)
	if err != nil {
		return safety.Site{}, err
	}
	var ids []string
	for _, s := range sites {
		if s.Factory.ID == factory || factory == "" && len(sites) == 1 {
			return s, nil
		}
		ids = append(ids, s.Factory.ID)
	}
	if len(ids) == 0 {
		return safety.Site{}, fmt.Errorf("the registry has no site: start the server with its site file first: %w", safety.ErrInvalid)
	}
	return safety.Site{}, wrongUse("nirapod rules backtest: -factory %q: want one of %s", factory, strings.Join(ids, ", "))
}
