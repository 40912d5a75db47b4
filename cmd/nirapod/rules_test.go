package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirapod/safety"
)

// files writes files by name into a new directory and returns it.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	lightRule = `rules:
  - {name: dark, hazard: system, class: info, severity: info, scope: sensor, quantity: light, when: "value < enough", runs: server, clause: c,
     limits: {enough: {value: 100, unit: lx, source: s, clause: c, confidence: chosen}}}
`
	lightCases = `pack: light
cases:
  - name: dark below 100 lx
    sensors: {l: {quantity: light}}
    series: {l: "100 99"}
    want: ["1s dark l inactive>firing system/info/info/industrial"]
`
	lightMap = "time: {column: t}\ncolumns: {v: {sensor: l, zone: Z, quantity: light, unit: lx}}\n"
)

func TestRulesReplayTestAndExplain(t *testing.T) {
	dir := files(t, map[string]string{
		"light.yml": lightRule, "light_test.yml": lightCases, "map.yaml": lightMap, "d.csv": "t,v\n0,500\n1,5\n",
		"failing_test.yml": strings.Replace(lightCases, "want: [", "want: [other, ", 1),
		"lost_test.yml":    strings.Replace(lightCases, "pack: light", "pack: lux", 1),
		"broken_test.yml":  "pack: [",
		"wrong.csv":        "t,v\n0,500\nx,5\n",
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	replay := func(args ...string) []string { return append([]string{"rules", "replay"}, args...) }
	for _, c := range []struct {
		name string
		args []string
		want string // in the output
		err  error
	}{
		{"replay", replay("-rules", dir, "-map", in("map.yaml"), in("d.csv")), `"t":1,"pack":"light","rule":"dark"`, nil},
		{"the shipped packs", replay("-map", in("map.yaml"), in("d.csv")), `{"summary":true,"readings":2,"alarms":0,"faults":0}`, nil},
		{"what was read before a mistake", replay("-rules", dir, "-map", in("map.yaml"), in("wrong.csv")), "", safety.ErrInvalid},
		{"no map", replay("-rules", dir, in("d.csv")), "", safety.ErrInvalid},
		{"no data", replay("-rules", dir, "-map", in("map.yaml")), "", safety.ErrInvalid},
		{"no such map", replay("-rules", dir, "-map", in("mop.yaml"), in("d.csv")), "", safety.ErrInvalid},
		{"no such data", replay("-rules", dir, "-map", in("map.yaml"), in("e.csv")), "", safety.ErrInvalid},
		{"a directory for data", replay("-rules", dir, "-map", in("map.yaml"), dir), "", safety.ErrInvalid},
		{"no such rules", replay("-rules", in("none"), "-map", in("map.yaml"), in("d.csv")), "", safety.ErrInvalid},
		{"no flag", replay("-rulez", dir), "", safety.ErrInvalid},
		{"help", replay("-h"), "", flag.ErrHelp},
		{"cases that hold", []string{"rules", "test", in("light_test.yml")}, "light_test.yml: SUCCESS", nil},
		{"cases that fail", []string{"rules", "test", in("light_test.yml"), in("failing_test.yml")}, "dark below 100 lx: missing:    other", errCases},
		{"cases of no pack", []string{"rules", "test", in("lost_test.yml")}, "", safety.ErrInvalid},
		{"no cases", []string{"rules", "test", in("broken_test.yml")}, "", safety.ErrInvalid},
		{"no file of cases", []string{"rules", "test"}, "", safety.ErrInvalid},
		{"explain a pack", []string{"rules", "explain", "-rules", dir, "light"}, "enough (100 lx)", nil},
		{"explain all that is shipped", []string{"rules", "explain"}, "sensor-blind", nil},
		{"explain nothing", []string{"rules", "explain", "nothing"}, "", safety.ErrInvalid},
		{"no tool", []string{"rules"}, "", safety.ErrInvalid},
		{"another tool", []string{"rules", "guess"}, "", safety.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := command(t, "", c.args...)
			if !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if !strings.Contains(out, c.want) {
				t.Errorf("got %q\nwant %q in it", out, c.want)
			}
		})
	}
}

// Wrong rules are told with their place, and standard output stays empty.
func TestReplayRefusesWrongRules(t *testing.T) {
	dir := files(t, map[string]string{"light.yml": strings.Replace(lightRule, "unit: lx", "unit: ppm", 1), "map.yaml": lightMap, "d.csv": "t,v\n0,500\n"})
	var out, errOut bytes.Buffer
	err := run(t.Context(), []string{"rules", "replay", "-rules", dir, "-map", filepath.Join(dir, "map.yaml"), filepath.Join(dir, "d.csv")}, nil, &out, &errOut)
	if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), "light.yml:2:") || out.Len() > 0 {
		t.Errorf("%v\n%s", err, &out)
	}
}
