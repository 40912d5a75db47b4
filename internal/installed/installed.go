// Package installed finds the programs that tests run beside their own.
package installed

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns where the first of names is, each a name in PATH or a path.
// If none is there the test is skipped, or fails when NIRAPOD_REQUIRE is "all";
// from says which package of Debian has it.
func Program(t testing.TB, from string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("NIRAPOD_REQUIRE") == "all" {
		t.Fatalf("%s is not installed (Debian: %s), and NIRAPOD_REQUIRE=all", names[0], from)
	}
	t.Skipf("%s is not installed (Debian: %s)", names[0], from)
	return ""
}
