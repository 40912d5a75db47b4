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
	"slices"
	_ "time/tzdata" // a recording names its zone; the machine may not know it

	"nirapod/app"
	"nirapod/rules"
	"nirapod/rules/explain"
	"nirapod/rules/replay"
	"nirapod/rules/ruletest"
	"nirapod/safety"
)

const rulesUsage = "nirapod rules: want test FILES…, replay -map MAP.yaml DATA.csv…, backtest -c FILE -rules DIR or explain [NAME…]"

func ruleTools(ctx context.Context, args []string, std streams, log *slog.Logger) error {
	if len(args) == 0 {
		return wrongUse(rulesUsage)
	}
	switch args[0] {
	case "test":
		return testRules(args[1:], std)
	case "replay":
		return replayRules(args[1:], std)
	case "backtest":
		return backtestRules(ctx, args[1:], std, log)
	case "explain":
		return explainRules(args[1:], std)
	}
	return wrongUse("%s", rulesUsage)
}

var errCases = errors.New("cases failed")

// testRules runs files of cases against the packs that stand beside them.
func testRules(args []string, std streams) error {
	f := flags("rules test", std)
	if err := parseWithFiles(f, args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return wrongUse("nirapod rules test: want files of cases, such as fire_test.yml")
	}
	var failed error
	for _, name := range f.Args() {
		wrong, err := testFile(name)
		if err != nil {
			return err
		}
		if len(wrong) == 0 {
			fmt.Fprintf(std.out, "%s: SUCCESS\n", name)
			continue
		}
		failed = errCases
		fmt.Fprintf(std.out, "%s: FAILED\n", name)
		for _, text := range wrong {
			fmt.Fprintf(std.out, "  %s\n", text)
		}
	}
	return failed
}

func testFile(name string) ([]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, unreadable(err)
	}
	cases, err := ruletest.Parse(name, data)
	if err != nil {
		return nil, err
	}
	packs, err := rules.Load(os.DirFS(filepath.Dir(name)))
	if err != nil {
		return nil, err
	}
	for _, want := range append([]string{cases.Pack}, cases.Needs...) {
		if !slices.ContainsFunc(packs, func(p rules.Pack) bool { return p.Name == want }) {
			return nil, fmt.Errorf("%s: pack %q: there is no %s.yml beside it: %w", name, want, want, safety.ErrInvalid)
		}
	}
	return cases.Run(packs), nil
}

// loadPacks loads the packs of a directory, or the shipped ones for "".
func loadPacks(dir string) ([]rules.Pack, error) {
	if dir == "" {
		return rules.Load(rules.Shipped)
	}
	if _, err := fs.ReadDir(os.DirFS(dir), "."); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, unreadable(err))
	}
	packs, err := rules.Load(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return packs, nil
}

func replayRules(args []string, std streams) error {
	f := flags("rules replay", std)
	dir := f.String("rules", "", "`DIR` of packs; default: the shipped ones")
	name := f.String("map", "", "`FILE` that says what the columns are")
	if err := parseWithFiles(f, args); err != nil {
		return err
	}
	if *name == "" || f.NArg() == 0 {
		return wrongUse("nirapod rules replay: want -map MAP.yaml and files of data")
	}
	packs, err := loadPacks(*dir)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(*name)
	if err != nil {
		return unreadable(err)
	}
	m, err := replay.ParseMap(*name, data)
	if err != nil {
		return err
	}
	var sources []replay.Source
	for _, path := range f.Args() {
		open := func() (io.ReadCloser, error) {
			file, err := os.Open(path)
			return file, unreadable(err)
		}
		sources = append(sources, replay.Source{Name: path, Open: open})
	}
	sum, err := replay.Run(packs, m, sources, std.out, func(text string) { fmt.Fprintln(std.err, text) })
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%d readings, %d alarms, %d faults\n", sum.Readings, sum.Alarms, sum.Faults)
	return nil
}

// ownPacks returns packs with the values of a site file in place of theirs.
func ownPacks(packs []rules.Pack, name string) ([]rules.Pack, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	site, _, _, err := app.ReadSite(name, data, packs)
	if err != nil {
		return nil, err
	}
	packs, _ = rules.Own(packs, site.Factory.Limits, func(int, string, string) {}) // the mistakes were told
	return packs, nil
}

func explainRules(args []string, std streams) error {
	f := flags("rules explain", std)
	dir := f.String("rules", "", "`DIR` of packs; default: the shipped ones")
	name := f.String("site", "", "site `FILE` whose own values stand in place of the packs'")
	if err := parseWithFiles(f, args); err != nil {
		return err
	}
	packs, err := loadPacks(*dir)
	if err == nil && *name != "" {
		packs, err = ownPacks(packs, *name)
	}
	if err != nil {
		return err
	}
	return explain.Write(std.out, packs, f.Args())
}

// unreadable makes a file that cannot be read a mistake of who named it.
func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", err, safety.ErrInvalid)
}
