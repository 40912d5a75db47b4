package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	full   = flag.Bool("full", false, "measure for publication: some 20 minutes")
	server = flag.String("server", "", "server `PROGRAM` to measure in place of the one of this source, to compare two")
	pprof  = flag.String("pprof", "", "`HOST:PORT` where the server under measurement offers its profiles")
)

// bin holds the programs, built once.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() { // every test here skips
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "nirapod-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bin = filepath.Join(dir, "bin")
	args := []string{"build", "-trimpath", "-o", bin + "/", "nirapod/cmd/..."}
	if *pprof != "" {
		args = append(args[:1], append([]string{"-tags", "profile"}, args[1:]...)...)
	}
	build := exec.Command("go", args...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func serverEnv() []string {
	if *pprof == "" {
		return nil
	}
	return []string{"NIRAPOD_PPROF=" + *pprof}
}
