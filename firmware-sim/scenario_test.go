package sim_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	sim "nirapod/firmware-sim"
	"nirapod/safety"
)

func TestShippedScenarios(t *testing.T) {
	for _, name := range sim.Names() {
		_, err := sim.Load(name, "")
		if name == "home-fire" {
			if err == nil || !strings.Contains(err.Error(), "-recording") {
				t.Errorf("home-fire without a recording: %v", err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The files shown in the README load as they stand.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d YAML blocks, want a scenario and a building", len(blocks))
	}
	dir := t.TempDir()
	for name, data := range map[string]string{
		"scenario.yaml": string(blocks[0][1]),
		"fire.csv":      "TIME,TCF_1\n0,20\n2,21\n",
		"building.yaml": string(blocks[1][1]),
		"inside.yaml":   "name: inside\nbuilding: ./building.yaml\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"scenario.yaml", "inside.yaml"} {
		if _, err := sim.Load(filepath.Join(dir, name), ""); err != nil {
			t.Error(err)
		}
	}
}

func TestScenarioMistakes(t *testing.T) {
	for _, c := range []struct {
		name, scenario, building string
		want                     []string // each is in the message
	}{
		{"unknown key", "name: x\nbuilding: padma\nfire: []\n", "", []string{"s.yaml:3: fire: unknown key; did you mean fires?"}},
		{"all mistakes of meaning at once",
			"name: x\nclock: '27:00'\nbuilding: padma\nfires:\n  - {zone: cellar}\nevents:\n  - at: 3s\n" +
				"  - at: 4s\n    fault: {target: i2c-1/0x44, kind: loop_open}\n" +
				"  - at: 5s\n    set: {pin: SIM_BUZZER, level: true}\n", "",
			[]string{"s.yaml:2: clock:", "s.yaml:5: fires[0].zone:", "s.yaml:7: events[0]:", "s.yaml:9: events[1].fault:", "s.yaml:11: events[2].set:"}},
		{"ordinary work that cannot be", "name: x\nbuilding: padma\nsources:\n  - {zone: cellar, co_mg_per_s: 1}\n  - {zone: store, steam_g_per_s: -1}\n", "",
			[]string{"s.yaml:4: sources[0].zone:", "s.yaml:5: sources[1]:"}},
		{"the building's own mistakes", "name: x\nbuilding: ./b.yaml\n",
			"zones:\n  - {id: a, area_m2: 0, height_m: 3, humidity_pct: 50}\nchips:\n" +
				"  - {part: hdc302x, bus: i2c-1, address: 0x48, zone: a}\n" +
				"  - {part: ads1115, bus: i2c-1, address: 0x48}\n",
			[]string{"b.yaml:2: zones[0].area_m2:", "b.yaml:4: chips[0].address:", "b.yaml:5: chips[1].address:"}},
		{"no such building", "name: x\nbuilding: taj\n", "", []string{"s.yaml:2: building:", "padma"}},
		{"recording absent", "name: x\nbuilding: padma\nrecording:\n  file: no.csv\n  time: t\n  bind: [{zone: store, quantity: co, column: c}]\n", "",
			[]string{"s.yaml:", "recording:", "no.csv"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"s.yaml": c.scenario, "b.yaml": c.building} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := sim.Load(filepath.Join(dir, "s.yaml"), "")
			if !errors.Is(err, safety.ErrInvalid) {
				t.Fatalf("got %v, want an error wrapping safety.ErrInvalid", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\ndoes not say %q", err, want)
				}
			}
		})
	}
	if _, err := sim.Load("earthquake", ""); err == nil || !strings.Contains(err.Error(), "smoulder") {
		t.Errorf("unknown name: %v, want the shipped names", err)
	}
}
