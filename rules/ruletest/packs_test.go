package ruletest_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"nirapod/rules"
	"nirapod/rules/ruletest"
)

// shippedCases reads the cases of all shipped packs, by pack.
func shippedCases(t *testing.T) map[string]ruletest.File {
	t.Helper()
	names, err := fs.Glob(rules.Shipped, "*_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]ruletest.File{}
	for _, name := range names {
		data, err := fs.ReadFile(rules.Shipped, name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ruletest.Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		if f.Pack != strings.TrimSuffix(path.Base(name), "_test.yml") {
			t.Errorf("%s is about pack %q", name, f.Pack)
		}
		out[f.Pack] = f
	}
	return out
}

func shippedPacks(t *testing.T) []rules.Pack {
	t.Helper()
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

func TestTheShippedPacksDoWhatTheirCasesSay(t *testing.T) {
	packs, files := shippedPacks(t), shippedCases(t)
	for _, p := range packs {
		f, ok := files[p.Name]
		if !ok || len(f.Cases) == 0 {
			t.Errorf("pack %s has no cases", p.Name)
		}
		for _, wrong := range f.Run(packs) {
			t.Errorf("%s: %s", p.Name, wrong)
		}
	}
}

// The examples in the document are rules and cases that work.
func TestTheExamplesOfTheDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples []string
	for part := range strings.SplitSeq(string(doc), "```yaml\n") {
		text, _, _ := strings.Cut(part, "```")
		examples = append(examples, text)
	}
	if len(examples) != 4 {
		t.Fatalf("%d examples, want a pack, its cases and a map", len(examples)-1)
	}
	if _, err := rules.Load(fstest.MapFS{"doc.yml": {Data: []byte(examples[1])}}); err != nil {
		t.Error(err)
	}
	f, err := ruletest.Parse("doc_test.yml", []byte(examples[2]))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range f.Run(shippedPacks(t)) {
		t.Error(wrong)
	}
	f.Cases[0].Want = f.Cases[0].Want[1:]
	if len(f.Run(shippedPacks(t))) != 1 {
		t.Error("a case with a line missing passes")
	}
}
