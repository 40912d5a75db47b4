package bench

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/app"
	"nirapod/internal/broker"
	"nirapod/internal/influxtest"
	"nirapod/internal/password"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/state/sitefile"
	"nirapod/wire"
)

const (
	people     = "committee"
	peopleWord = "benchmark password"
	secret     = "a secret of the server's roles only" // at the broker
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
	p := &plant{t: t, dir: t.TempDir(), http: freePort(t)}
	gateways, roles := freePort(t), ""
	p.url = "tcp://" + gateways
	cfg := app.Defaults()
	cfg.Version, cfg.DataDir, cfg.Sites, cfg.Rules = 1, p.file("data"), []string{p.file("site.yaml")}, o.rules
	cfg.HTTP, cfg.Desk.Listen, cfg.Broker.Listen = app.HTTPConfig{Listen: p.http}, freePort(t), gateways
	if o.influx {
		p.influx = influxtest.Start(t)
		cfg.Series.Kind, cfg.Series.URL, cfg.Series.Bucket, cfg.Series.Org = app.Influx, p.influx.URL, influxtest.Bucket(influxtest.Database), "bench"
	}
	p.write("site.yaml", export(t, s))
	p.register(cfg)
	if !o.embedded {
		cfg.Broker.URL = p.mosquitto(gateways)
		roles = "ingest,alerts,dashboard,desk"
	}
	text, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.write("nirapod.yaml", text)
	args := []string{"serve", "-c", p.file("nirapod.yaml")}
	if roles != "" {
		args = append(args, "-roles", roles)
	}
	program := filepath.Join(bin, "nirapod")
	if *server != "" {
		program = *server
	}
	p.server = start(t, p.dir, "server", program, serverEnv(), args...)
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
	if err := os.WriteFile(filepath.Join(cfg.DataDir, "server.secret"), []byte(secret), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// mosquitto starts the broker with the door that the embedded one has, and
// returns its address for the server.
func (p *plant) mosquitto(gateways string) (url string) {
	p.t.Helper()
	program := tool(p.t, "mosquitto", "/usr/sbin/mosquitto")
	server := freePort(p.t)
	var words, access strings.Builder
	add := func(to *strings.Builder, user, word string, perms []wire.Permission) {
		line, err := broker.MosquittoPassword(user, word)
		if err != nil {
			p.t.Fatal(err)
		}
		to.WriteString(line)
		access.WriteString(broker.MosquittoACL(user, perms))
	}
	for g, word := range p.passwords {
		add(&words, wire.GatewayUser(factory, gatewayID(g)), word, wire.GatewayACL(factory, gatewayID(g)))
	}
	p.write("gateways.passwords", []byte(words.String()))
	words.Reset()
	add(&words, wire.ServerUser, secret, wire.ServerACL())
	p.write("server.passwords", []byte(words.String()))
	p.write("acl", []byte(access.String()))
	door := func(address, passwords string) broker.MosquittoListener {
		host, port, _ := net.SplitHostPort(address)
		return broker.MosquittoListener{Host: host, Port: port, Passwords: p.file(passwords)}
	}
	p.write("mosquitto.conf", []byte("user root\n"+broker.MosquittoConf{
		Gateways: door(gateways, "gateways.passwords"), Server: door(server, "server.passwords"), ACL: p.file("acl"),
	}.String()))
	start(p.t, p.dir, "mosquitto", program, nil, "-c", p.file("mosquitto.conf"))
	return "tcp://" + server
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

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// published says one figure for machines and people.
func published(name string, value float64, unit string) {
	fmt.Printf("bench %s %.3f %s\n", name, value, unit)
}
