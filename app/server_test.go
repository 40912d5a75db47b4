package app_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"nirapod/app"
	"nirapod/app/demo"
	"nirapod/safety"
)

// certificate writes a certificate for 127.0.0.1 that is its own authority.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", public), write("key.pem", "PRIVATE KEY", secret)
}

// The whole server in one process, its broker behind TLS: the roles reach it,
// nobody does in clear, and everything ends when it is told to.
func TestServerWithBrokerBehindTLS(t *testing.T) {
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	if err := os.WriteFile(site, demo.Site, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := app.Defaults()
	cfg.Version, cfg.Mode, cfg.DataDir, cfg.Sites = 1, app.Demo, filepath.Join(dir, "data"), []string{site}
	cfg.Broker.Listen, cfg.HTTP.Listen, cfg.Desk.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.Broker.CertFile, cfg.Broker.KeyFile = certificate(t, dir)
	cfg.Broker.CAFile = cfg.Broker.CertFile
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}
	server, err := app.New(t.Context(), cfg, app.AllRoles(), page, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	at := server.Addresses()
	waitReady(t, "http://"+at.HTTP+"/readyz")

	if conn, err := tls.Dial("tcp", at.Broker, nil); err == nil {
		conn.Close()
		t.Error("a stranger's system roots accept a certificate of our own")
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the server did not end in 5 s")
	}
}

func waitReady(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get(url)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v %v", answer, err)
		}
	}
}

// A configuration that cannot work leaves nothing open behind it.
func TestNothingStartsWhenOnePartCannot(t *testing.T) {
	dir := t.TempDir()
	site := filepath.Join(dir, "site.yaml")
	if err := os.WriteFile(site, demo.Site, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := app.Defaults()
	cfg.Version, cfg.Mode, cfg.DataDir, cfg.Sites = 1, app.Demo, filepath.Join(dir, "data"), []string{site}
	cfg.Broker.Listen, cfg.Desk.Listen, cfg.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0", taken.Addr().String()
	for range 2 { // the second finds every lock of the first released
		if _, err := app.New(t.Context(), cfg, app.AllRoles(), fstest.MapFS{}, slog.New(slog.DiscardHandler)); err == nil {
			t.Fatal("two servers on one address")
		}
	}
	cfg.HTTP.Listen, cfg.Mode = "127.0.0.1:0", app.Production
	if _, err := app.New(t.Context(), cfg, app.AllRoles(), fstest.MapFS{}, slog.New(slog.DiscardHandler)); err == nil {
		t.Errorf("production takes a demonstration: %v", safety.ErrInvalid)
	}
}
