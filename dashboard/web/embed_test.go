package web

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestCleanCloneNamesTheRemedy(t *testing.T) {
	if _, err := built(fstest.MapFS{"dist/.gitkeep": {}}); err == nil || !strings.Contains(err.Error(), "make web") {
		t.Errorf("without a built page: %v", err)
	}
	if _, err := built(fstest.MapFS{"dist/index.html": {}}); err != nil {
		t.Error(err)
	}
}
