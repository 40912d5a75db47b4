package yamlfile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

type config struct {
	Name    string             `yaml:"name"`
	Period  time.Duration      `yaml:"period"`
	Port    uint16             `yaml:"port"`
	Level   int8               `yaml:"level"`
	Limit   float64            `yaml:"limit"`
	On      bool               `yaml:"on"`
	At      [2]float64         `yaml:"at"`
	Zones   []zone             `yaml:"zones"`
	Limits  map[string]float64 `yaml:"limits"`
	Master  *zone              `yaml:"master"`
	When    time.Time          `yaml:"when"`
	Raw     yaml.Node          `yaml:"raw"`
	Any     any                `yaml:"any"`
	private int
	Plain   string
	Hidden  string `yaml:"-"`
}

type zone struct {
	ID     string  `yaml:"id"`
	Height float64 `yaml:"height_m"`
}

func TestParse(t *testing.T) {
	got := config{Name: "default", Level: 3}
	f, err := yamlfile.Parse("a.yaml", []byte(`
name: # an empty value keeps the default
period: 1m30s
port: 0x50
limit: 3
on: true
at: [1.5, 2]
zones:
  - id: 01711000000
    height_m: 3.25
  - {id: no, height_m: 4}
limits: {co: 35, o2: 19.5}
master: {id: m}
when: 2026-11-01T06:00:00Z
raw: [1, x]
any: {a: [1]}
plain: text
`), &got)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case got.Name != "default", got.Level != 3, got.Period != 90*time.Second, got.Port != 80,
		got.Limit != 3, !got.On, got.At != [2]float64{1.5, 2},
		got.Zones[0] != zone{"01711000000", 3.25}, got.Zones[1] != zone{"no", 4},
		got.Limits["o2"] != 19.5, got.Master.ID != "m", got.When.Hour() != 6,
		len(got.Raw.Content) != 2, got.Any.(map[string]any)["a"] == nil, got.Plain != "text":
		t.Errorf("got %+v", got)
	}
	for path, line := range map[string]int{
		"": 2, "period": 3, "zones": 8, "zones[0].height_m": 10, "zones[1].id": 11,
		"zones[1].area_m2": 11, "zones[7].id": 8, "limits.co": 12, "nothing.here[3]": 2, "zones[": 8, "]": 2,
	} {
		if got := f.Line(path); got != line {
			t.Errorf("Line(%q) = %d, want %d", path, got, line)
		}
	}
	if f.Node("zones[0].area_m2") != nil || f.Node("zones[0].height_m").Value != "3.25" {
		t.Error("Node does not tell what the file holds from what it does not")
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", "f:1: the file is empty"},
		{"only a comment", "# nothing", "f:1: the file is empty"},
		{"an explicit null", "~", "f:1: the file is empty"},
		{"two documents", "name: a\n---\nname: b", "f:2: more than one document in the file (a line of --- starts another)"},
		{"not yaml", "name: a\n\tport: 1", "f:2: found a tab character that violates indentation"},
		{"not keys and values", "- a", "f:1: want keys and values, have a list"},
		{"an unknown key", "name: a\nhost: b", "f:2: host: unknown key"},
		{"a misspelt key", "zones:\n- id: a\n  heigth_m: 3", "f:3: zones[0].heigth_m: unknown key; did you mean height_m?"},
		{"a hidden field", "hidden: a\nprivate: 1", "f:1: hidden: unknown key\nf:2: private: unknown key"},
		{"a key twice", "name: a\nport: 1\nname: b", "f:3: name: stands twice, first on line 1"},
		{"a key twice in a map", "limits:\n  co: 1\n  co: 2", "f:3: limits.co: stands twice, first on line 2"},
		{"a key twice in anything", "any:\n  co: 1\n  co: 2", `f:3: any: mapping key "co" already defined at line 2`},
		{"a list as key", "[a]: b", "f:1: a key must be one plain word"},
		{"a text for a number", "limit: high", `f:1: limit: want a finite number, have "high"`},
		{"a quoted number", `limit: "3"`, `f:1: limit: want a finite number, have "3"`},
		{"not a number", "limit: .nan", `f:1: limit: want a finite number, have ".nan"`},
		{"infinity", "limit: -.inf", `f:1: limit: want a finite number, have "-.inf"`},
		{"half a number", "level: 1.5", `f:1: level: want a whole number from -128 to 127, have "1.5"`},
		{"too large", "level: 128", `f:1: level: want a whole number from -128 to 127, have "128"`},
		{"negative", "port: -1", `f:1: port: want a whole number from 0 to 65535, have "-1"`},
		{"ambiguous octal", "port: 010\nlimit: 010", "f:1: port: want a whole number from 0 to 65535, have \"010\"\nf:2: limit: want a finite number, have \"010\""},
		{"a yes that is no bool", "on: yes", `f:1: on: want true or false, have "yes"`},
		{"a bare duration", "period: 30", `f:1: period: want a duration such as 30s or 1m30s, have "30"`},
		{"a list for a text", "name: [a]", "f:1: name: want a text, have a list"},
		{"a text for a list", "zones: a", `f:1: zones: want a list, have "a"`},
		{"a text for keys", "master: a", `f:1: master: want keys and values, have "a"`},
		{"too few of a fixed list", "at: [1]", "f:1: at: want a list of 2, have 1"},
		{"an empty item", "zones:\n- id: a\n-", "f:3: zones[1]: empty item in a list"},
		{"a type that reads itself", "when: today", `f:1: when: parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"`},
		{"a list for one that reads itself", "when: [a]", "f:1: when: want one value, have a list"},
		{"an alias", "master: &a {id: x}\nzones: [*a]", "f:1: anchors and aliases (& and *) are not read here; write the value out\nf:2: anchors and aliases (& and *) are not read here; write the value out"},
		{"a tag", "name: !secret x", "f:1: tags (!secret) are not read here"},
		{"a merge", "<<: {name: a}", "f:1: <<: unknown key"},
		{"all of them at once", "port: x\nfoo: 1\nzones:\n- height_m: tall\n  id: [1]\non: 1",
			"f:1: port: want a whole number from 0 to 65535, have \"x\"\nf:2: foo: unknown key\n" +
				"f:4: zones[0].height_m: want a finite number, have \"tall\"\nf:5: zones[0].id: want a text, have a list\n" +
				"f:6: on: want true or false, have \"1\""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c config
			f, err := yamlfile.Parse("f", []byte(test.text), &c)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if !errors.Is(err, safety.ErrInvalid) {
				t.Error("does not wrap safety.ErrInvalid")
			}
			if f == nil {
				t.Error("no File beside the mistakes")
			}
			if c.private != 0 {
				t.Error("a private field was set")
			}
		})
	}
}

func TestJoin(t *testing.T) {
	f, err := yamlfile.Parse("b", []byte("port: x\nzones:\n- id: a\n"), &config{})
	joined := yamlfile.Join(nil, f.Errorf("zones[0].height_m", "missing: say %d", 3), err, errors.New("cannot read c"))
	want := "cannot read c\nb:1: port: want a whole number from 0 to 65535, have \"x\"\nb:3: zones[0].height_m: missing: say 3"
	if joined.Error() != want {
		t.Errorf("got  %v\nwant %s", joined, want)
	}
	if !errors.Is(joined, safety.ErrInvalid) {
		t.Error("does not wrap safety.ErrInvalid")
	}
	if err := yamlfile.Join(nil, nil); err != nil {
		t.Errorf("no mistakes gave %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("name: a\nzones:\n- {id: a, height_m: 3}\nat: [1, 2]"), "zones[0].id")
	f.Add([]byte("a: &a [*a]\n---\n"), "a[0][0]")
	f.Add([]byte("raw: {x: !!int z}\nany: {? [a] : b, <<: {c: d}}\nwhen: 1"), "raw.x")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		var c config
		file, err := yamlfile.Parse("f", data, &c)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2
		if err == nil && (file.Line(path) < 1 || file.Line(path) > lines+strings.Count(string(data), "\u0085")+strings.Count(string(data), "\u2028")+strings.Count(string(data), "\u2029")) {
			t.Errorf("line %d of %d", file.Line(path), lines)
		}
		if err != nil && !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%v does not wrap safety.ErrInvalid", err)
		}
	})
}
