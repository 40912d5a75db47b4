package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nirapod/app"
	agent "nirapod/gateway-agent"
	"nirapod/internal/installed"
)

// unit returns the settings of a unit file.
func unit(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("systemd/" + name + ".service")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for l := range strings.Lines(string(text)) {
		key, value, isSetting := strings.Cut(strings.TrimSpace(l), "=")
		if isSetting && !strings.HasPrefix(key, "#") {
			found[key] = append(found[key], value)
		}
	}
	return found
}

func TestUnitsRunThePrograms(t *testing.T) {
	load := func(sample []byte, parse func(name string) error) {
		name := filepath.Join(t.TempDir(), "file.yaml")
		if err := os.WriteFile(name, sample, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := parse(name); err != nil {
			t.Fatal(err)
		}
	}
	var server app.Config
	var box agent.Config
	load(app.Sample, func(name string) (err error) { server, err = app.Load(name, nil); return err })
	load(agent.Sample, func(name string) (err error) { box, err = agent.Load(name); return err })
	for name, want := range map[string]struct{ verb, config, dataDir string }{
		"nirapod":       {"serve", "/etc/nirapod/nirapod.yaml", server.DataDir},
		"gateway-agent": {"run", "/etc/nirapod/agent.yaml", box.DataDir},
	} {
		u := unit(t, name)
		l := lineOf(strings.Fields(u["ExecStart"][0]))
		if !l.is("/usr/bin/"+name, want.verb) || l.flags["c"] != want.config {
			t.Errorf("%s runs %q", name, u["ExecStart"])
		}
		for key, value := range map[string]string{"Restart": "always", "User": "nirapod", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "SystemCallErrorNumber": "EPERM"} {
			if !slices.Equal(u[key], []string{value}) {
				t.Errorf("%s: %s=%q, want %q", name, key, u[key], value)
			}
		}
		// All else is read-only.
		if got := "/var/lib/" + u["StateDirectory"][0]; got != want.dataDir {
			t.Errorf("%s may write %s, its sample keeps data in %s", name, got, want.dataDir)
		}
	}
}

// A filter that forbids what the agent asks the kernel would stop the sirens.
func TestAgentMayAskWhetherItsClockIsSet(t *testing.T) {
	u := unit(t, "gateway-agent")
	if u["ProtectClock"] != nil || !slices.Contains(strings.Fields(u["SystemCallFilter"][0]), "adjtimex") {
		t.Errorf("ProtectClock=%q, SystemCallFilter=%q", u["ProtectClock"], u["SystemCallFilter"])
	}
	if u["StartLimitIntervalSec"][0] != "0" {
		t.Error("systemd gives up on the agent after some failures")
	}
}

func TestSystemdUnderstandsTheUnits(t *testing.T) {
	program := installed.Program(t, "systemd", "systemd-analyze")
	dir := t.TempDir()
	for _, name := range []string{"nirapod", "gateway-agent"} {
		text, err := os.ReadFile("systemd/" + name + ".service")
		if err != nil {
			t.Fatal(err)
		}
		// The programs are not installed here; something else stands for them.
		text = []byte(strings.Replace(string(text), "/usr/bin/"+name, "/bin/true", 1))
		file := filepath.Join(dir, name+".service")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), program, "verify", "--man=no", file).CombinedOutput()
		if err != nil || strings.Contains(string(out), name+".service:") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
