package deploy_test

import (
	"flag"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"nirapod/app"
	"nirapod/app/demo"
	sim "nirapod/firmware-sim"
	agent "nirapod/gateway-agent"
)

var update = flag.Bool("update", false, "write the agent's file of the demo anew")

func TestProductionHasNothingSimulated(t *testing.T) {
	p := stack(t)
	for name := range p.Services {
		if name == "agent" || name == "sim" {
			t.Errorf("%s runs in production", name)
		}
	}
	ingest := withRole(t, p, app.RoleIngest)
	if cfg := read(t, p, p.Services[ingest], servers(t, p)[ingest]); cfg.Mode != app.Production || !cfg.HTTP.Secure {
		t.Errorf("production runs in mode %s, cookies secure %v", cfg.Mode, cfg.HTTP.Secure)
	}
	// But for that both files say the same.
	d := stack(t, demoEnv)
	a, b := read(t, p, p.Services[ingest], nil), read(t, d, d.Services[ingest], nil)
	if b.Mode != app.Demo {
		t.Errorf("the demo runs in mode %s", b.Mode)
	}
	a.Mode, a.HTTP.Secure = b.Mode, b.HTTP.Secure
	if !reflect.DeepEqual(a, b) {
		t.Errorf("production %+v\ndemo       %+v", a, b)
	}
}

// The agent of the demo is that of `nirapod demo` in other places.
func TestAgentReachesBrokerAndSimulator(t *testing.T) {
	p := stack(t, demoEnv)
	s, simulator := p.Services["agent"], p.Services["sim"]
	at, l := places(p, s), lineOf(s.Command)
	if !l.is("run") {
		t.Fatalf("the command is %v", s.Command)
	}
	text, err := os.ReadFile(at[l.flags["c"]])
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := agent.Parse(l.flags["c"], text)
	if err != nil {
		t.Fatal(err)
	}
	if at[cfg.DataDir] != "volume spool" || at[cfg.Broker.PasswordFile] == "" || at[cfg.Broker.CAFile] == "" {
		t.Errorf("the agent reads and writes %s, %s and %s and has %v", cfg.DataDir, cfg.Broker.PasswordFile, cfg.Broker.CAFile, at)
	}
	if cfg.Broker.URL != "tls://mosquitto:"+gatewaysDoor.Port || !shareNetwork(p, "agent", "mosquitto") || !shareNetwork(p, "agent", "sim") {
		t.Errorf("the agent reports to %s", cfg.Broker.URL)
	}
	from := lineOf(simulator.Command)
	if _, known := from.flags["scenario"]; !known || !slices.Contains(sim.Names(), from.flags["scenario"]) {
		t.Errorf("scenario %q", from.flags["scenario"])
	}
	for name, bus := range cfg.Buses {
		u, err := url.Parse(bus.Open)
		if err != nil || u.Host != "sim:"+port(t, from.flags["listen"]) {
			t.Errorf("bus %s is %s; the simulator listens on %s: %v", name, bus.Open, from.flags["listen"], err)
		}
	}
	_, original, _ := strings.Cut(string(demo.Agent), "version:")
	want := demoHeading + "version:" + strings.NewReplacer(
		"data_dir: data/gw-1\n", "data_dir: "+cfg.DataDir+"\n",
		"tcp://127.0.0.1:1883", cfg.Broker.URL,
		"password_file: data/gw-1/broker.password\n", "password_file: "+cfg.Broker.PasswordFile+"\n  ca_file: "+cfg.Broker.CAFile+"\n",
		"sim://127.0.0.1:7762/", "sim://sim:7762/").Replace(original)
	if *update {
		if err := os.WriteFile(at[l.flags["c"]], []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(text) != want {
		t.Error("the agent of the demo has changed: go test ./deploy -update")
	}
}

const demoHeading = `# The demo's gateway in a container, wired to the simulator beside it. But for
# its places it is app/demo/agent.yaml.
`
