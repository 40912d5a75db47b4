package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sim "nirapod/firmware-sim"
)

func TestRunSaysWhereItListens(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-scenario", "calm", "-listen", "127.0.0.1:0", "-seed", "5"}, in, io.Discard)
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		t.Fatalf("first line %q, %v", line, err)
	}
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "0" {
		t.Fatalf("address %q, %v", addr, err)
	}
	world, err := sim.DialWorld(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	if state, err := world.State(); err != nil || state.Scenario != "calm" {
		t.Errorf("state %+v, %v", state, err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("does not end when told to")
	}
}

func TestRunRefuses(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("name: x\nbuilding: padma\nfires:\n  - {zone: cellar}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a wrong scenario, with file and line", []string{"-scenario", bad}, "bad.yaml:4: fires[0].zone"},
		{"an unknown flag", []string{"-speed", "2"}, "-speed"},
		{"a stray argument", []string{"smoulder"}, `"smoulder"`},
		{"a scenario without the recording", []string{"-scenario", "home-fire"}, "-recording"},
	} {
		err := run(t.Context(), c.args, io.Discard, io.Discard)
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if err := run(t.Context(), []string{"-listen", "256.0.0.1:1"}, io.Discard, io.Discard); err == nil || errors.Is(err, errUsage) {
		t.Errorf("an address that cannot be had: %v", err)
	}
}
