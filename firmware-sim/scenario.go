package sim

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nirapod/internal/yamlfile"
)

// shipped holds the scenarios and buildings that come with the program.
//
//go:embed scenarios/*.yaml buildings/*.yaml
var shipped embed.FS

// Scenario is what happens in a building. It is read-only after Load.
type Scenario struct {
	Name      string     `yaml:"name"`
	About     string     `yaml:"about"`    // for people
	Clock     string     `yaml:"clock"`    // local time of day at start, HH:MM; default 10:00
	Building  string     `yaml:"building"` // name of a shipped one, or file relative to the scenario's
	Fires     []Fire     `yaml:"fires"`
	Leaks     []Leak     `yaml:"leaks"`
	Sources   []Source   `yaml:"sources"`
	Crowds    []Crowd    `yaml:"crowds"`
	Events    []Event    `yaml:"events"`
	Recording *Recording `yaml:"recording"`

	building Building
	clock    time.Duration
}

// Fire is one fire: pyrolysis, then flames. See its method at.
type Fire struct {
	Zone      string        `yaml:"zone"`
	At        time.Duration `yaml:"at"`
	Smoulder  time.Duration `yaml:"smoulder"`          // from At to the first flames
	Pyrolysis float64       `yaml:"pyrolysis_g_per_s"` // at the end of the smouldering
	Growth    float64       `yaml:"growth_kw_per_s2"`
	Peak      float64       `yaml:"peak_kw"`
	Burn      time.Duration `yaml:"burn"` // from the first flames to burn-out
}

// Event happens at a time of the scenario: exactly one of Set and Fault.
type Event struct {
	At    time.Duration `yaml:"at"`
	Set   *Setting      `yaml:"set"`
	Fault *Fault        `yaml:"fault"`
}

// Setting puts an input pin to a level, or one quantity of a zone's air to a
// value. With For it ends by itself: the pin goes back to the other level, the
// air to its physics. Clear ends an earlier setting of that quantity.
type Setting struct {
	Pin      string        `yaml:"pin" json:"pin,omitempty"`
	Level    bool          `yaml:"level" json:"level,omitempty"`
	Zone     string        `yaml:"zone" json:"zone,omitempty"`
	Quantity string        `yaml:"quantity" json:"quantity,omitempty"` // temperature °C, humidity %RH, smoke_od 1/m, co and co2 ppm
	Value    float64       `yaml:"value" json:"value,omitempty"`
	Clear    bool          `yaml:"clear" json:"clear,omitempty"`
	For      time.Duration `yaml:"for" json:"for,omitempty"`
}

// The quantities of a zone's air that can be set or driven by a recording.
const (
	quantityTemperature = "temperature"
	quantityHumidity    = "humidity"
	quantitySmoke       = "smoke_od"
	quantityCO          = "co"
	quantityCO2         = "co2"
)

// Load reads a scenario by the name of a shipped one or by its file, checks it
// and its building whole and reads its recording. recording, unless empty, is
// the CSV file to play instead of the one that the scenario names; the scenario
// must have a recording section. All mistakes are told at once, with file and
// line, and wrap safety.ErrInvalid.
func Load(name, recording string) (*Scenario, error) {
	file, data, err := source("scenarios", name, "")
	if err != nil {
		return nil, err
	}
	sc := &Scenario{Clock: "10:00", building: Building{Vref: 3.3}}
	f, err := yamlfile.Parse(file, data, sc)
	if err != nil {
		return nil, err
	}
	buildingFile, data, err := source("buildings", sc.Building, filepath.Dir(file))
	if err != nil {
		return nil, yamlfile.Join(f.Errorf("building", "%v", err))
	}
	bf, err := yamlfile.Parse(buildingFile, data, &sc.building)
	if err != nil {
		return nil, err
	}
	sc.building.defaults()
	c := &checker{file: bf, names: make(map[string]string), zones: make(map[string]bool)}
	c.checkBuilding(sc.building)
	c.file = f
	c.checkScenario(sc)
	if err := yamlfile.Join(c.found...); err != nil {
		return nil, err
	}
	return sc, sc.loadRecording(f, filepath.Dir(file), recording)
}

func (sc *Scenario) loadRecording(f *yamlfile.File, dir, instead string) error {
	switch {
	case sc.Recording == nil && instead == "":
		return nil
	case sc.Recording == nil:
		return yamlfile.Join(f.Errorf("", "has no recording section to play %s in", instead))
	case instead == "" && sc.Recording.File == "":
		return yamlfile.Join(f.Errorf("recording.file", "a file is wanted, here or as -recording"))
	case instead == "":
		instead = filepath.Join(dir, sc.Recording.File)
	}
	if err := sc.Recording.read(instead); err != nil {
		return yamlfile.Join(f.Errorf("recording", "%v", err))
	}
	return nil
}

// Names returns the names of the shipped scenarios.
func Names() []string { return shippedNames("scenarios") }

func shippedNames(kind string) []string {
	entries, err := shipped.ReadDir(kind)
	if err != nil {
		panic(err) // embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// source finds a file, relative to dir, or a shipped one by its plain name.
func source(kind, name, dir string) (file string, data []byte, err error) {
	if strings.ContainsAny(name, `./\`) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		data, err = os.ReadFile(name)
		return name, data, err
	}
	data, err = shipped.ReadFile(kind + "/" + name + ".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%q is no file (they have a dot or a slash) and not among the shipped %s: %s",
			name, kind, strings.Join(shippedNames(kind), ", "))
	}
	return name + ".yaml", data, err
}
