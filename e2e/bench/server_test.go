package bench

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/app"
	"nirapod/internal/freeport"
	"nirapod/internal/influxtest"
	"nirapod/internal/mosquittotest"
	"nirapod/internal/password"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/state/sitefile"
)

const (
	people     = "committee"
	peopleWord = "benchmark password"
)

// plant is a server with its files, and the broker that its gateways use.
type plant struct {
	t         *testing.T
	dir       string
	site      safety.Site // as the server reads it
	server    *process
	influx    *influxtest.Server // nil = the embedded series store
	http      string
	url       string   // of the broker, for gateways
	passwords []string // of the gateways
}

// options are what runs vary.
type options struct {
	embedded bool   // the server's own broker, else Mosquitto
	influx   bool   // InfluxDB, else the embedded series store
	rules    string // folder, "" = the shipped rules
}

func newPlant(t *testing.T, s safety.Site, o options) *plant {
	t.Helper()
	p := &plant{t: t, dir: t.TempDir(), http: freeport.Address(t)}
	cfg := app.Defaults()
	cfg.Version, cfg.DataDir, cfg.Sites, cfg.Rules = 1, p.file("data"), []string{p.file("site.yaml")}, o.rules
	cfg.HTTP, cfg.Desk.Listen, cfg.Broker.Listen = app.HTTPConfig{Listen: p.http}, freeport.Address(t), freeport.Address(t)
	if o.influx {
		p.influx = influxtest.Start(t)
		cfg.Series.Kind, cfg.Series.URL, cfg.Series.Bucket, cfg.Series.Org = app.Influx, p.influx.URL, influxtest.Bucket(influxtest.Database), "bench"
	}
	p.write("site.yaml", export(t, s))
	roles := "ingest,alerts,dashboard,desk"
	if o.embedded {
		roles, p.url = "broker,"+roles, "tcp://"+cfg.Broker.Listen
		p.register(cfg)
	} else {
		outside := mosquittotest.New(t)
		cfg.Broker.URL, p.url = "tcp://"+outside.Server, "tcp://"+outside.Gateways
		cfg.Broker.Mosquitto = app.MosquittoConfig{Dir: outside.Dir, PIDFile: outside.PIDFile}
		p.register(cfg)
		outside.Restart()
	}
	text, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.write("nirapod.yaml", text)
	program := filepath.Join(bin, "nirapod")
	if *server != "" {
		program = *server
	}
	p.server = start(t, p.dir, "server", program, serverEnv(), "serve", "-c", p.file("nirapod.yaml"), "-roles", roles)
	p.ready()
	return p
}

func (p *plant) file(name string) string { return filepath.Join(p.dir, name) }

func (p *plant) write(name string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(p.file(name), data, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func export(t *testing.T, s safety.Site) []byte {
	t.Helper()
	text, err := sitefile.Export(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// register makes the registry, the gateways' passwords and a person's login.
func (p *plant) register(cfg app.Config) {
	p.t.Helper()
	ctx := p.t.Context()
	db, err := state.Open(ctx, cfg.DataDir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	if err := app.ImportSites(ctx, db, cfg); err != nil {
		p.t.Fatal(err)
	}
	if p.site, err = db.Site(ctx, factory); err != nil {
		p.t.Fatal(err)
	}
	for _, g := range p.site.Gateways {
		word, err := app.AddGateway(ctx, db, factory, g.ID)
		if err != nil {
			p.t.Fatal(err)
		}
		p.passwords = append(p.passwords, word)
	}
	u := state.User{Name: people, Role: state.Committee, Factory: factory, Language: "bn", PasswordHash: password.Hash(peopleWord)}
	if _, err := db.CreateUser(ctx, u); err != nil {
		p.t.Fatal(err)
	}
	if _, err := app.KeepMosquitto(ctx, db, cfg); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plant) ready() {
	p.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline) && p.server.alive(); time.Sleep(100 * time.Millisecond) {
		got, err := http.Get("http://" + p.http + "/readyz")
		if err != nil {
			continue
		}
		got.Body.Close()
		if got.StatusCode == http.StatusOK {
			return
		}
	}
	p.t.Fatal("the server does not get ready")
}

// published says one figure for machines and people.
func published(name string, value float64, unit string) {
	fmt.Printf("bench %s %.3f %s\n", name, value, unit)
}
