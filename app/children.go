package app

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"nirapod/app/demo"
	agent "nirapod/gateway-agent"
)

const (
	agentBinary = "gateway-agent"
	simBinary   = "firmware-sim"
)

func newPassword() string { return rand.Text() }

// children are the simulator and the shipped agent, each in a process of its
// own, as on a wall.
type children struct {
	binaries, dir, log string
}

// run starts the simulator, then the agent against it, and ends both with ctx.
// A child that ends by itself is an error that quotes what it said last.
func (c *children) run(ctx context.Context, scenario, broker, password string) error {
	logs, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logs.Close()
	g, ctx := errgroup.WithContext(ctx)
	sim := c.command(ctx, simBinary, "-scenario", scenario, "-listen", "127.0.0.1:0")
	sim.Stderr = logs
	stdout, err := sim.StdoutPipe()
	if err != nil {
		return err
	}
	if err := sim.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !found {
		return c.ended(ctx, simBinary, errors.Join(err, sim.Wait()))
	}
	file, err := c.agentFile("sim://"+address, broker, password)
	if err != nil {
		return errors.Join(err, sim.Process.Kill(), sim.Wait())
	}
	box := c.command(ctx, agentBinary, "run", "-c", file)
	box.Stdout, box.Stderr = logs, logs
	if err := box.Start(); err != nil {
		return errors.Join(err, sim.Process.Kill(), sim.Wait())
	}
	g.Go(func() error { return c.ended(ctx, simBinary, sim.Wait()) })
	g.Go(func() error { return c.ended(ctx, agentBinary, box.Wait()) })
	return g.Wait()
}

// command is a child that gets SIGTERM when ctx ends, SIGKILL after a grace,
// and SIGKILL from the kernel when this process is killed.
func (c *children) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.binaries, name), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = childGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (c *children) ended(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	said, readErr := os.ReadFile(c.log)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return fmt.Errorf("%s ended by itself (%w); it said last:\n%s", name, err, strings.Join(lines[max(0, len(lines)-5):], "\n"))
}

// agentFile writes the agent's configuration with the places of this run.
func (c *children) agentFile(sim, broker, password string) (string, error) {
	cfg := agent.Defaults()
	if err := yaml.Unmarshal(demo.Agent, &cfg); err != nil {
		return "", err
	}
	cfg.DataDir = filepath.Join(c.dir, "agent")
	cfg.Broker.URL = "tcp://" + broker
	cfg.Broker.PasswordFile = filepath.Join(c.dir, "gateway.password")
	for name, bus := range cfg.Buses {
		_, path, _ := strings.Cut(strings.TrimPrefix(bus.Open, "sim://"), "/")
		cfg.Buses[name] = agent.Bus{Open: sim + "/" + path}
	}
	text, err := yaml.Marshal(cfg)
	if err != nil {
		return "", err
	}
	file := filepath.Join(c.dir, "agent.yaml")
	return file, errors.Join(
		os.WriteFile(cfg.Broker.PasswordFile, []byte(password+"\n"), 0o600),
		os.WriteFile(file, text, 0o600))
}
