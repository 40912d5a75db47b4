package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

// bin holds the programs, built once for all tests: the agent with its accepted
// journal, the server with its crash points.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() { // every test here skips
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "nirapod-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bin = filepath.Join(dir, "bin")
	build := exec.Command("go", "build", "-tags", "journal,crashpoints", "-o", bin+"/", "nirapod/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	// They wait more than they work: more of them at once than there are cores.
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}
