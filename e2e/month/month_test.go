package month_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nirapod/e2e/month"
	sim "nirapod/firmware-sim"
	"nirapod/firmware-sim/factory"
	"nirapod/internal/measured"
	"nirapod/rules"
	"nirapod/safety"
)

var (
	whole  = flag.Bool("month", false, "live through the whole month: minutes")
	seed   = flag.Uint64("seed", 1, "of the month")
	update = flag.Bool("update", false, "write the month's tables into docs/evaluation.md")
)

const (
	shared   = "../../../shared/data"
	document = "../../docs/evaluation.md"
	mark     = "<!-- month -->\n" // between two of these the tables stand
)

// The day's fires are the simulator's own: bales that smoulder before they
// flame, and a fire among hot work that grows fast (NFPA 72, annex), both chosen.
var (
	slowStore  = sim.Fire{Smoulder: 4 * time.Minute, Pyrolysis: 3, Growth: 0.0117, Peak: 500, Burn: 10 * time.Minute}
	amongIrons = sim.Fire{Smoulder: time.Minute, Pyrolysis: 1, Growth: 0.047, Peak: 400, Burn: 8 * time.Minute}
)

// TestFactoryDay is a day with all that a day holds and two fires: one while
// people iron, one at night when nobody is there.
func TestFactoryDay(t *testing.T) {
	if testing.Short() {
		t.Skip("a day takes ten seconds, and a minute under the race detector")
	}
	cfg := factory.Config{Seed: 1, Days: 1, Fires: []factory.Fire{
		{Name: "store", Zone: "store", At: 2*time.Hour + 40*time.Minute, Burns: slowStore},
		{Name: "finishing", Zone: "finishing", At: 10*time.Hour + 41*time.Minute, Burns: amongIrons},
	}}
	v := live(t, shipped(t), cfg)
	held(t, v)
	for _, kind := range factory.Kinds {
		if v.Happened[kind] == 0 {
			t.Errorf("a day without %s", kind)
		}
	}
	for _, rule := range []string{"sensor-stale", "sensor-blind"} { // the day has power cuts, and the SIM is out
		if v.Others[rule]+v.OfServer[rule] > 0 {
			t.Errorf("%s is told %d times by the gateways and %d times by the server: none was, where its gateway ran", rule, v.Others[rule], v.OfServer[rule])
		}
	}
	if hot := v.Highest("shed", safety.Temperature); hot < 50 {
		t.Errorf("only %.1f °C under the tin roof", hot)
	}
}

// TestFactoryMonth holds the shipped packs to the bar, and docs/evaluation.md to
// what came out.
func TestFactoryMonth(t *testing.T) {
	if !*whole {
		t.Skip("the whole month takes minutes: make eval")
	}
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the recordings in ../shared/data are not here")
	}
	cfg := factory.Config{Seed: *seed, Days: 30}
	fires, err := month.Fires(cfg, os.DirFS(shared))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Fires = fires; len(fires) != 6 {
		t.Fatalf("%d fires, want six", len(fires))
	}
	v := live(t, shipped(t), cfg)
	fmt.Println(v.Table())
	held(t, v)
	if hot := v.Highest("shed", safety.Temperature); hot < 52 {
		t.Errorf("only %.1f °C under the tin roof", hot)
	}
	if *seed == 1 {
		measured.Hold(t, document, mark, v.Table(), *update)
	}
}

// The judge must be able to say no.

// Rules that answer at twice their limits miss a fire.
func TestDoubledLimitsMissAFire(t *testing.T) {
	if testing.Short() {
		t.Skip("hours of readings")
	}
	cfg := factory.Config{Seed: 1, Days: 1, From: 20 * time.Hour, Fires: []factory.Fire{
		{Name: "finishing", Zone: "finishing", At: 20*time.Hour + 10*time.Minute, Burns: amongIrons},
	}}
	held(t, live(t, shipped(t), cfg))
	v := live(t, changed(t, doubled), cfg)
	if wrong := v.Missed(); !says(wrong, "finishing in finishing: not found within 10m0s") {
		t.Errorf("the judge says %q of %+v", wrong, v.Fires)
	}
}

// Without the delay for steam the dye-house raises fires, and without permits
// fogging sends everybody into the street and tells the desk.
func TestWithoutDelayAndPermitsTheBarBreaks(t *testing.T) {
	if testing.Short() {
		t.Skip("hours of readings")
	}
	v := live(t, changed(t, undelayed), factory.Config{Seed: 1, Days: 1, From: 17 * time.Hour, Careless: true})
	wrong := v.Missed()
	for _, want := range []string{"evacuation without a fire", "confirmed signal without a fire", "notice without a fire", "staff called"} {
		if !says(wrong, want) {
			t.Errorf("nothing of %q in %q", want, wrong)
		}
	}
	if !slices.ContainsFunc(v.Alarms, func(r month.Raised) bool { return r.Rule == "heat-rise" && r.Zone == "dyeing" }) {
		t.Errorf("no fire is raised by steam: %v", v.Alarms)
	}
	if v := live(t, shipped(t), factory.Config{Seed: 1, Days: 1, From: 17 * time.Hour}); len(v.Missed()) > 0 {
		t.Errorf("the same hours with both: %q", v.Missed())
	}
}

func says(wrong []string, want string) bool {
	return slices.ContainsFunc(wrong, func(w string) bool { return strings.Contains(w, want) })
}

func held(t *testing.T, v *month.Verdict) {
	t.Helper()
	for _, wrong := range v.Missed() {
		t.Error(wrong)
	}
}

func live(t *testing.T, packs []rules.Pack, cfg factory.Config) *month.Verdict {
	t.Helper()
	v, err := month.Run(t.Context(), packs, cfg, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func shipped(t *testing.T) []rules.Pack {
	t.Helper()
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

// changed loads the shipped packs with their text changed.
func changed(t *testing.T, change func(string) string) []rules.Pack {
	t.Helper()
	files := fstest.MapFS{}
	for _, p := range shipped(t) {
		text, err := fs.ReadFile(rules.Shipped, p.File)
		if err != nil {
			t.Fatal(err)
		}
		files[p.File] = &fstest.MapFile{Data: []byte(change(string(text)))}
	}
	packs, err := rules.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

var (
	figure   = regexp.MustCompile(`(value|A1|A2|B|C|D|E|F|G): ([0-9.]+)`)
	delaying = regexp.MustCompile(`(?m)^    delay:\n      while: .*\n      at_most: .*\n`)
	ofDelay  = regexp.MustCompile(`(?m)^      steam:\n(        .*\n)+`)
)

// doubled makes every limit twice what it is.
func doubled(pack string) string {
	return figure.ReplaceAllStringFunc(pack, func(text string) string {
		name, number, _ := strings.Cut(text, ": ")
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			panic(err)
		}
		return fmt.Sprintf("%s: %g", name, 2*value)
	})
}

// undelayed takes the delay for steam away, and its limit.
func undelayed(pack string) string {
	return ofDelay.ReplaceAllString(delaying.ReplaceAllString(pack, ""), "")
}
