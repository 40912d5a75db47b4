package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/app/demo"
	"nirapod/internal/mosquitto"
	"nirapod/internal/password"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

// demoPassword is the only password that Nirapod ships, and only the demo, on
// loopback, with a factory that does not exist, takes it.
const demoPassword = "demo"

// DemoOptions are the flags of `nirapod demo`.
type DemoOptions struct {
	Addr     string // of the page, loopback only
	Scenario string
	Data     string // "" = a fresh directory, removed at the end
	Binaries string // directory of gateway-agent and firmware-sim
}

// RunDemo runs the whole of Nirapod on loopback: the server in this process,
// the shipped agent and the simulator as they are, in their own. It returns
// nil when ctx ends.
func RunDemo(ctx context.Context, o DemoOptions, page fs.FS, out io.Writer, log *slog.Logger) error {
	if err := loopback(o.Addr); err != nil {
		return err
	}
	for _, name := range []string{agentBinary, simBinary} {
		if _, err := os.Stat(filepath.Join(o.Binaries, name)); err != nil {
			return fmt.Errorf("%s is not beside this program: run `make build` (%w)", name, err)
		}
	}
	dir, remove, err := demoDir(o.Data)
	if err != nil {
		return err
	}
	defer remove()
	site := filepath.Join(dir, "site.yaml")
	if err := os.WriteFile(site, demo.SiteOn(time.Now()), 0o600); err != nil {
		return err
	}
	server, err := New(ctx, demoConfig(o.Addr, dir, site), AllRoles(), page, log)
	if err != nil {
		return err
	}
	gatewayPassword, err := demoPeople(ctx, server.db)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	factory := &children{binaries: o.Binaries, dir: dir, log: filepath.Join(dir, "children.log")}
	g, within := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Run(within) })
	g.Go(func() error { return factory.run(within, o.Scenario, server.Addresses().Broker, gatewayPassword) })
	fmt.Fprintf(out, demoBanner, server.Addresses().HTTP, o.Scenario, story(o.Scenario), dir)
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

const demoBanner = `
Nirapod demo: Padma Garments (demo), a factory that does not exist.

  page       http://%s
  log in     committee / demo    the factory's safety committee
             officer / demo      DIFE duty officer, office gazipur
             installer / demo    who put the box on the wall

  scenario   %s
             %s
  data       %s

Everything is simulated and says so. Nirapod supplements a listed fire panel
and does not replace it. Ctrl-C ends the demo.

`

func story(scenario string) string {
	switch scenario {
	case "smoulder":
		return `after about 45 s smoke in the store sounds the staff alert; after about 75 s
             heat of another sensor confirms it: evacuation, and a notice to DIFE's desk`
	case "gas-leak":
		return `after about 65 s carbon monoxide in the boiler room: first stage; after about 125 s
             the second; after 4 min the transmitter itself fails, and the alarm stands`
	case "blackout":
		return `after 30 s the supply of the sensors fails for a minute: faults, and no alarm`
	case "boiler":
		return `after about 95 s the boiler is above its rated pressure: burner and safety valve stick`
	case "locked-exit":
		return `after about 40 s the locked roof door is an alarm, after about 70 s the main door`
	case "overcrowding":
		return `after about 2 min more people are counted on the sewing floor than its space is for`
	}
	return "see firmware-sim/scenarios"
}

func demoConfig(addr, dir, site string) Config {
	cfg := Defaults()
	cfg.Version, cfg.Mode, cfg.DataDir, cfg.Sites = 1, Demo, dir, []string{site}
	cfg.HTTP = HTTPConfig{Listen: addr}
	cfg.Broker.Listen, cfg.Desk.Listen = "127.0.0.1:0", "127.0.0.1:0"
	return cfg
}

// loopback refuses an address that others could reach: the demo's passwords
// are known to everybody.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("address %q: want host:port: %w", addr, safety.ErrInvalid)
	}
	if !isLoopback(host) {
		return fmt.Errorf("address %q: the demo's passwords are public, so it listens on loopback only: %w", addr, safety.ErrInvalid)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// demoDir returns the directory of the demo and what to call at its end.
func demoDir(data string) (dir string, remove func(), err error) {
	if data != "" {
		return data, func() {}, os.MkdirAll(data, 0o700)
	}
	dir, err = os.MkdirTemp("", "nirapod-demo-")
	return dir, func() { os.RemoveAll(dir) }, err
}

// demoPeople makes the three users and the gateway's credential, and returns
// the gateway's password.
func demoPeople(ctx context.Context, db *state.DB) (string, error) {
	hash := password.Hash(demoPassword)
	for _, u := range []state.User{
		{Name: "committee", Role: state.Committee, Factory: demo.Factory, Language: "bn"},
		{Name: "officer", Role: state.Officer, Office: demo.Office, Language: "bn"},
		{Name: "installer", Role: state.Installer, Factory: demo.Factory, Language: "bn"},
	} {
		u.PasswordHash = hash
		if _, err := db.CreateUser(ctx, u); err != nil && !errors.Is(err, safety.ErrConflict) {
			return "", err
		}
	}
	return AddGateway(ctx, db, demo.Factory, demo.Gateway)
}

// AddGateway gives a gateway of the registry a new password, which replaces
// any earlier one, and returns it.
func AddGateway(ctx context.Context, db *state.DB, factory, gateway string) (string, error) {
	site, err := db.Site(ctx, factory)
	if err != nil {
		return "", err
	}
	for _, g := range site.Gateways {
		if g.ID != gateway {
			continue
		}
		word := newPassword()
		return word, db.SetGatewayCredential(ctx, state.GatewayCredential{
			Username: wire.GatewayUser(factory, gateway), Factory: factory, Gateway: gateway,
			Hash: password.Hash(word), Mosquitto: mosquitto.Hash(word),
		})
	}
	return "", fmt.Errorf("gateway %q is not in the site file of %s: %w", gateway, factory, safety.ErrNotFound)
}

// childGrace is what the agent and the simulator have to end by themselves.
const childGrace = 2 * time.Second
