package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirapod/app"
	"nirapod/app/demo"
	"nirapod/safety"
	"nirapod/state"
)

// A site that the rules cannot watch is not imported: readings would be kept
// and nobody told of a fire.
func TestSiteThatNothingCouldWatchIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "site.yaml")
	db, err := state.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for text, allowed := range map[string]bool{
		string(demo.Site): true,
		strings.Replace(string(demo.Site), "class: A1R", "class: Z9", 1): false,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := app.ImportSites(t.Context(), db, app.Config{Mode: app.Demo, Sites: []string{name}})
		if (err == nil) != allowed || err != nil && !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("allowed %v: %v", allowed, err)
		}
	}
	if err := app.ImportSites(t.Context(), db, app.Config{Mode: app.Production, Sites: []string{name}}); err == nil {
		t.Error("production takes the demonstration")
	}
}
