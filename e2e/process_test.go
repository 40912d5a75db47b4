package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one program of the system, which a test may kill and start again.
type process struct {
	t    *testing.T
	name string
	args []string
	env  []string
	log  string // file that takes what it prints

	mu      sync.Mutex
	cmd     *exec.Cmd     // guarded by mu; nil when it does not run
	ended   chan struct{} // guarded by mu; closed when cmd has ended
	kills   int
	started time.Time
}

// spawn defines a process of a program in bin, or of one with a whole path;
// start runs it.
func spawn(t *testing.T, dir, label, program string, env []string, args ...string) *process {
	t.Helper()
	if !filepath.IsAbs(program) {
		program = filepath.Join(bin, program)
	}
	p := &process{t: t, name: label, args: append([]string{program}, args...), env: env, log: filepath.Join(dir, label+".log")}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() || os.Getenv("NIRAPOD_LOGS") != "" {
			p.printLog()
		}
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	p.cmd, p.ended, p.started = cmd, ended, time.Now()
	go func() {
		cmd.Wait()
		out.Close()
		close(ended)
	}()
}

// kill is kill -9, and waits until the process is gone.
func (p *process) kill() { p.end(syscall.SIGKILL) }

// stop asks the process to end and waits for it; it returns how long it took.
func (p *process) stop() time.Duration {
	begin := time.Now()
	p.end(syscall.SIGTERM)
	return time.Since(begin)
}

func (p *process) end(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("%s: %v", p.name, err)
	}
	<-p.ended
	p.cmd = nil
	p.kills++
}

// dead reports whether the process was started and has ended by itself.
func (p *process) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) printLog() {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	p.t.Logf("%s said last:\n%s", p.name, bytes.Join(lines[max(0, len(lines)-25):], []byte("\n")))
}
