package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirapod/app/demo"
	"nirapod/internal/broker/brokertest"
	"nirapod/internal/mosquittotest"
	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

// configureMosquitto writes the file of a server with two factories whose
// broker is m.
func configureMosquitto(t *testing.T, m *mosquittotest.Server) string {
	t.Helper()
	dir := t.TempDir()
	padma := strings.Replace(string(demo.Site), "gateways:\n", `gateways:
  - {id: gw-2, floor: f1, place: {bn: দেয়াল, en: Wall}}
  - {id: gw-10, floor: f1, place: {bn: দেয়াল, en: Wall}}
`, 1)
	lotus := strings.Replace(string(demo.Site), "  id: padma\n", "  id: lotus\n", 1)
	text := "version: 1\nmode: demo\ndata_dir: " + dir + "/data\nsites: [padma.yaml, lotus.yaml]\n" +
		"broker:\n  url: tcp://" + m.Server + "\n  mosquitto: {dir: " + m.Dir + ", pid_file: " + m.PIDFile + "}\n"
	for name, text := range map[string]string{"padma.yaml": padma, "lotus.yaml": lotus, "nirapod.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "nirapod.yaml")
}

// gatewayPassword runs gateway add, and returns what a person reads there.
func gatewayPassword(t *testing.T, file, factory, id string) string {
	t.Helper()
	out, err := command(t, "", "gateway", "add", "-c", file, "-factory", factory, "-gateway", id)
	_, word, ok := strings.Cut(out, "\npassword ")
	if err != nil || !ok {
		t.Fatalf("gateway add: %v\n%s", err, out)
	}
	return strings.TrimSpace(word)
}

// The command writes Mosquitto's files, Mosquitto reads them as its own user,
// and each gateway can do what it may and no more.
func TestGatewaysOfMosquitto(t *testing.T) {
	m := mosquittotest.New(t)
	file := configureMosquitto(t, m)
	passwords := map[string]string{}
	for user := range brokertest.Users() {
		if factory, id, ok := strings.Cut(user, "/"); ok {
			passwords[user] = gatewayPassword(t, file, factory, id)
		}
	}
	secret, err := os.ReadFile(filepath.Join(filepath.Dir(file), "data", "server.secret"))
	if err != nil {
		t.Fatal(err)
	}
	passwords[wire.ServerUser] = strings.TrimSpace(string(secret))
	spy := m.AddDoor(brokertest.Spy, brokertest.Password(brokertest.Spy), brokertest.Users()[brokertest.Spy])
	m.Restart()
	brokertest.Run(t, brokertest.URLs{
		Gateways: "tcp://" + m.Gateways, Server: "tcp://" + m.Server, Spy: "tcp://" + spy, Passwords: passwords,
	})

	connect := func(user, word string, down func(error)) *brokertest.Client {
		return brokertest.Connect(t, "tcp://"+m.Gateways, user, nil, func(c *mqttconn.Config) { c.Password, c.OnDown = word, down })
	}
	old := connect("padma/gw-1", passwords["padma/gw-1"], nil).AwaitOnline(t)
	other := connect("padma/gw-2", passwords["padma/gw-2"], func(err error) { t.Errorf("another gateway lost its connection: %v", err) }).AwaitOnline(t)
	word := gatewayPassword(t, file, "padma", "gw-1")
	brokertest.Await(t, "the old password to be shut out", func() bool { return !old.Online() })
	staysOut(t, old)
	old.Stop()
	again := connect("padma/gw-1", word, nil).AwaitOnline(t)
	if _, err := command(t, "", "gateway", "remove", "-c", file, "-factory", "padma", "-gateway", "gw-1"); err != nil {
		t.Fatal(err)
	}
	brokertest.Await(t, "the removed gateway to be shut out", func() bool { return !again.Online() })
	staysOut(t, again)
	other.Stop()
}

// staysOut fails the test if c gets in at one of its next attempts.
func staysOut(t *testing.T, c *brokertest.Client) {
	t.Helper()
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if c.Online() {
			t.Fatal("got in")
		}
	}
}
