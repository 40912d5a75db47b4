// Package influxtest starts a real InfluxDB 1.8 for tests, on a loopback port
// of its own. That version serves the write and query doors of InfluxDB 2 that
// the store uses, builds with plain Go, and needs no other program:
//
//	CGO_ENABLED=0 go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10
package influxtest

import (
	"context"
	"errors"
	"fmt"
	"go/build"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nirapod/internal/freeport"
)

// Database exists on a new server; further ones come from CreateDatabase.
const Database = "nirapod"

// startLimit bounds one start: reading the log of a killed server takes a while.
const startLimit = time.Minute

// Server is a running influxd. It is for one goroutine.
type Server struct {
	URL   string
	Token string // "" when the server asks nobody who they are

	t       testing.TB
	program string
	dir     string
	cmd     *exec.Cmd
	ended   chan struct{}
}

// Start starts a server that lets everybody in. It ends with the test. Without
// influxd in GOPATH/bin or PATH the test is skipped, or fails when
// NIRAPOD_REQUIRE is "all".
func Start(t testing.TB) *Server {
	t.Helper()
	s := prepare(t, false)
	s.Restart()
	s.CreateDatabase(Database)
	return s
}

// StartClosed starts a server that lets in only who shows Token.
func StartClosed(t testing.TB) *Server {
	t.Helper()
	s := prepare(t, true)
	s.Restart()
	s.command("CREATE USER admin WITH PASSWORD 'let-me-in-please' WITH ALL PRIVILEGES")
	s.Token = "admin:let-me-in-please"
	s.CreateDatabase(Database)
	return s
}

// Prepare returns a server that lets everybody in and that the test runs
// itself, by Command. The database is the test's to create.
func Prepare(t testing.TB) *Server {
	t.Helper()
	return prepare(t, false)
}

// Bucket returns the name by which the doors of InfluxDB 2 know a database.
func Bucket(database string) string { return database + "/autogen" }

func prepare(t testing.TB, closed bool) *Server {
	t.Helper()
	s := &Server{t: t, program: find(t), dir: t.TempDir()}
	address := freeport.Address(t)
	s.URL = "http://" + address
	text := fmt.Sprintf(config, s.dir, s.dir, s.dir, address, closed)
	if err := os.WriteFile(s.file("conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.end(syscall.SIGKILL)
		if t.Failed() {
			s.showLog()
		}
	})
	return s
}

// Command returns the program and its arguments.
func (s *Server) Command() []string { return []string{s.program, "-config", s.file("conf")} }

// config keeps the server quiet and small: no reports, no monitoring of itself,
// nothing on a fixed port.
const config = `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "%s/meta"
[data]
  dir = "%s/data"
  wal-dir = "%s/wal"
  index-version = "tsi1"
  query-log-enabled = false
[http]
  bind-address = "%s"
  flux-enabled = true
  log-enabled = false
  auth-enabled = %t
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
`

func find(t testing.TB) string {
	t.Helper()
	for dir := range strings.SplitSeq(build.Default.GOPATH, string(filepath.ListSeparator)) {
		path := filepath.Join(dir, "bin", "influxd")
		if _, err := exec.LookPath(path); err == nil {
			return path
		}
	}
	if path, err := exec.LookPath("influxd"); err == nil {
		return path
	}
	const missing = "influxd is not installed: CGO_ENABLED=0 go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10"
	if os.Getenv("NIRAPOD_REQUIRE") == "all" {
		t.Fatal(missing + ", and NIRAPOD_REQUIRE=all")
	}
	t.Skip(missing)
	return ""
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Restart starts the server again after Kill, at the same address and on the
// same files, and returns once it answers.
func (s *Server) Restart() {
	s.t.Helper()
	log, err := os.OpenFile(s.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	line := s.Command()
	s.cmd = exec.Command(line[0], line[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	s.ended = ended
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // killed
		close(ended)
	}(s.cmd)
	s.Await()
}

// Await returns once the server answers.
func (s *Server) Await() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := ask(ctx, http.MethodGet, s.URL+"/ping", "")
		if err == nil {
			return
		}
		select {
		case <-retry.C:
		case <-s.ended:
			s.showLog()
			s.t.Fatal("influxd ended before it answered")
		case <-ctx.Done():
			s.showLog()
			s.t.Fatalf("influxd does not answer: %v", err)
		}
	}
}

func (s *Server) end(signal syscall.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(signal) // it may have ended
	<-s.ended
	s.cmd = nil
}

// CreateDatabase creates a database that keeps everything.
func (s *Server) CreateDatabase(name string) {
	s.t.Helper()
	s.command(fmt.Sprintf("CREATE DATABASE %q", name))
}

// Keep makes the database of a bucket refuse points older than retention, which
// is at least an hour.
func (s *Server) Keep(bucket string, retention time.Duration) {
	s.t.Helper()
	database, _, _ := strings.Cut(bucket, "/")
	s.command(fmt.Sprintf("ALTER RETENTION POLICY autogen ON %q DURATION %s SHARD DURATION 1h", database, retention))
}

// Write writes lines to a bucket as they are, as another program would; their
// times are in milliseconds.
func (s *Server) Write(bucket, lines string) {
	s.t.Helper()
	s.do("/api/v2/write?precision=ms&bucket="+url.QueryEscape(bucket), lines)
}

func (s *Server) command(q string) {
	s.t.Helper()
	s.do("/query?q="+url.QueryEscape(q), "")
}

func (s *Server) do(path, body string) {
	s.t.Helper()
	target, err := url.Parse(s.URL + path)
	if err != nil {
		s.t.Fatal(err)
	}
	if user, password, ok := strings.Cut(s.Token, ":"); ok {
		target.User = url.UserPassword(user, password)
	}
	if err := ask(context.Background(), http.MethodPost, target.String(), body); err != nil {
		s.t.Fatal(err)
	}
}

func ask(ctx context.Context, method, target, body string) error {
	req, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 || strings.Contains(string(answer), `"error"`) {
		return errors.New(resp.Status + ": " + string(answer))
	}
	return nil
}

func (s *Server) file(name string) string { return filepath.Join(s.dir, "influxd."+name) }

func (s *Server) showLog() {
	if text, err := os.ReadFile(s.file("log")); err == nil {
		s.t.Log(string(text))
	}
}
