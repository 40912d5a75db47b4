// Package mosquittotest runs a real Mosquitto for tests, on loopback ports of
// its own, with the files that nirapod writes for it. As root it runs as
// Mosquitto's own user, as on a real machine.
package mosquittotest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"nirapod/internal/freeport"
	"nirapod/internal/installed"
	"nirapod/internal/mosquitto"
	"nirapod/wire"
)

const (
	startLimit = 15 * time.Second
	group      = "mosquitto" // and user, as Debian's package makes them
)

// Server is a Mosquitto. It is for one goroutine.
type Server struct {
	Dir              string // where nirapod keeps its files: broker.mosquitto.dir
	PIDFile          string // broker.mosquitto.pid_file; kept by Restart
	Gateways, Server string // host:port of the two doors

	t       testing.TB
	program string
	home    string
	cmd     *exec.Cmd
	ended   chan struct{}
}

// New prepares a Mosquitto, which Restart starts once nirapod has written its
// files to Dir. It ends with the test. Without mosquitto in PATH or /usr/sbin the
// test is skipped, or fails when NIRAPOD_REQUIRE is "all".
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, program: installed.Program(t, "mosquitto", "mosquitto", "/usr/sbin/mosquitto"), home: makeHome(t)}
	s.Dir, s.PIDFile = s.file("files"), s.file("pid")
	makeDir(t, s.Dir)
	s.Gateways, s.Server = freeport.Address(t), freeport.Address(t)
	s.append("conf", mosquitto.Conf{Dir: s.Dir, Gateways: listener(s.Gateways), Server: listener(s.Server)}.String())
	t.Cleanup(func() {
		s.Kill()
		if log, err := os.ReadFile(s.file("log")); err == nil && t.Failed() {
			lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
			t.Logf("mosquitto said last:\n%s", bytes.Join(lines[max(0, len(lines)-40):], []byte("\n")))
		}
	})
	return s
}

// AddDoor opens one more door, for one user who is not nirapod's, and returns
// its host:port. It must be called before the first start.
func (s *Server) AddDoor(name, password string, perms []wire.Permission) string {
	s.t.Helper()
	address := freeport.Address(s.t)
	l := listener(address)
	s.append("files/door.passwd", name+":"+mosquitto.Hash(password)+"\n")
	s.append("files/door.acl", mosquitto.ACL(name, perms))
	s.append("conf", fmt.Sprintf("\nlistener %s %s\nallow_anonymous false\npassword_file %s\nacl_file %s\n",
		l.Port, l.Host, s.file("files/door.passwd"), s.file("files/door.acl")))
	return address
}

// Command returns the program and its arguments, for a test that runs it
// itself.
func (s *Server) Command() []string {
	line := []string{s.program, "-c", s.file("conf")}
	if os.Geteuid() != 0 {
		return line
	}
	// Were it to change its user by itself, it would outlive a test that dies.
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		s.t.Fatal(err) // every Debian has it
	}
	return append([]string{setpriv, "--reuid", group, "--regid", group, "--clear-groups", "--pdeathsig", "KILL"}, line...)
}

// Restart starts the server, also again after Kill, at the same addresses, and
// returns once it answers.
func (s *Server) Restart() {
	s.t.Helper()
	log, err := os.OpenFile(s.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	line := s.Command()
	cmd, ended := exec.Command(line[0], line[1:]...), make(chan struct{})
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.cmd, s.ended = cmd, ended
	go func() {
		_ = cmd.Wait() // killed
		close(ended)
	}()
	if err := os.WriteFile(s.PIDFile, []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.awaitAnswer()
}

func (s *Server) awaitAnswer() {
	s.t.Helper()
	for deadline := time.Now().Add(startLimit); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.Server)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-s.ended:
			s.t.Fatal("mosquitto ended before it answered")
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("mosquitto does not answer: %v", err)
		}
	}
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
	s.cmd = nil
}

// makeHome makes a directory that Mosquitto's user can enter; those of the
// testing package belong to the tests' user alone.
func makeHome(t testing.TB) string {
	t.Helper()
	home, err := os.MkdirTemp("", "nirapod-mosquitto-") //nolint:usetesting // t.TempDir lies in a closed directory
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	if err := os.Chmod(home, 0o711); err != nil {
		t.Fatal(err)
	}
	return home
}

// makeDir makes the files' directory as an installer does: entered and read
// by Mosquitto's group.
func makeDir(t testing.TB, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return // it runs as this user
	}
	found, err := user.LookupGroup(group)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(found.Gid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 0, gid); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) file(name string) string { return filepath.Join(s.home, name) }

func (s *Server) append(name, text string) {
	s.t.Helper()
	f, err := os.OpenFile(s.file(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

func listener(address string) mosquitto.Listener {
	host, port, _ := net.SplitHostPort(address) // from freeport
	return mosquitto.Listener{Host: host, Port: port}
}
