package mosquitto_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"nirapod/internal/broker/brokertest"
	"nirapod/internal/mosquitto"
	"nirapod/internal/mosquittotest"
	"nirapod/safety"
	"nirapod/wire"
)

// users are those of the suite, but for the spy, who is nobody of ours.
func users() (mosquitto.Users, error) {
	u := mosquitto.Users{Secret: brokertest.Password(wire.ServerUser)}
	for name := range brokertest.Users() {
		if factory, id, ok := strings.Cut(name, "/"); ok {
			u.Gateways = append(u.Gateways, mosquitto.Gateway{Factory: factory, ID: id, Hash: mosquitto.Hash(brokertest.Password(name))})
		}
	}
	return u, nil
}

func TestMosquittoIsTheSameDoor(t *testing.T) {
	m := mosquittotest.New(t)
	if _, err := mosquitto.Write(m.Dir, users); err != nil {
		t.Fatal(err)
	}
	spy := m.AddDoor(brokertest.Spy, brokertest.Password(brokertest.Spy), brokertest.Users()[brokertest.Spy])
	m.Restart()
	brokertest.Run(t, brokertest.URLs{Gateways: "tcp://" + m.Gateways, Server: "tcp://" + m.Server, Spy: "tcp://" + spy})
}

func TestWriteSaysWhatChanged(t *testing.T) {
	dir := t.TempDir()
	u, err := users()
	if err != nil {
		t.Fatal(err)
	}
	fixed := func() (mosquitto.Users, error) { return u, nil }
	for _, step := range []struct {
		name    string
		edit    func()
		changed bool
	}{
		{"first", func() {}, true},
		{"the same again", func() {}, false},
		{"another password", func() { u.Gateways[0].Hash = mosquitto.Hash("another") }, true},
		{"one gateway less", func() { u.Gateways = u.Gateways[1:] }, true},
		{"another secret", func() { u.Secret += "!" }, true},
		{"the same after that", func() {}, false},
		{"a file that somebody changed", func() {
			if err := os.WriteFile(filepath.Join(dir, "acl"), []byte("topic #\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, true},
	} {
		step.edit()
		if changed, err := mosquitto.Write(dir, fixed); err != nil || changed != step.changed {
			t.Errorf("%s: changed %v, %v", step.name, changed, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 3 {
		t.Errorf("files %v, %v", files, err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o640 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"", "+", "gw-1\ntopic #", "gw:1"} {
		_, err := mosquitto.Write(dir, func() (mosquitto.Users, error) {
			return mosquitto.Users{Gateways: []mosquitto.Gateway{{Factory: "padma", ID: id, Hash: "h"}}}, nil
		})
		if !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("gateway %q: %v", id, err)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
	if _, err := mosquitto.Write(filepath.Join(dir, "none"), users); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// Two processes that write at once leave the files of the newest answer.
func TestTheNewestAnswerStays(t *testing.T) {
	dir := t.TempDir()
	var newest atomic.Int64 // the directory's lock orders what adds to it
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := mosquitto.Write(dir, func() (mosquitto.Users, error) {
				id := fmt.Sprint("gw-", newest.Add(1))
				return mosquitto.Users{Gateways: []mosquitto.Gateway{{Factory: "padma", ID: id, Hash: "h"}}}, nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(filepath.Join(dir, "gateways.passwd"))
	if want := "padma/gw-10:h\n"; err != nil || string(text) != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
}

func TestReloadSignalsNobodyElse(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	for _, text := range []string{"", "-1\n", "1\n", "what\n", fmt.Sprintln(os.Getpid())} {
		if err := os.WriteFile(pid, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := mosquitto.Reload(pid); err == nil {
			t.Errorf("%q: signalled", text)
		}
	}
	if err := mosquitto.Reload(pid + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
