package app

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"nirapod/internal/yamlfile"
	"nirapod/rules"
)

// Mode says whether real people depend on this server.
type Mode string

// The modes. Production refuses whatever is simulated.
const (
	Production Mode = "production"
	Demo       Mode = "demo"
)

// Config is the server's file. nirapod.yaml, beside this package, explains
// each key.
type Config struct {
	Version int          `yaml:"version"` // of the schema: 1
	Mode    Mode         `yaml:"mode"`
	DataDir string       `yaml:"data_dir"`
	Sites   []string     `yaml:"sites"`     // site files, relative to this file
	Rules   string       `yaml:"rules_dir"` // folder of packs, relative to this file; "" = the shipped ones
	Broker  BrokerConfig `yaml:"broker"`
	HTTP    HTTPConfig   `yaml:"http"`
	Desk    DeskConfig   `yaml:"desk"`
	Series  SeriesConfig `yaml:"series"`

	Receivers ReceiversConfig `yaml:"receivers"`
}

// BrokerConfig says where the embedded broker listens and how the other roles
// reach it.
type BrokerConfig struct {
	Listen   string `yaml:"listen"`
	URL      string `yaml:"url"`      // "" = the broker of this process
	CertFile string `yaml:"tls_cert"` // with KeyFile: gateways connect by TLS only
	KeyFile  string `yaml:"tls_key"`
	CAFile   string `yaml:"tls_ca"` // whose certificates the other roles accept; "" = the system's

	Mosquitto MosquittoConfig `yaml:"mosquitto"`
}

// HTTPConfig says where people reach the page.
type HTTPConfig struct {
	Listen string `yaml:"listen"`
	Secure bool   `yaml:"https_only"` // behind a TLS proxy: cookies are marked secure
}

// DeskConfig says where the inspectorate's side listens and how it is reached.
type DeskConfig struct {
	Listen    string `yaml:"listen"`
	URL       string `yaml:"url"`        // "" = the desk of this process
	TokenFile string `yaml:"token_file"` // "" = made in the data directory
	// OfficersTokenFile opens the desk to the officers' pages of this server,
	// which read for one office at a time. "" = made in the data directory.
	OfficersTokenFile string `yaml:"officers_token_file"`
}

// Defaults returns what holds for keys that a file leaves out.
func Defaults() Config {
	return Config{
		Mode:   Production,
		Broker: BrokerConfig{Listen: "127.0.0.1:1883"},
		HTTP:   HTTPConfig{Listen: "127.0.0.1:8080", Secure: true},
		Desk:   DeskConfig{Listen: "127.0.0.1:8090"},
		Series: SeriesConfig{Kind: TSDB, Block: 2 * time.Hour},
	}
}

// DefaultRoles is the whole server in one process, but for a broker that is not
// ours.
func (cfg Config) DefaultRoles() Roles {
	roles := AllRoles()
	if cfg.Broker.Mosquitto.Dir != "" {
		delete(roles, RoleBroker)
	}
	return roles
}

// Load reads and checks a file for roles; nil means DefaultRoles. All mistakes
// come at once, with file and line, wrapping safety.ErrInvalid.
func Load(name string, roles Roles) (Config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return Config{}, err
	}
	cfg := Defaults()
	file, err := yamlfile.Parse(name, data, &cfg)
	if roles == nil {
		roles = cfg.DefaultRoles()
	}
	if err := yamlfile.Join(err, cfg.check(file, roles)); err != nil {
		return Config{}, err
	}
	beside := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(filepath.Dir(name), *path)
		}
	}
	for i := range cfg.Sites {
		beside(&cfg.Sites[i])
	}
	beside(&cfg.Rules)
	return cfg, nil
}

// Packs returns the rules of cfg: those of its folder in place of the shipped
// ones. The mistakes of all files come at once.
func (cfg Config) Packs() ([]rules.Pack, error) {
	if cfg.Rules == "" {
		return rules.Load(rules.Shipped)
	}
	packs, err := rules.Load(os.DirFS(cfg.Rules))
	if err != nil {
		return nil, fmt.Errorf("rules_dir %s: %w", cfg.Rules, err)
	}
	return packs, nil
}

// check returns everything that is wrong with the meaning of cfg.
func (cfg Config) check(f *yamlfile.File, roles Roles) error {
	var wrong []error
	mistake := func(path, format string, args ...any) { wrong = append(wrong, f.Errorf(path, format, args...)) }
	if cfg.Version != 1 {
		mistake("version", "is %d; this program reads version 1", cfg.Version)
	}
	if cfg.Mode != Production && cfg.Mode != Demo {
		mistake("mode", "%q: want production or demo", cfg.Mode)
	}
	if cfg.DataDir == "" {
		mistake("data_dir", "is missing: name the directory that holds everything to be kept")
	}
	if len(cfg.Sites) == 0 {
		mistake("sites", "is missing: name at least one site file")
	}
	for path, address := range map[string]string{"broker.listen": cfg.Broker.Listen, "http.listen": cfg.HTTP.Listen, "desk.listen": cfg.Desk.Listen} {
		if _, _, err := net.SplitHostPort(address); err != nil {
			mistake(path, "%q: want host:port", address)
		}
	}
	if (cfg.Broker.CertFile == "") != (cfg.Broker.KeyFile == "") {
		mistake("broker.tls_cert", "certificate and key belong together: name both or neither")
	}
	if host, _, err := net.SplitHostPort(cfg.Broker.Listen); err == nil && roles[RoleBroker] && cfg.Mode == Production && cfg.Broker.CertFile == "" && !isLoopback(host) {
		mistake("broker.listen", "%q is reached from other machines: passwords and alarms would go in clear; name tls_cert and tls_key", cfg.Broker.Listen)
	}
	if cfg.Broker.URL == "" && !roles[RoleBroker] && roles.needBroker() {
		mistake("broker.url", "is missing: the broker is not among the roles of this process (%s)", roles)
	}
	if cfg.Desk.URL == "" && !roles[RoleDesk] && roles[RoleAlerts] {
		mistake("desk.url", "is missing: the desk is not among the roles of this process (%s)", roles)
	}
	for path, address := range map[string]string{"broker.url": cfg.Broker.URL, "desk.url": cfg.Desk.URL} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "") {
			mistake(path, "%q: want scheme://host:port", address)
		}
	}
	cfg.Broker.Mosquitto.check(cfg, roles, mistake)
	cfg.Series.check(mistake)
	cfg.Receivers.check(mistake)
	return yamlfile.Join(append(wrong, roles.check(cfg.Series.Kind)...)...)
}
