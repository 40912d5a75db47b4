package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/app"
	"nirapod/app/demo"
	sim "nirapod/firmware-sim"
	agent "nirapod/gateway-agent"
	"nirapod/internal/freeport"
	"nirapod/internal/password"
	"nirapod/state"
)

const userPassword = "end to end password"

// plant is a whole system on fixed loopback ports, so that each process can be
// killed and come back to where the others look for it.
type plant struct {
	t                           *testing.T
	dir                         string
	sim, agent, broker, server  *process
	influx                      *process // nil with the embedded series store
	desk                        *process // nil unless it runs apart
	simAddr                     string
	gatewayDoor, serverDoor     string // of the broker
	httpAddr, deskAddr, journal string
	outside                     *outside // nil = the embedded broker and store
}

// plantOptions are what the tests vary.
type plantOptions struct {
	scenario  string
	simArgs   []string
	agentVia  func(broker string) string // where the agent finds the broker
	ingestVia func(broker string) string // where the server finds it
	block     time.Duration              // of the series store, for compaction
	env       []string                   // of the server
	outside   bool                       // Mosquitto and InfluxDB for the embedded broker and store
	deskApart bool                       // the desk in a process of its own, not started
}

func newPlant(t *testing.T, o plantOptions) *plant {
	t.Helper()
	if testing.Short() {
		t.Skip("end-to-end tests do not run with -short")
	}
	p := &plant{t: t, dir: t.TempDir()}
	p.simAddr, p.gatewayDoor, p.httpAddr, p.deskAddr = freeport.Address(t), freeport.Address(t), freeport.Address(t), freeport.Address(t)
	p.serverDoor = p.gatewayDoor
	p.journal = filepath.Join(p.dir, "journal")
	if o.outside {
		p.startOutside()
	}
	same := func(address string) string { return address }
	if o.agentVia == nil {
		o.agentVia = same
	}
	if o.ingestVia == nil {
		o.ingestVia = same
	}
	if o.block == 0 {
		o.block = 2 * time.Hour
	}
	p.writeServerFiles(o)
	p.people()
	p.writeAgentFile(o.agentVia(p.gatewayDoor))
	p.sim = spawn(t, p.dir, "sim", "firmware-sim", nil, append([]string{"-scenario", o.scenario, "-listen", p.simAddr}, o.simArgs...)...)
	p.agent = spawn(t, p.dir, "agent", "gateway-agent", []string{"NIRAPOD_JOURNAL=" + p.journal}, "run", "-c", p.file("agent.yaml"))
	if p.broker == nil {
		p.broker = spawn(t, p.dir, "broker", "nirapod", nil, "serve", "-c", p.file("broker.yaml"), "-roles", "broker")
	}
	roles := "ingest,alerts,dashboard,desk"
	if o.deskApart {
		roles = "ingest,alerts,dashboard"
		p.desk = spawn(t, p.dir, "desk", "nirapod", nil, "serve", "-c", p.file("server.yaml"), "-roles", "desk")
	}
	p.server = spawn(t, p.dir, "server", "nirapod", o.env, "serve", "-c", p.file("server.yaml"), "-roles", roles)
	return p
}

func (p *plant) file(name string) string { return filepath.Join(p.dir, name) }

func (p *plant) write(name string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(p.file(name), data, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plant) writeServerFiles(o plantOptions) {
	p.t.Helper()
	p.write("site.yaml", demo.Site)
	for _, part := range []struct{ file, url string }{{"broker.yaml", ""}, {"server.yaml", "tcp://" + o.ingestVia(p.serverDoor)}} {
		cfg := app.Defaults()
		cfg.Version, cfg.Mode, cfg.DataDir, cfg.Sites = 1, app.Demo, p.file("data"), []string{p.file("site.yaml")}
		cfg.Broker = app.BrokerConfig{Listen: p.gatewayDoor, URL: part.url}
		cfg.HTTP = app.HTTPConfig{Listen: p.httpAddr}
		cfg.Desk.Listen = p.deskAddr
		if o.deskApart {
			cfg.Desk.URL = "http://" + p.deskAddr
		}
		cfg.Series.Block = o.block
		if p.outside != nil {
			p.outside.configure(&cfg)
		}
		text, err := yaml.Marshal(cfg)
		if err != nil {
			p.t.Fatal(err)
		}
		p.write(part.file, text)
	}
}

// people makes the registry and a committee's login.
func (p *plant) people() {
	p.t.Helper()
	ctx := p.t.Context()
	db, err := state.Open(ctx, p.file("data"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	if err := app.ImportSites(ctx, db, app.Config{Mode: app.Demo, Sites: []string{p.file("site.yaml")}}); err != nil {
		p.t.Fatal(err)
	}
	committee := state.User{Name: "committee", Role: state.Committee, Factory: demo.Factory, Language: "bn", PasswordHash: password.Hash(userPassword)}
	if _, err := db.CreateUser(ctx, committee); err != nil {
		p.t.Fatal(err)
	}
}

// addGateway asks the program for the gateway's password, as an installer does.
func (p *plant) addGateway() string {
	p.t.Helper()
	out, err := exec.Command(filepath.Join(bin, "nirapod"), "gateway", "add", "-c", p.file("server.yaml"), "-factory", demo.Factory, "-gateway", demo.Gateway).Output()
	_, word, ok := strings.Cut(string(out), "\npassword ")
	if err != nil || !ok {
		p.t.Fatalf("gateway add: %v\n%s", err, out)
	}
	return strings.TrimSpace(word)
}

func (p *plant) writeAgentFile(broker string) {
	p.t.Helper()
	cfg := agent.Defaults()
	if err := yaml.Unmarshal(demo.Agent, &cfg); err != nil {
		p.t.Fatal(err)
	}
	p.write("gateway.password", []byte(p.addGateway()))
	cfg.DataDir, cfg.Broker.URL, cfg.Broker.PasswordFile = p.file("agent"), "tcp://"+broker, p.file("gateway.password")
	for name, bus := range cfg.Buses {
		_, path, _ := strings.Cut(strings.TrimPrefix(bus.Open, "sim://"), "/")
		cfg.Buses[name] = agent.Bus{Open: "sim://" + p.simAddr + "/" + path}
	}
	text, err := yaml.Marshal(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("agent.yaml", text)
}

// world is the control channel of the simulator.
func (p *plant) world() *sim.Client {
	p.t.Helper()
	w, err := sim.DialWorld(p.simAddr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { w.Close() })
	return w
}

// eventually waits until check returns nil.
func eventually(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	var err error
	for time.Now().Before(deadline) {
		if err = check(); err == nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("%s: not within %v: %v", what, limit, err)
}

var errNotYet = fmt.Errorf("not yet")
