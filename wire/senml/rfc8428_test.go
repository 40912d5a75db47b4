package senml_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/wire/senml"
)

// rfcDir holds the examples of RFC 8428: exN.json as printed, exN.gen.json in
// one canonical form, exN.gen.resolved.json resolved; .wrap is the same with
// lines broken for the page.
const rfcDir = "../../../shared/data/senml-rfc8428"

var lim = senml.Limits{Bytes: 1 << 16, Records: 1000}

// rfcNow is the now at which the authors resolved examples without a time.
func rfcNow(name string) time.Time {
	if strings.HasPrefix(name, "ex7.") {
		return time.Unix(1499109309, 0)
	}
	return time.Unix(1498780179, 0)
}

func rfcFiles(t *testing.T, pattern string) []string {
	if _, err := os.Stat(rfcDir); err != nil {
		t.Skip("the RFC's examples are not here: ../shared/data/senml-rfc8428")
	}
	files, err := filepath.Glob(filepath.Join(rfcDir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, rfcDir, err)
	}
	return files
}

func parseFile(t *testing.T, path string) []senml.Record {
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := senml.ParseJSON(src, lim)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return recs
}

func resolveFile(t *testing.T, path string) []senml.Resolved {
	out, err := senml.Resolve(parseFile(t, path), rfcNow(filepath.Base(path)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

// same compares what records say, whatever their number in the pack.
func same(a, b senml.Resolved) bool {
	return a.Has == b.Has && a.N == b.N && a.U == b.U && math.Float64bits(a.V) == math.Float64bits(b.V) &&
		a.VS == b.VS && a.VB == b.VB && slices.Equal(a.VD, b.VD) && a.S == b.S && a.T == b.T && a.UT == b.UT &&
		slices.Equal(a.Extra, b.Extra)
}

func TestEveryExampleResolvesAsPublished(t *testing.T) {
	tested := 0
	for _, published := range rfcFiles(t, "ex*.gen.resolved.json") {
		stem := strings.TrimSuffix(published, ".gen.resolved.json")
		want := resolveFile(t, published)
		forms, err := filepath.Glob(stem + ".*json")
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range forms {
			got := resolveFile(t, form)
			if filepath.Base(stem) == "ex7" && form != published {
				// The tool that made the published file left the data value out.
				got = slices.DeleteFunc(got, func(r senml.Resolved) bool { return r.Has&senml.HasVD != 0 })
			}
			if !slices.EqualFunc(got, want, same) {
				t.Errorf("%s:\n got %+v\nwant %+v", filepath.Base(form), got, want)
			}
			tested++
		}
	}
	if tested < 40 {
		t.Errorf("only %d files", tested)
	}
}

// The RFC prints example 13 for its encoding; no resolved form is published.
func TestExampleOfTheCBORSectionResolves(t *testing.T) {
	rfcFiles(t, "ex13.json")
	for _, name := range []string{"ex13.json", "ex13.gen.json"} {
		got := resolveFile(t, filepath.Join(rfcDir, name))
		if len(got) != 4 || got[3].N != "2001:db8::4" || got[3].U != "/" || got[3].T != 1320078429.1 || got[3].V != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTheOlderObjectFormIsRefused(t *testing.T) {
	for _, path := range rfcFiles(t, "example/senml.json") {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if recs, err := senml.ParseJSON(src, lim); err == nil {
			t.Errorf("%s: %+v", path, recs)
		}
	}
}

func TestExamplesGoThroughBothForms(t *testing.T) {
	for _, path := range rfcFiles(t, "ex*.json") {
		want := resolveFile(t, path)
		recs := parseFile(t, path)
		asJSON, err := senml.AppendJSON(nil, recs)
		if err != nil {
			t.Fatal(err)
		}
		asCBOR, err := senml.AppendCBOR(nil, recs)
		if err != nil {
			t.Fatal(err)
		}
		fromJSON, err := senml.ParseJSON(asJSON, lim)
		if err != nil {
			t.Fatalf("%s: %v", asJSON, err)
		}
		fromCBOR, err := senml.ParseCBOR(asCBOR, lim)
		if err != nil {
			t.Fatalf("%x: %v", asCBOR, err)
		}
		for form, recs := range map[string][]senml.Record{"json": fromJSON, "cbor": fromCBOR} {
			got, err := senml.Resolve(recs, rfcNow(filepath.Base(path)))
			if err != nil || !slices.EqualFunc(got, want, same) {
				t.Errorf("%s by %s: %v\n got %+v\nwant %+v", filepath.Base(path), form, err, got, want)
			}
		}
	}
}
