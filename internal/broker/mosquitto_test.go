package broker_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nirapod/internal/broker"
	"nirapod/internal/broker/brokertest"
	"nirapod/wire"
)

func TestMosquitto(t *testing.T) {
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		if os.Getenv("NIRAPOD_REQUIRE") == "all" {
			t.Fatal("mosquitto is not installed")
		}
		t.Skip("mosquitto is not installed")
	}
	dir := t.TempDir()
	conf := broker.MosquittoConf{
		Gateways: broker.MosquittoListener{Host: "127.0.0.1", Port: freePort(t), Passwords: filepath.Join(dir, "gateways")},
		Server:   broker.MosquittoListener{Host: "127.0.0.1", Port: freePort(t), Passwords: filepath.Join(dir, "server")},
		ACL:      filepath.Join(dir, "acl"),
	}
	writeUsers(t, conf)
	file := filepath.Join(dir, "mosquitto.conf")
	text := "user root\n" + conf.String() // root, so that it reads the test's files
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-c", file)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed
		if t.Failed() {
			t.Log(out.String())
		}
	})
	brokertest.Run(t, brokertest.URLs{
		Gateways: "tcp://127.0.0.1:" + conf.Gateways.Port,
		Server:   "tcp://127.0.0.1:" + conf.Server.Port,
	})
}

func writeUsers(t *testing.T, conf broker.MosquittoConf) {
	files := map[string]string{}
	for user, perms := range brokertest.Users() {
		line, err := broker.MosquittoPassword(user, brokertest.Password(user))
		if err != nil {
			t.Fatal(err)
		}
		door := conf.Gateways.Passwords
		if user == wire.ServerUser || user == brokertest.Spy {
			door = conf.Server.Passwords
		}
		files[door] += line
		files[conf.ACL] += broker.MosquittoACL(user, perms) + "\n"
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
