package mqttconn_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nirapod/internal/broker"
	"nirapod/internal/broker/brokertest"
	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

// brokerEnv makes the test binary a broker that can be killed: its value is
// where to listen.
const brokerEnv = "NIRAPOD_TEST_BROKER"

func TestMain(m *testing.M) {
	if listen := os.Getenv(brokerEnv); listen != "" {
		if err := serve(listen, os.Getenv(brokerEnv+"_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serve(listen, dir string) error {
	b, err := broker.New(broker.Config{Listen: listen, StoreDir: dir, Auth: brokertest.Auth}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	return b.Run(context.Background())
}

// spawn starts a broker process and returns its address and kill -9.
func spawn(t *testing.T, listen, dir string) (addr string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), brokerEnv+"="+listen, brokerEnv+"_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var killed atomic.Bool
	kill = func() {
		if killed.CompareAndSwap(false, true) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // says that it was killed
		}
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the broker does not say where it listens: %v", err)
	}
	return strings.TrimSpace(line), kill
}

func offline(t *testing.T, c *brokertest.Client) {
	t.Helper()
	brokertest.Await(t, "offline", func() bool { return !c.Online() })
	began := time.Now()
	err := c.Publish(context.Background(), mqttconn.Message{Topic: "x", QoS: 1})
	if !errors.Is(err, mqttconn.ErrOffline) || time.Since(began) > 100*time.Millisecond {
		t.Errorf("publishing offline: %v after %s", err, time.Since(began))
	}
}

// A broker that is absent at the start, comes, is killed, comes back on the
// same port: subscriptions stand each time before OnConnect.
func TestBrokerComesAndGoes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	url := "tcp://" + addr
	var ups, downs atomic.Int32
	server := brokertest.Connect(t, url, wire.ServerUser, wire.ServerFilters(), func(c *mqttconn.Config) {
		c.OnConnect = func() { ups.Add(1) }
		c.OnDown = func(error) { downs.Add(1) }
	})
	var gw *brokertest.Client
	topic := wire.PackTopic("padma", "gw-1", wire.Readings, false).String()
	birth := wire.BirthTopic("padma", "gw-1").String()
	gw = brokertest.Connect(t, url, "padma/gw-1", wire.GatewayFilters("padma", "gw-1"), func(c *mqttconn.Config) {
		c.OnConnect = func() {
			if err := gw.Publish(context.Background(), mqttconn.Message{Topic: birth, Payload: []byte("born"), QoS: 1, Retain: true}); err != nil {
				t.Errorf("publishing from OnConnect: %v", err)
			}
		}
	})
	offline(t, gw)
	dir := t.TempDir()
	for round := 1; round <= 3; round++ {
		_, kill := spawn(t, addr, dir)
		server.AwaitOnline(t)
		payload := fmt.Sprint("round ", round)
		gw.Send(t, topic, payload, false)
		server.AwaitHeard(t, topic+" "+payload)
		commit := wire.CommitTopic("padma", "gw-1", wire.Readings).String()
		server.Send(t, commit, payload, false)
		gw.AwaitHeard(t, commit+" "+payload)
		began := time.Now()
		kill()
		offline(t, gw)
		offline(t, server)
		t.Logf("round %d: noticed after %s", round, time.Since(began).Round(time.Millisecond))
		if up, down := ups.Load(), downs.Load(); up != int32(round) || down != int32(round) {
			t.Errorf("round %d: %d times up, %d times down", round, up, down)
		}
	}
}

// mute is a broker that takes connections and says nothing but CONNACK, and
// that only if told to.
func mute(t *testing.T, connack bool) (url string, hangUp func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 16)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if connack {
				if _, err := c.Write([]byte{0x20, 2, 0, 0}); err != nil {
					return
				}
			}
			conns <- c
		}
	}()
	hangUp = func() {
		l.Close()
		for {
			select {
			case c := <-conns:
				c.Close()
			default:
				return
			}
		}
	}
	t.Cleanup(hangUp)
	return "tcp://" + l.Addr().String(), hangUp
}

func TestPublishWithoutPUBACK(t *testing.T) {
	url, hangUp := mute(t, true)
	c := brokertest.Connect(t, url, "padma/gw-1", nil, nil).AwaitOnline(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Publish(ctx, mqttconn.Message{Topic: "x", QoS: 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no PUBACK: %v", err)
	}
	result := make(chan error, 1)
	go func() { result <- c.Publish(context.Background(), mqttconn.Message{Topic: "x", QoS: 1}) }()
	select {
	case err := <-result:
		t.Fatalf("returned without PUBACK: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	hangUp()
	select {
	case err := <-result:
		if !errors.Is(err, mqttconn.ErrOffline) {
			t.Errorf("connection ended before PUBACK: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("still waits for a PUBACK that cannot come")
	}
}

func TestRunEndsWhileTheBrokerIsSilent(t *testing.T) {
	for _, connack := range []bool{false, true} {
		t.Run(fmt.Sprintf("connack %v", connack), func(t *testing.T) {
			url, _ := mute(t, connack)
			c := mqttconn.New(mqttconn.Config{URL: url, ClientID: "x"}, slog.New(slog.DiscardHandler))
			c.Subscribe("a", 1, func(mqttconn.Message) {}) // no SUBACK will come
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			if err := c.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
				t.Errorf("run: %v after %s", err, time.Since(began))
			}
		})
	}
}

func TestSlowHandlersCostTheNewestMessages(t *testing.T) {
	addr, _ := spawn(t, "127.0.0.1:0", t.TempDir())
	url := "tcp://" + addr
	const queue, surplus = 8192, 500
	release := make(chan struct{})
	var handled atomic.Int32
	var last atomic.Int32
	slow := mqttconn.New(mqttconn.Config{URL: url, ClientID: "spy", Username: brokertest.Spy,
		Password: brokertest.Password(brokertest.Spy)}, slog.New(slog.DiscardHandler))
	slow.Subscribe("nirapod/#", 0, func(m mqttconn.Message) {
		<-release
		var n int32
		if _, err := fmt.Sscan(string(m.Payload), &n); err != nil || n != last.Add(1)-1 {
			t.Errorf("out of order: %q", m.Payload)
		}
		handled.Add(1)
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = slow.Run(ctx) // ends by cancel
	}()
	defer func() { cancel(); <-done }()
	brokertest.Await(t, "online", slow.Online)
	gw := brokertest.Connect(t, url, "padma/gw-1", nil, nil).AwaitOnline(t)
	topic := wire.PackTopic("padma", "gw-1", wire.Readings, false).String()
	for i := range queue + surplus {
		if err := gw.Publish(t.Context(), mqttconn.Message{Topic: topic, Payload: []byte(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	brokertest.Await(t, "dropped messages", func() bool { return slow.Dropped() == surplus-1 }) // one is being handled
	if !slow.Online() {
		t.Error("slow handlers cost the connection")
	}
	close(release)
	brokertest.Await(t, "what was queued", func() bool { return handled.Load() == queue+1 })
}

func TestARefusedSubscriptionIsNoConnection(t *testing.T) {
	addr, _ := spawn(t, "127.0.0.1:0", t.TempDir())
	var refused atomic.Bool
	log := slog.New(slog.NewTextHandler(writer(func(line string) {
		if strings.Contains(line, "refuses the subscription to nirapod/v1/padma/gw-2/cmd") {
			refused.Store(true)
		}
	}), nil))
	c := mqttconn.New(mqttconn.Config{URL: "tcp://" + addr, ClientID: "padma/gw-1", Username: "padma/gw-1",
		Password: brokertest.Password("padma/gw-1"), OnConnect: func() { t.Error("connected") }}, log)
	c.Subscribe("nirapod/v1/padma/gw-2/cmd", 1, func(mqttconn.Message) {})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx) // ends by cancel
	}()
	defer func() { cancel(); <-done }()
	brokertest.Await(t, "the refusal in the log", refused.Load)
}

type writer func(string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}
