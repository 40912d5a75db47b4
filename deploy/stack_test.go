package deploy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"nirapod/app/demo"
	"nirapod/internal/freeport"
	"nirapod/internal/influxtest"
	"nirapod/internal/installed"
	"nirapod/store"
	"nirapod/store/influxstore"
)

// host is a machine that plays the containers of the demo stack: each service
// runs the command of the compose file, with the paths of its mounts under one
// folder, names of services as loopback, and a free port for each of theirs.
// Mosquitto is real; InfluxDB is 1.8, which takes the place of 2 for all but
// its setup.
type host struct {
	t     *testing.T
	p     *types.Project
	dir   string
	bin   string
	ports map[string]string // by what the files say
}

func TestTheStackStartsAndKeepsReadings(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the whole stack")
	}
	mosquitto := installed.Program(t, "mosquitto", "mosquitto", "/usr/sbin/mosquitto")
	influx := influxtest.StartClosed(t)
	h := &host{t: t, p: stack(t, demoEnv), dir: t.TempDir(), ports: map[string]string{
		"http://influxdb:8086": influx.URL,
		"bucket: nirapod\n":    "bucket: " + influxtest.Bucket(influxtest.Database) + "\n",
	}}
	h.build()
	for _, port := range []string{"8080", "8090", "8883", "1884", "7762"} {
		h.ports[":"+port] = strings.TrimPrefix(freeport.Address(t), "127.0.0.1")
		h.ports["listener "+port+" 0.0.0.0"] = "listener " + strings.TrimPrefix(h.ports[":"+port], ":") + " 127.0.0.1"
	}
	h.places()
	h.put("/var/lib/nirapod/influx.token", influx.Token) // what influx-setup would do
	h.certificate("/run/secrets/mqtt-cert", "/run/secrets/mqtt-key", "/run/secrets/mqtt-ca")
	h.put("/run/secrets/gateway-password", h.addGateway())

	h.start("sim", h.command("sim"))
	for _, name := range []string{"ingest", "alerts", "dashboard", "desk"} {
		h.start(name, h.command(name))
	}
	h.start("mosquitto", h.mosquitto(mosquitto))
	h.start("agent", h.command("agent"))
	for _, name := range []string{"ingest", "alerts", "dashboard", "desk"} {
		h.eventually(name+" is healthy", func() error { return h.healthy(name) })
	}
	h.eventually("the page answers where it is published", func() error {
		answer, err := http.Get("http://" + h.translate("dashboard", "127.0.0.1:8080") + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				err = errors.New(answer.Status)
			}
		}
		return err
	})
	h.eventually("a reading is in InfluxDB", func() error { return h.kept(influx) })
}

func (h *host) build() {
	h.t.Helper()
	h.bin = filepath.Join(h.dir, "bin") + "/"
	build := exec.CommandContext(h.t.Context(), "go", "build", "-trimpath", "-o", h.bin, "nirapod/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		h.t.Fatalf("build: %v\n%s", err, out)
	}
}

// path is where a path of a container lies here.
func (h *host) path(inside string) string { return filepath.Join(h.dir, "root", inside) }

func (h *host) put(inside, text string) {
	h.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(h.path(inside)), 0o700), os.WriteFile(h.path(inside), []byte(text), 0o600)); err != nil {
		h.t.Fatal(err)
	}
}

// places makes the folders of the volumes and the files of the configs.
func (h *host) places() {
	h.t.Helper()
	for _, s := range h.p.Services {
		for target, source := range places(h.p, s) {
			if s.Name != "influxdb" && strings.HasPrefix(source, "volume ") {
				if err := os.MkdirAll(h.path(target), 0o700); err != nil {
					h.t.Fatal(err)
				}
			} else if text, err := os.ReadFile(source); err == nil {
				h.put(target, h.translate("", string(text)))
			}
		}
	}
}

// translate puts this machine's places into a text of a service.
func (h *host) translate(service, text string) string {
	for _, root := range []string{"/etc/nirapod/", "/var/lib/", "/run/secrets/"} {
		text = strings.ReplaceAll(text, root, h.path(root)+"/")
	}
	for _, name := range slices.Sorted(maps.Keys(h.ports)) {
		text = strings.ReplaceAll(text, name, h.ports[name])
	}
	if strings.Contains(text, ":9100") { // each container has its own
		if h.ports[service] == "" {
			h.ports[service] = strings.TrimPrefix(freeport.Address(h.t), "127.0.0.1:")
		}
		text = strings.ReplaceAll(text, ":9100", ":"+h.ports[service])
	}
	for _, name := range []string{"0.0.0.0", "//mosquitto", "//desk", "//sim"} {
		host := "127.0.0.1"
		if strings.HasPrefix(name, "//") {
			host = "//" + host
		}
		text = strings.ReplaceAll(text, name+":", host+":")
	}
	return text
}

// command is the entry point of a service's image with its arguments.
func (h *host) command(name string) []string {
	h.t.Helper()
	s := h.p.Services[name]
	return append([]string{h.bin + filepath.Base(entrypoint(h.t, s.Build.Target))}, h.args(name, s.Command)...)
}

func (h *host) args(name string, words []string) (args []string) {
	for _, word := range words {
		args = append(args, h.translate(name, word))
	}
	return args
}

func (h *host) mosquitto(program string) []string {
	h.t.Helper()
	conf := h.path("/mosquitto/config/mosquitto.conf")
	text, err := os.ReadFile(conf)
	if err != nil {
		h.t.Fatal(err)
	}
	// It is given its user by the container; here it must not take another.
	if err := os.WriteFile(conf, append([]byte("user root\n"), text...), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.eventually("ingest has written Mosquitto's files", func() error {
		_, err := os.Stat(h.path("/var/lib/nirapod-mosquitto/server.passwd"))
		return err
	})
	return []string{program, "-c", conf}
}

// addGateway is `docker compose run --rm ingest gateway add …`.
func (h *host) addGateway() (password string) {
	h.t.Helper()
	add := exec.CommandContext(h.t.Context(), h.bin+"nirapod", "gateway", "add", "-c", h.path("/etc/nirapod/nirapod.yaml"), "-factory", demo.Factory, "-gateway", demo.Gateway)
	var said strings.Builder
	add.Stderr = &said
	out, err := add.Output()
	_, password, found := strings.Cut(string(out), "\npassword ")
	if err != nil || !found {
		h.t.Fatalf("gateway add: %v\n%s%s", err, out, said.String())
	}
	return password
}

func (h *host) start(name string, command []string) {
	h.t.Helper()
	log, err := os.Create(filepath.Join(h.dir, name+".log"))
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		if !kill.Stop() {
			h.t.Errorf("%s did not end when asked", name)
		}
		log.Close()
		if text, readErr := os.ReadFile(log.Name()); readErr == nil && h.t.Failed() {
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			h.t.Logf("%s (%v) said last:\n%s", name, err, strings.Join(lines[max(0, len(lines)-15):], "\n"))
		}
	})
}

// healthy runs the health check of a service.
func (h *host) healthy(name string) error {
	probe := h.args(name, h.p.Services[name].HealthCheck.Test[2:])
	out, err := exec.CommandContext(h.t.Context(), h.bin+"nirapod", probe...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return err
}

var errNothingYet = errors.New("nothing yet")

func (h *host) kept(influx *influxtest.Server) error {
	series, err := influxstore.Open(h.t.Context(), influxstore.Options{
		URL: influx.URL, Token: influx.Token, Bucket: influxtest.Bucket(influxtest.Database),
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer series.Close()
	found := errNothingYet
	now := time.Now()
	err = series.Query(h.t.Context(), store.Query{Factory: demo.Factory, From: now.Add(-time.Hour), To: now.Add(time.Minute)}, func(s store.Sample) error {
		if s.Gateway != demo.Gateway || s.Flags == 0 {
			return fmt.Errorf("a reading of %s with flags %v", s.Gateway, s.Flags)
		}
		found = nil
		return io.EOF
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return found
}

func (h *host) eventually(what string, check func() error) {
	h.t.Helper()
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	h.t.Fatalf("%s: not within two minutes: %v", what, err)
}

// certificate makes one for loopback that vouches for itself.
func (h *host) certificate(cert, key, ca string) {
	h.t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mosquitto"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, secret.Public(), secret)
	if err != nil {
		h.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		h.t.Fatal(err)
	}
	public := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	h.put(cert, public)
	h.put(ca, public)
	h.put(key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}
