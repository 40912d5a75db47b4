package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A rule without a word would stand on a screen under the name that programs
// give it.
func TestEveryRuleHasAWordInBothLanguages(t *testing.T) {
	packs, err := filepath.Glob("../../rules/packs/*.yml")
	if err != nil || len(packs) == 0 {
		t.Fatalf("no rule packs: %v", err)
	}
	name := regexp.MustCompile(`(?m)^  - name: (\S+)$`)
	for _, language := range []string{"bn", "en"} {
		words, err := os.ReadFile("src/messages/" + language + ".ts")
		if err != nil {
			t.Fatal(err)
		}
		for _, pack := range packs {
			if strings.HasSuffix(pack, "_test.yml") {
				continue
			}
			text, err := os.ReadFile(pack)
			if err != nil {
				t.Fatal(err)
			}
			rules := name.FindAllStringSubmatch(string(text), -1)
			if len(rules) == 0 {
				t.Errorf("%s: no rules found", pack)
			}
			for _, rule := range rules {
				if !regexp.MustCompile(`[ {]'?` + regexp.QuoteMeta(rule[1]) + `'?: '`).Match(words) {
					t.Errorf("%s has no word for rule %s of %s", language, rule[1], filepath.Base(pack))
				}
			}
		}
	}
}
