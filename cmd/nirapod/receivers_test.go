package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nirapod/app/demo"
)

// A receiver is not configured until a message has been taken.
func TestAReceiverIsConfiguredOnceItHasTakenAMessage(t *testing.T) {
	status := http.StatusServiceUnavailable
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer hook.Close()
	file := configure(t, string(demo.Site))
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret that is shared\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	more := fmt.Sprintf("\nreceivers:\n  webhook: {url: %s, secret_file: %s}\n", hook.URL, secret)
	if err := os.WriteFile(file, append(text, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	lists := func(want string) {
		t.Helper()
		out, err := command(t, "", "receivers", "list", "-c", file)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%q, %v: want %q", out, err, want)
		}
	}
	lists("not configured: it has never taken a message; try it")
	if _, err := command(t, "", "receivers", "test", "-c", file, "-receiver", "webhook"); err == nil {
		t.Error("a receiver that refuses passes its test")
	}
	lists("not configured: it has never taken a message: answer 503")
	status = http.StatusNoContent
	if _, err := command(t, "", "receivers", "test", "-c", file, "-receiver", "webhook"); err != nil {
		t.Error(err)
	}
	lists("took a message last at")
	status = http.StatusServiceUnavailable
	_, _ = command(t, "", "receivers", "test", "-c", file, "-receiver", "webhook")
	lists("fails since")
}
