package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	sim "nirapod/firmware-sim"
	agent "nirapod/gateway-agent"
	"nirapod/gateway-agent/clock"
)

// childConfig makes the test binary an agent: the file to run with.
const childConfig = "NIRAPOD_TEST_AGENT"

func TestMain(m *testing.M) {
	if file := os.Getenv(childConfig); file != "" {
		runChild(file)
	}
	os.Exit(m.Run())
}

func runChild(file string) {
	cfg, err := agent.Load(file)
	if err == nil {
		var a *agent.Agent
		if a, err = agent.New(cfg, "test", slog.New(slog.NewTextHandler(os.Stderr, nil))); err == nil {
			err = a.Run(context.Background())
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// box is a simulated board, its client, and a configuration wired to it.
type box struct {
	t     testing.TB
	addr  string
	world *sim.Client
	cfg   agent.Config
	stop  func() // the simulator
	log   *watch // what agents in this process say
}

// newBox starts the scenario calm. The configuration is the demo's, with a
// broker that is not there.
func newBox(t testing.TB) *box {
	t.Helper()
	b := &box{t: t, addr: "127.0.0.1:0", log: &watch{}}
	b.boot()
	t.Cleanup(func() { b.stop() })
	data, err := os.ReadFile("../app/demo/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if b.cfg, err = agent.Parse("agent.yaml", data); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.cfg.Clock = clock.Trusted
	b.cfg.DataDir = filepath.Join(dir, "data")
	b.cfg.Broker = agent.Broker{URL: "tcp://127.0.0.1:9", PasswordFile: secret}
	for name := range b.cfg.Buses {
		b.cfg.Buses[name] = agent.Bus{Open: "sim://" + b.addr + "/" + name}
	}
	return b
}

// boot starts a simulator at b.addr, a new one with every register and output
// as at power on.
func (b *box) boot() {
	b.t.Helper()
	sc, err := sim.Load("calm", "")
	if err != nil {
		b.t.Fatal(err)
	}
	l, err := net.Listen("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sim.NewServer(sim.New(sc, 1), slog.New(slog.DiscardHandler)).Run(ctx, l) }()
	if b.world, err = sim.DialWorld(b.addr); err != nil {
		b.t.Fatal(err)
	}
	world := b.world
	b.stop = sync.OnceFunc(func() {
		_ = world.Close()
		cancel()
		<-done
	})
}

// start runs an agent in this process until the test ends or stop is called.
func (b *box) start() (stop func()) {
	b.t.Helper()
	a, err := agent.New(b.cfg, "test", slog.New(slog.NewTextHandler(b.log, nil)))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if b.t.Failed() && b.log.count() > 0 {
			b.t.Logf("agent said:\n%s", b.log)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	b.t.Cleanup(stop)
	return stop
}

// child runs an agent as a process of its own, to be killed.
func (b *box) child() *exec.Cmd {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "agent.yaml")
	data, err := yaml.Marshal(b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childConfig+"="+file)
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be gone already
		_ = cmd.Wait()
		if b.t.Failed() {
			b.t.Logf("agent said:\n%s", out.String())
		}
	})
	return cmd
}

func (b *box) output(pin string) sim.Output {
	b.t.Helper()
	o, err := b.world.Output(pin)
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

// sounds waits until an output has the level.
func (b *box) sounds(pin string, within time.Duration) {
	b.t.Helper()
	b.eventually(within, func() bool { return b.output(pin).Level }, "%s never sounded", pin)
}

func (b *box) eventually(within time.Duration, ok func() bool, format string, args ...any) {
	b.t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf(format+" within %v", append(args, within)...)
		}
	}
}

func (b *box) set(s sim.Setting) {
	b.t.Helper()
	if err := b.world.Set(s); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) inject(target string, kind sim.FaultKind) {
	b.t.Helper()
	if err := b.world.Inject(sim.Fault{Target: target, Kind: kind}); err != nil {
		b.t.Fatal(err)
	}
}

// press is a finger on a button: half a second, and half a second off it.
func (b *box) press(pin string) {
	b.set(sim.Setting{Pin: pin, Level: true, For: 500 * time.Millisecond})
	time.Sleep(time.Second)
}

// pressUntil presses a button as a person does: again, until it does something.
// An input that was not read yet when it was pressed has not been pressed.
func (b *box) pressUntil(pin, output string, level bool) {
	b.t.Helper()
	b.eventually(20*time.Second, func() bool {
		b.press(pin)
		return b.output(output).Level == level
	}, "%s never became %v", output, level)
}

func (b *box) smoke(zone string) {
	b.set(sim.Setting{Zone: zone, Quantity: "smoke_od", Value: 50})
}

// watch is a log that can be waited for.
type watch struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, string(p))
	return len(p), nil
}

// said reports whether one line since from holds all words.
func (w *watch) said(from int, words ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.lines[from:], func(line string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) })
	})
}

func (w *watch) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.lines)
}

func (w *watch) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.lines, "")
}
