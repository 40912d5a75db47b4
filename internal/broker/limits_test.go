package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nirapod/internal/broker"
	"nirapod/internal/broker/brokertest"
	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

func TestTLS(t *testing.T) {
	cert, roots := selfSigned(t)
	addr, _ := start(t, broker.Config{TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}})
	topic := wire.BirthTopic("padma", "gw-1").String()
	server := brokertest.Connect(t, "tls://"+addr, wire.ServerUser, wire.ServerFilters(), func(c *mqttconn.Config) {
		c.TLS = &tls.Config{RootCAs: roots}
	})
	gw := brokertest.Connect(t, "tls://"+addr, "padma/gw-1", nil, func(c *mqttconn.Config) { c.TLS = &tls.Config{RootCAs: roots} })
	server.AwaitOnline(t)
	gw.Send(t, topic, "over TLS", false)
	server.AwaitHeard(t, topic+" over TLS")
	for name, url := range map[string]string{"a certificate that nobody vouches for": "tls://" + addr, "no TLS": "tcp://" + addr} {
		inside := make(chan struct{}, 1)
		brokertest.Connect(t, url, "padma/gw-2", nil, func(c *mqttconn.Config) { c.OnConnect = func() { inside <- struct{}{} } })
		select {
		case <-inside:
			t.Errorf("%s: connected", name)
		case <-time.After(500 * time.Millisecond): // two attempts
		}
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// The largest pack goes through; a larger message costs its sender the
// connection, not others theirs.
func TestTheLargestPackGoesThrough(t *testing.T) {
	addr, _ := start(t, broker.Config{})
	url := "tcp://" + addr
	server := brokertest.Connect(t, url, wire.ServerUser, wire.ServerFilters(), nil).AwaitOnline(t)
	var downs atomic.Int32
	gw := brokertest.Connect(t, url, "padma/gw-1", nil, func(c *mqttconn.Config) { c.OnDown = func(error) { downs.Add(1) } }).AwaitOnline(t)
	topic := wire.PackTopic("padma", "gw-1", wire.Readings, false).String()
	largest := strings.Repeat("x", wire.MaxPack)
	gw.Send(t, topic, largest, false)
	server.AwaitHeard(t, topic+" "+largest)
	if n := downs.Load(); n != 0 {
		t.Fatalf("disconnected %d times", n)
	}
	if err := gw.Publish(t.Context(), mqttconn.Message{Topic: topic, Payload: make([]byte, 1<<20), QoS: 1}); err == nil {
		t.Error("1 MiB was acknowledged")
	}
	brokertest.Await(t, "the sender to be disconnected", func() bool { return downs.Load() == 1 })
	gw.Send(t, topic, "and back", false)
	server.AwaitHeard(t, topic+" and back")
}

// What the store holds survives a restart on the same port: gateways are told
// sooner what is committed, though none relies on it.
func TestRestartKeepsRetainedMessages(t *testing.T) {
	dir := t.TempDir()
	addr, stop := start(t, broker.Config{StoreDir: dir})
	commit := wire.CommitTopic("padma", "gw-1", wire.Readings).String()
	server := brokertest.Connect(t, "tcp://"+addr, wire.ServerUser, nil, nil).AwaitOnline(t)
	server.Send(t, commit, "kept", true)
	url := brokertest.URLs{Gateways: "tcp://" + addr, Server: "tcp://" + addr}
	brokertest.AwaitRetained(t, url, "padma/gw-1", commit, "kept") // acknowledged is not yet stored
	stop()
	start(t, broker.Config{StoreDir: dir, Listen: addr})
	brokertest.AwaitRetained(t, url, "padma/gw-1", commit, "kept")
}
