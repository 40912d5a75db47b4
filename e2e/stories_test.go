package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"nirapod/internal/installed"
)

// tellStories lets committee, officer and installer use the pages in a real
// browser. Their pictures go to NIRAPOD_SCREENSHOTS, if that is a directory.
func tellStories(t *testing.T, addr string) {
	t.Helper()
	chromium, node := installed.Program(t, "chromium", "chromium", "chromium-browser"), installed.Program(t, "nodejs", "node")
	dir := os.Getenv("NIRAPOD_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	out, err := exec.Command(node, "stories/run.mjs", "http://"+addr, chromium, dir).CombinedOutput()
	if err != nil {
		t.Errorf("stories: %v\n%s", err, out)
		return
	}
	t.Logf("stories:\n%s", strings.TrimSpace(string(out)))
}
