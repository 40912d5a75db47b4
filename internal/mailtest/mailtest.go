// Package mailtest runs a real mail server, Debian's Exim, for tests: on a
// loopback port of its own, with a spool and mailboxes of its own.
package mailtest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"nirapod/internal/freeport"
	"nirapod/internal/installed"
)

// Domain is the one for which the server takes mail. Unknown is a recipient
// there whom it does not know.
const (
	Domain  = "factory.test"
	Unknown = "nobody@" + Domain
)

const startLimit = 15 * time.Second

// Server is a mail server. It ends with the test.
type Server struct {
	Host string
	Port int
	t    testing.TB
	home string
}

const configuration = `primary_hostname = mail.test
spool_directory = %[1]s/spool
log_file_path = %[1]s/spool/%%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = %[2]d
keep_environment =
never_users =
tls_advertise_hosts =
smtp_accept_max = 0
acl_smtp_rcpt = rcpt
acl_smtp_data = data
%[3]s
begin acl
rcpt:
  deny local_parts = nobody
       message = no such user
  accept domains = ` + Domain + `
data:
  accept
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  directory = %[1]s/mail
  maildir_format
  create_directory
%[4]s
begin retry
`

// New starts a server. Without exim4 in PATH or /usr/sbin the test is skipped, or
// fails when NIRAPOD_REQUIRE is "all".
func New(t testing.TB) *Server {
	t.Helper()
	program := installed.Program(t, "exim4-daemon-light", "exim4", "/usr/sbin/exim4")
	home, err := os.MkdirTemp("", "nirapod-mail-") //nolint:usetesting // t.TempDir lies in a closed directory
	must(t, err)
	host, port, err := net.SplitHostPort(freeport.Address(t))
	must(t, err)
	s := &Server{Host: host, t: t, home: home}
	s.Port, err = strconv.Atoi(port)
	must(t, err)
	who, deliver := "deliver_drop_privilege = true", ""
	must(t, os.Chmod(home, 0o755))
	for _, dir := range []string{"spool", "mail"} {
		must(t, os.Mkdir(filepath.Join(home, dir), 0o750))
	}
	if os.Geteuid() == 0 { // as on a real machine it works as its own user
		who, deliver = "exim_user = Debian-exim\nexim_group = Debian-exim", "  user = Debian-exim\n  group = Debian-exim"
		s.give("Debian-exim")
	}
	conf := filepath.Join(home, "conf")
	must(t, os.WriteFile(conf, fmt.Appendf(nil, configuration, home, s.Port, who, deliver), 0o644))
	s.start(exec.Command(program, "-C", conf, "-bdf", "-q1m"))
	return s
}

func (s *Server) give(name string) {
	u, err := user.Lookup(name)
	must(s.t, err)
	uid, err := strconv.Atoi(u.Uid)
	must(s.t, err)
	gid, err := strconv.Atoi(u.Gid)
	must(s.t, err)
	for _, dir := range []string{"spool", "mail"} {
		must(s.t, os.Chown(filepath.Join(s.home, dir), uid, gid))
	}
}

func (s *Server) start(cmd *exec.Cmd) {
	s.t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	must(s.t, cmd.Start())
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("the mail server said:\n%s", said.Bytes())
		}
		_ = os.RemoveAll(s.home)
	})
	for deadline := time.Now().Add(startLimit); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the mail server does not listen: %v", err)
		}
	}
}

// Letters returns what has been delivered, each as it lies in the mailbox.
func (s *Server) Letters() (letters []string) {
	s.t.Helper()
	names, err := filepath.Glob(filepath.Join(s.home, "mail", "new", "*"))
	must(s.t, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		must(s.t, err)
		letters = append(letters, string(text))
	}
	return letters
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
