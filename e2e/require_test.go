package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// tool returns the path of a program that a test needs. Without it the test
// skips, and fails where NIRAPOD_REQUIRE=all forbids to skip.
func tool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("NIRAPOD_REQUIRE") == "all" {
		t.Fatalf("none of %v is installed, and NIRAPOD_REQUIRE=all", names)
	}
	t.Skipf("none of %v is installed", names)
	return ""
}
