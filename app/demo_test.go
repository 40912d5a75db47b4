package app_test

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"nirapod/app"
	"nirapod/app/demo"
	agent "nirapod/gateway-agent"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state/sitefile"
)

// The box on the wall and the registry must mean the same sensors.
func TestDemoAgentAndSiteAgree(t *testing.T) {
	site, _, err := sitefile.Parse("site.yaml", demo.Site)
	if err != nil {
		t.Fatal(err)
	}
	box, err := agent.Parse("agent.yaml", demo.Agent)
	if err != nil {
		t.Fatal(err)
	}
	if box.Factory != demo.Factory || site.Factory.ID != demo.Factory || box.Gateway != demo.Gateway || site.Factory.Office.Value != demo.Office {
		t.Fatalf("factory %s %s, gateway %s, office %s", box.Factory, site.Factory.ID, box.Gateway, site.Factory.Office.Value)
	}
	type meaning struct {
		quantity   safety.Quantity
		grade      safety.Grade
		class      string
		zone       string
		lifeSafety bool
	}
	wired, known := map[string]meaning{}, map[string]meaning{}
	for _, s := range box.Sensors {
		wired[s.ID] = meaning{s.Quantity, s.Grade, s.Class, s.Zone, s.LifeSafety}
	}
	for _, s := range site.Sensors {
		known[s.ID] = meaning{s.Quantity, s.Grade, s.Class, s.Zone, s.LifeSafety}
	}
	for id, m := range wired {
		if known[id] != m {
			t.Errorf("%s is %+v at the gateway and %+v in the site", id, m, known[id])
		}
	}
	if len(wired) != len(known) {
		t.Errorf("%d sensors wired, %d in the site", len(wired), len(known))
	}
}

func TestDemoListensOnLoopbackOnly(t *testing.T) {
	for addr, allowed := range map[string]bool{
		"0.0.0.0:8080": false, ":8080": false, "192.168.1.5:8080": false, "example.org:80": false, "8080": false, "[::]:8080": false,
		"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true,
	} {
		o := app.DemoOptions{Addr: addr, Binaries: t.TempDir()}
		err := app.RunDemo(t.Context(), o, nil, io.Discard, slog.New(slog.DiscardHandler))
		if refused := errors.Is(err, safety.ErrInvalid); refused == allowed {
			t.Errorf("%s: %v", addr, err)
		}
		if allowed && !strings.Contains(err.Error(), "make build") {
			t.Errorf("without the agent beside it the demo must name the remedy: %v", err)
		}
	}
}

// Every rule has its words on the page, in both languages.
func TestPageHasWordsForEveryRule(t *testing.T) {
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{
		"gateway-offline", "gateway-refused", "broker-lost", "server-clock", "rules-unbound", "alert-skipped", "desk-refused",
		"gateway-fault/sounder", "gateway-fault/outputs", "gateway-fault/saved-states", "gateway-fault/spool", "gateway-fault/spool-open", "gateway-fault/uplink",
	}
	for _, p := range packs {
		for _, r := range p.Rules {
			names = append(names, r.Name)
		}
	}
	for _, language := range []string{"bn", "en"} {
		text, err := os.ReadFile("../dashboard/web/src/messages/" + language + ".ts")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !strings.Contains(string(text), "'"+name+"':") && !strings.Contains(string(text), " "+name+":") {
				t.Errorf("%s.ts has no words for rule %s", language, name)
			}
		}
	}
}
