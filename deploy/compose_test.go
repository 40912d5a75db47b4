// Package deploy_test holds what an operator copies against what the programs
// read, listen on and write.
package deploy_test

import (
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"nirapod/app"
	"nirapod/internal/mosquitto"
)

const (
	composeFile = "../docker-compose.yml"
	demoEnv     = "demo/demo.env"
)

// stack loads the compose file as `docker compose` does, with the variables of
// the given files.
func stack(t *testing.T, envFiles ...string) *types.Project {
	t.Helper()
	logrus.SetOutput(io.Discard) // compose-go's
	o, err := cli.NewProjectOptions([]string{composeFile}, cli.WithWorkingDirectory(".."),
		cli.WithEnvFiles(envFiles...), cli.WithDotEnv, cli.WithDefaultProfiles())
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// line is a command: words, then flags with a value each.
type line struct {
	words []string
	flags map[string]string
}

func lineOf(command []string) line {
	l := line{flags: map[string]string{}}
	for i := 0; i < len(command); i++ {
		if name, isFlag := strings.CutPrefix(command[i], "-"); isFlag && i+1 < len(command) {
			i++
			l.flags[name] = command[i]
			continue
		}
		l.words = append(l.words, command[i])
	}
	return l
}

func (l line) is(words ...string) bool { return slices.Equal(l.words, words) }

// places are the paths in a container that a mount, config or secret puts
// there, each with what it comes from.
func places(p *types.Project, s types.ServiceConfig) map[string]string {
	found := map[string]string{}
	for _, v := range s.Volumes {
		found[v.Target] = "volume " + v.Source
	}
	for _, c := range s.Configs {
		found[c.Target] = p.Configs[c.Source].File
	}
	for _, c := range s.Secrets {
		found["/run/secrets/"+c.Source] = p.Secrets[c.Source].File
	}
	return found
}

// read puts the files of a service under a folder as its container sees them,
// and loads the server's for roles.
func read(t *testing.T, p *types.Project, s types.ServiceConfig, roles app.Roles) app.Config {
	t.Helper()
	root := t.TempDir()
	for target, source := range places(p, s) {
		text, err := os.ReadFile(source)
		if err != nil {
			continue // a volume, or the operator's
		}
		to := filepath.Join(root, target)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := app.Load(filepath.Join(root, lineOf(s.Command).flags["c"]), roles)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	for i, site := range cfg.Sites {
		cfg.Sites[i] = strings.TrimPrefix(site, root)
	}
	return cfg
}

// servers are the services that serve roles of nirapod, by name.
func servers(t *testing.T, p *types.Project) map[string]app.Roles {
	t.Helper()
	found := map[string]app.Roles{}
	for name, s := range p.Services {
		if l := lineOf(s.Command); s.Image == "nirapod:local" && l.is("serve") {
			roles, err := app.ParseRoles(l.flags["roles"])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			found[name] = roles
		}
	}
	return found
}

func withRole(t *testing.T, p *types.Project, role app.Role) string {
	t.Helper()
	for name, roles := range servers(t, p) {
		if roles[role] {
			return name
		}
	}
	t.Fatalf("no service has the role %s", role)
	return ""
}

// eachStack runs a test on the production and the demo stack.
func eachStack(t *testing.T, run func(t *testing.T, p *types.Project)) {
	t.Run("production", func(t *testing.T) { run(t, stack(t)) })
	t.Run("demo", func(t *testing.T) { run(t, stack(t, demoEnv)) })
}

func TestRolesAreSplitAndTheirFilesLoad(t *testing.T) {
	eachStack(t, func(t *testing.T, p *types.Project) {
		count := map[app.Role]int{}
		var first *app.Config
		for name, roles := range servers(t, p) {
			s := p.Services[name]
			cfg := read(t, p, s, roles)
			if first == nil {
				first = &cfg
			}
			at := places(p, s)
			if at[cfg.DataDir] != "volume state" || cfg.DataDir != first.DataDir {
				t.Errorf("%s keeps its data in %s, which is %q", name, cfg.DataDir, at[cfg.DataDir])
			}
			if dir := cfg.Broker.Mosquitto.Dir; at[dir] != "volume mosquitto-users" {
				t.Errorf("%s writes Mosquitto's files to %s, which is %q", name, dir, at[dir])
			}
			for _, site := range cfg.Sites {
				if at[site] == "" {
					t.Errorf("%s: site file %s is not there", name, site)
				}
			}
			if filepath.Dir(cfg.Series.TokenFile) != cfg.DataDir {
				t.Errorf("%s: token file %s is not kept in %s", name, cfg.Series.TokenFile, cfg.DataDir)
			}
			for role := range roles {
				count[role]++
			}
		}
		if want := map[app.Role]int{app.RoleIngest: 1, app.RoleAlerts: 1, app.RoleDashboard: 1, app.RoleDesk: 1}; !maps.Equal(count, want) {
			t.Errorf("roles %v, want %v", count, want)
		}
	})
}

// What one program names another listens on, and both are on one network.
func TestAddressesMeet(t *testing.T) {
	eachStack(t, func(t *testing.T, p *types.Project) {
		ingest, desk, page := withRole(t, p, app.RoleIngest), withRole(t, p, app.RoleDesk), withRole(t, p, app.RoleDashboard)
		cfg := read(t, p, p.Services[ingest], servers(t, p)[ingest])
		meet := func(from, address, to, listens string) {
			t.Helper()
			u, err := url.Parse(address)
			if err != nil || u.Hostname() != to || u.Port() != listens {
				t.Errorf("%s names %s; %s listens on %s", from, address, to, listens)
			}
			if !shareNetwork(p, from, to) {
				t.Errorf("%s and %s share no network", from, to)
			}
		}
		meet(ingest, cfg.Broker.URL, "mosquitto", serverDoor.Port)
		meet(withRole(t, p, app.RoleAlerts), cfg.Broker.URL, "mosquitto", serverDoor.Port)
		meet(page, cfg.Broker.URL, "mosquitto", serverDoor.Port)
		meet(withRole(t, p, app.RoleAlerts), cfg.Desk.URL, desk, port(t, cfg.Desk.Listen))
		meet(page, cfg.Desk.URL, desk, port(t, cfg.Desk.Listen))
		meet(ingest, cfg.Series.URL, "influxdb", "8086")
		meet(page, cfg.Series.URL, "influxdb", "8086")
		meet("influx-setup", cfg.Series.URL, "influxdb", "8086")

		published := map[string][]string{}
		for name, s := range p.Services {
			for _, at := range s.Ports {
				published[name] = append(published[name], at.HostIP+":"+at.Published+"->"+itoa(at.Target))
			}
		}
		want := map[string][]string{
			page:        {"127.0.0.1:8080->" + port(t, cfg.HTTP.Listen)},
			"mosquitto": {":" + gatewaysDoor.Port + "->" + gatewaysDoor.Port},
		}
		if !maps.EqualFunc(published, want, slices.Equal) {
			t.Errorf("published %v, want %v", published, want)
		}
		if !p.Networks["inside"].Internal {
			t.Error("the network of the server's door and of InfluxDB leads out")
		}
	})
}

func shareNetwork(p *types.Project, a, b string) bool {
	for network := range p.Services[a].Networks {
		if _, both := p.Services[b].Networks[network]; both {
			return true
		}
	}
	return false
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

var (
	gatewaysDoor = mosquitto.Listener{Host: "0.0.0.0", Port: "8883", Cert: "/run/secrets/mqtt-cert", Key: "/run/secrets/mqtt-key"}
	serverDoor   = mosquitto.Listener{Host: "0.0.0.0", Port: "1884"}
)

// Mosquitto gets the configuration that the tests of both brokers run it with,
// and the files that `nirapod gateway add` writes.
func TestMosquittoReadsWhatNirapodWrites(t *testing.T) {
	eachStack(t, func(t *testing.T, p *types.Project) {
		s := p.Services["mosquitto"]
		ingest := withRole(t, p, app.RoleIngest)
		cfg := read(t, p, p.Services[ingest], servers(t, p)[ingest])
		at := places(p, s)
		conf := lineOf(s.Command).flags["c"]
		text, err := os.ReadFile(at[conf])
		if err != nil {
			t.Fatalf("%s: %v", conf, err)
		}
		want := mosquitto.Conf{Dir: cfg.Broker.Mosquitto.Dir, Gateways: gatewaysDoor, Server: serverDoor}.String()
		if _, body, _ := strings.Cut(string(text), "\n\n"); body != want {
			t.Errorf("%s: want, after its heading,\n%s", at[conf], want)
		}
		if at[cfg.Broker.Mosquitto.Dir] != "volume mosquitto-users" || at[gatewaysDoor.Cert] == "" || at[gatewaysDoor.Key] == "" {
			t.Errorf("Mosquitto sees %v", at)
		}
		for _, v := range s.Volumes {
			if !v.ReadOnly {
				t.Errorf("Mosquitto may write %s", v.Target)
			}
		}
		_, group, _ := strings.Cut(s.User, ":")
		made := strings.Join(of(dockerfile(t), "build", "RUN"), "\n")
		if !slices.Equal(p.Services[ingest].GroupAdd, []string{group}) || !strings.Contains(made, "-m 2750 -o 65532 -g "+group+" /folders/mosquitto") {
			t.Errorf("Mosquitto runs as %s; ingest is in %v, and the folder is made by %s", s.User, p.Services[ingest].GroupAdd, made)
		}
		if probe := s.HealthCheck.Test; probe[len(probe)-1] != gatewaysDoor.Port {
			t.Errorf("health is asked with %v", probe)
		}
	})
}

func TestInfluxIsSetUpForTheServer(t *testing.T) {
	eachStack(t, func(t *testing.T, p *types.Project) {
		setup, db := p.Services["influx-setup"], p.Services["influxdb"]
		l := lineOf(setup.Command)
		if !l.is("influx", "setup") {
			t.Fatalf("the command is %v", setup.Command)
		}
		cfg := read(t, p, setup, nil)
		env := map[string]string{}
		for name, value := range db.Environment {
			env[name] = *value
		}
		token := env["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE"]
		if l.flags["operator-token"] != token || places(p, setup)[token] == "" || places(p, setup)[token] != places(p, db)[token] {
			t.Errorf("the operator's token is %s for InfluxDB and %s for nirapod", token, l.flags["operator-token"])
		}
		if places(p, db)[env["DOCKER_INFLUXDB_INIT_PASSWORD_FILE"]] == "" {
			t.Error("the operator's password is no secret")
		}
		if env["DOCKER_INFLUXDB_INIT_ORG"] != cfg.Series.Org || cfg.Series.Kind != app.Influx {
			t.Errorf("organisation %q, series %+v", env["DOCKER_INFLUXDB_INIT_ORG"], cfg.Series)
		}
		// The first bucket is made with another retention than the plan's.
		if b := env["DOCKER_INFLUXDB_INIT_BUCKET"]; b == cfg.Series.Bucket || b == cfg.Series.MinutesBucket {
			t.Errorf("the image makes bucket %q itself", b)
		}
		if at := places(p, setup)[cfg.DataDir]; at != "volume state" {
			t.Errorf("the token goes to %s, which is %q", cfg.Series.TokenFile, at)
		}
		ingest := p.Services[withRole(t, p, app.RoleIngest)]
		if ingest.DependsOn["influx-setup"].Condition != types.ServiceConditionCompletedSuccessfully || setup.DependsOn["influxdb"].Condition != types.ServiceConditionHealthy {
			t.Error("ingest may start before its token is there")
		}
	})
}

func TestHealthIsAskedWhereItIsAnswered(t *testing.T) {
	eachStack(t, func(t *testing.T, p *types.Project) {
		for name := range servers(t, p) {
			s := p.Services[name]
			watch := lineOf(s.Command).flags["watch"]
			want := []string{"CMD", entrypoint(t, s.Build.Target), "ready", "-watch", watch}
			if watch == "" || !slices.Equal(s.HealthCheck.Test, want) {
				t.Errorf("%s: health is asked with %v, want %v", name, s.HealthCheck.Test, want)
			}
			if time.Duration(*s.HealthCheck.StartPeriod) < time.Minute {
				t.Errorf("%s: ill after %v, while it still waits a minute for InfluxDB", name, s.HealthCheck.StartPeriod)
			}
		}
	})
}
