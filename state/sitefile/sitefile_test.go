package sitefile_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
	"nirapod/state/sitefile"
)

var update = flag.Bool("update", false, "write what is found into testdata/*.txt")

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGood(t *testing.T) {
	site, warnings, err := sitefile.Parse("site.yml", read(t, "testdata/site.good.yml"))
	if err != nil || warnings != nil {
		t.Fatalf("mistakes\n%v\nwarnings\n%v", err, warnings)
	}
	if site.Factory.Delays.DayV1.Seconds() != 30 || len(site.Sensors) != 5 || site.Zones[0].Polygon[2] != (safety.Point{12, 10}) {
		t.Errorf("read as %+v", site)
	}
}

func TestDemo(t *testing.T) {
	data := read(t, "../../app/demo/site.yaml")
	site, warnings, err := sitefile.Parse("site.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		if !strings.Contains(w.Text, "no door contact") && !strings.Contains(w.Text, "without a globe thermometer") {
			t.Errorf("unexpected warning: %v", w)
		}
	}
	if !site.Factory.Demo || site.Factory.Office.Value != "gazipur" {
		t.Error("the demonstration does not say that it is one, or lies in another office")
	}
	for _, fact := range []safety.Fact{site.Factory.Registration, site.Factory.Licence} {
		if !strings.HasPrefix(fact.Value, "DEMO-") || fact.Verified {
			t.Errorf("a made-up fact passes for a real one: %+v", fact)
		}
	}
	var drawn float64
	for _, z := range site.Zones {
		if z.Use != "roof" {
			drawn += z.Area
		}
	}
	if drawn != 2*40*20-2*32 { // each stair stands on both floors and is drawn on one
		t.Errorf("the zones cover %v m² of two floors of 800 m²", drawn)
	}
}

// TestFixtures reads testdata/site.<what-is-wrong>.yml and compares what is
// said of it with the .txt beside it.
func TestFixtures(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/site.*.yml")
	if err != nil || len(fixtures) < 5 {
		t.Fatalf("%d fixtures, %v", len(fixtures), err)
	}
	for _, path := range fixtures {
		t.Run(filepath.Base(path), func(t *testing.T) {
			_, warnings, err := sitefile.Parse(filepath.Base(path), read(t, path))
			got := ""
			if err != nil {
				got = err.Error() + "\n"
			}
			if warnings != nil {
				got += "warnings\n" + warnings.Error() + "\n"
			}
			golden := strings.TrimSuffix(path, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(read(t, golden)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for _, path := range []string{"testdata/site.good.yml", "../../app/demo/site.yaml"} {
		site, _, err := sitefile.Parse(path, read(t, path))
		if err != nil {
			t.Fatal(err)
		}
		out, err := sitefile.Export(site)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := sitefile.Parse("exported", out)
		if err != nil || !reflect.DeepEqual(again, site) {
			t.Errorf("%s does not come back equal: %v\n%s", path, err, out)
		}
		if !strings.Contains(string(out), "day_v1: 30s\n") || !strings.Contains(string(out), "[[0, 0], [40, 0], [40, 20], [0, 20]]\n") &&
			!strings.Contains(string(out), "[[0, 0], [20, 0], [20, 10], [0, 10]]\n") {
			t.Errorf("%s is not exported as people write it:\n%s", path, out)
		}
	}
}

func TestRoundTripOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, number := rapid.String(), rapid.Float64Range(-1e9, 1e9)
		point := rapid.Custom(func(t *rapid.T) safety.Point { return safety.Point{number.Draw(t, "x"), number.Draw(t, "y")} })
		zone := rapid.Custom(func(t *rapid.T) safety.Zone {
			return safety.Zone{
				ID: text.Draw(t, "id"), Name: safety.Name{BN: text.Draw(t, "bn")}, Height: number.Draw(t, "height"), Polygon: rapid.SliceOf(point).Draw(t, "polygon"),
				Adjacent: rapid.SliceOf(text).Draw(t, "adjacent"), Nuisances: []string{}, Required: []string{}, HighBay: rapid.Bool().Draw(t, "bay"),
			}
		})
		site := safety.Site{Zones: rapid.SliceOf(zone).Draw(t, "zones"), Factory: safety.Factory{ISIC: text.Draw(t, "isic")}}
		out, err := sitefile.Export(site)
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := sitefile.Parse("exported", out)
		if !reflect.DeepEqual(got.Zones, site.Zones) || got.Factory.ISIC != site.Factory.ISIC {
			t.Fatalf("got  %#v\nwant %#v\n%s", got.Zones, site.Zones, out)
		}
	})
}

func TestNotASite(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "a list": "- a", "no yaml": "a: [", "an alias": "version: &a 1"} {
		_, _, err := sitefile.Parse("s", []byte(text))
		many, _ := errors.AsType[yamlfile.Mistakes](err)
		if len(many) != 1 || !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, err := os.ReadFile("testdata/site.good.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("zones: [{polygon: [[0,0],[1,1],[0,1],[1,0]]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		site, _, err := sitefile.Parse("s", data)
		if err != nil {
			if !errors.Is(err, safety.ErrInvalid) {
				t.Errorf("%v does not wrap safety.ErrInvalid", err)
			}
			return
		}
		out, err := sitefile.Export(site)
		if err != nil {
			t.Fatal(err)
		}
		if again, _, err := sitefile.Parse("s", out); err != nil || !reflect.DeepEqual(again, site) {
			t.Errorf("does not come back equal: %v\n%s", err, out)
		}
	})
}
