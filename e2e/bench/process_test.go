package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a program under measurement.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

func start(t *testing.T, dir, label, path string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, log: filepath.Join(dir, label+".log"), cmd: exec.Command(path, args...), ended: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = out, out, append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		defer out.Close()
		_ = p.cmd.Wait() // ended early or killed: alive says so
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			p.printLog()
		}
	})
	return p
}

// kill is kill -9, and waits until the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) printLog() {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	p.t.Logf("%s said last:\n%s", filepath.Base(p.log), bytes.Join(lines[max(0, len(lines)-20):], []byte("\n")))
}

// cpu is the processor time that the process has used, user and system; the
// kernel counts it in hundredths of a second.
func (p *process) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	// The name in brackets may hold blanks; utime and stime are fields 14, 15.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, _ := strconv.ParseInt(f, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory returns a field of /proc/PID/status, VmRSS or VmHWM, in MB.
func (p *process) memory(field string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), field+":")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		p.t.Errorf("%s: %v", field, err)
	}
	return kb / 1024
}
