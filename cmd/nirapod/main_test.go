package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirapod/app/demo"
	"nirapod/safety"
)

// configure writes a server's file beside a site file and returns its name.
func configure(t *testing.T, site string) string {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "nirapod.yaml")
	text := "version: 1\nmode: demo\ndata_dir: " + dir + "/data\nsites: [site.yaml]\n"
	if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(site), 0o600)); err != nil {
		t.Fatal(err)
	}
	return name
}

func command(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	var out, errOut bytes.Buffer
	err := run(t.Context(), args, strings.NewReader(in), &out, &errOut)
	return out.String(), err
}

func TestCheckNamesAMissingLifeSafetyField(t *testing.T) {
	broken := strings.Replace(string(demo.Site), "    height_m:", "    # height_m:", 1)
	if broken == string(demo.Site) {
		t.Fatal("the demo's site file has changed: this test breaks nothing")
	}
	name := configure(t, broken)
	for _, args := range [][]string{{"check", "-c", name}, {"check", "-site", filepath.Join(filepath.Dir(name), "site.yaml")}} {
		_, err := command(t, "", args...)
		if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), "height_m") || !strings.Contains(err.Error(), "site.yaml:") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if out, err := command(t, "", "check", "-c", configure(t, string(demo.Site))); err != nil || !strings.Contains(out, "no mistakes") {
		t.Errorf("a whole site: %v\n%s", err, out)
	}
}

func TestCheckReadsTheFolderOfRules(t *testing.T) {
	smoke := `rules:
  - {name: smoke, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: smoke, when: value == 1, runs: [server], clause: the head's own}
`
	for _, c := range []struct{ name, rules, want string }{
		{"rules that fit", smoke, ""},
		{"a wrong condition", strings.Replace(smoke, "value == 1", "valeu == 1", 1), "site.yml:2:"},
		{"no rules", "", "rules_dir"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := configure(t, string(demo.Site))
			dir := filepath.Join(filepath.Dir(name), "rules")
			text, err := os.ReadFile(name)
			if err := errors.Join(err, os.Mkdir(dir, 0o700), os.WriteFile(name, append(text, "rules_dir: rules\n"...), 0o600)); err != nil {
				t.Fatal(err)
			}
			if c.rules != "" {
				if err := os.WriteFile(filepath.Join(dir, "site.yml"), []byte(c.rules), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err = command(t, "", "check", "-c", name)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestPeopleAndGateways(t *testing.T) {
	name := configure(t, string(demo.Site))
	add := []string{"user", "add", "-c", name, "-name", "rahima", "-role", "committee", "-factory", "padma"}
	if _, err := command(t, "short\n", add...); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("a short password: %v", err)
	}
	if _, err := command(t, "a long enough one\n", add...); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, "a long enough one\n", add...); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("the same name again: %v", err)
	}
	if out, err := command(t, "", "user", "list", "-c", name); err != nil || !strings.Contains(out, "rahima\tcommittee\tpadma") {
		t.Errorf("list: %v\n%s", err, out)
	}
	out, err := command(t, "", "gateway", "add", "-c", name, "-factory", "padma", "-gateway", "gw-1")
	if err != nil || !strings.Contains(out, "username padma/gw-1\npassword ") {
		t.Errorf("gateway: %v\n%s", err, out)
	}
	if _, err := command(t, "", "gateway", "add", "-c", name, "-factory", "padma", "-gateway", "gw-9"); !errors.Is(err, safety.ErrNotFound) {
		t.Errorf("a gateway that the site does not know: %v", err)
	}
}

func TestPermitsOnTheServersHost(t *testing.T) {
	name := configure(t, string(demo.Site))
	if _, err := command(t, "", "gateway", "add", "-c", name, "-factory", "padma", "-gateway", "gw-1"); err != nil { // imports the site
		t.Fatal(err)
	}
	open := func(with ...string) (string, error) {
		return command(t, "", append([]string{"permit", "open", "-c", name, "-factory", "padma", "-zone", "store", "-sensors", "store-smoke", "-work", "hot_work",
			"-for", "1h", "-issued-by", "Rahim", "-accepted-by", "Salma", "-watch", "Karim", "-reason", "welding a rail"}, with...)...)
	}
	for want, with := range map[string][]string{
		"want a duration": {"-for", "soon"}, "4h0m0s at most": {"-for", "5h"}, "two people": {"-accepted-by", "rahim"}, "is no work": {"-work", "cooking"},
		"leave it out": {"-sensors", "store-smoke,call-point-1"}, "site has none": {"-sensors", "ghost"},
	} {
		if out, err := open(with...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v %s, want %q", with, err, out, want)
		}
	}
	out, err := open()
	id, _, _ := strings.Cut(out, " ")
	if err != nil || !strings.Contains(out, "stands until") {
		t.Fatalf("%v %s", err, out)
	}
	if _, err := open(); !errors.Is(err, safety.ErrConflict) {
		t.Errorf("again: %v", err)
	}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"list"}, id + "\thot_work\tstore\t"},
		{[]string{"close", "-id", id}, "test store-smoke"},
		{[]string{"list"}, "over, test store-smoke"},
		{[]string{"tested", "-sensor", "store-smoke"}, "store-smoke is tested"},
	} {
		out, err := command(t, "", append([]string{"permit", step.args[0], "-c", name, "-factory", "padma"}, step.args[1:]...)...)
		if err != nil || !strings.Contains(out, step.want) {
			t.Errorf("%v: %v %q, want %q", step.args, err, out, step.want)
		}
	}
	if out, err := command(t, "", "permit", "list", "-c", name, "-factory", "padma"); err != nil || out != "" {
		t.Errorf("after the last test: %v %q", err, out)
	}
}

func TestWrongUseSaysWhatIsRight(t *testing.T) {
	for _, args := range [][]string{{}, {"fly"}, {"serve", "-x"}, {"check"}, {"user"}, {"user", "eat"}, {"gateway"}, {"permit"}, {"permit", "eat"}, {"check", "-site", "a", "b"}, {"serve", "-roles", "cook"}, {"influx"}, {"influx", "setup"}, {"influx", "setup", "-operator-token", "x", "y"}} {
		if _, err := command(t, "", args...); !errors.Is(err, safety.ErrInvalid) || strings.TrimSpace(err.Error()) == "" {
			t.Errorf("%v: %v", args, err)
		}
	}
}
