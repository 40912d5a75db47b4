package explain_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"nirapod/rules"
	"nirapod/rules/explain"
	"nirapod/safety"
)

func shipped(t *testing.T, names ...string) (string, error) {
	t.Helper()
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	err = explain.Write(&b, packs, names)
	return b.String(), err
}

const rule = `rules:
  - name: co-first
    hazard: gas
    class: alarm
    severity: prealarm
    scope: sensor
    quantity: co
    when: mean("60s") >= first_stage
    reset: mean("60s") < clear
    keep_firing_for: 60s
    runs: [gateway, server]
    clause: a one-minute mean
    limits:
      first_stage: {value: 35, unit: ppm, source: NIOSH REL, clause: time-weighted, confidence: secondary}
      clear: {value: 25, unit: ppm, source: ACGIH TLV, clause: below it the stage ends, confidence: recalled}
`

func TestARuleInWords(t *testing.T) {
	packs, err := rules.Load(fstest.MapFS{"gas.yml": {Data: []byte(rule)}})
	if err != nil {
		t.Fatal(err)
	}
	want := `co-first (pack gas)
  what: an alarm of severity prealarm about gas
  where: each sensor of co; runs on the gateway and the server
  fires when: its mean over 60s is at least first_stage (35 ppm)
  ends: when its mean over 60s is less than clear (25 ppm), for 1m0s
  unknown when: fewer than 75 % of the readings of the last 60s are there, or none for three periods
  limit: first_stage = 35 ppm (NIOSH REL; time-weighted; read in a secondary source)
  limit: clear = 25 ppm (ACGIH TLV; below it the stage ends; recalled, to be verified before it is relied on)
  told with it: a one-minute mean
`
	if got := explain.Rule("gas", packs[0].Rules[0]); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every limit of every shipped rule is told with its source, and no condition
// is left in the language of rules.
func TestEveryShippedRuleIsInWords(t *testing.T) {
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packs {
		for _, r := range p.Rules {
			text := explain.Rule(p.Name, r)
			for _, l := range r.Limits {
				if !strings.Contains(text, l.Source) || !strings.Contains(text, l.Name+" = ") {
					t.Errorf("%s does not tell limit %s", r.Name, l.Name)
				}
			}
			for _, sign := range []string{"&&", "||", ">=", "<=", "==", "#", `("`} {
				if strings.Contains(text, sign) {
					t.Errorf("%s holds %q:\n%s", r.Name, sign, text)
				}
			}
		}
	}
}

func TestAPackAndANameThatNothingHas(t *testing.T) {
	got, err := shipped(t, "crowd")
	if err != nil || !strings.Contains(got, "overcrowded (pack crowd)") || strings.Contains(got, "pack fire") {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := shipped(t, "sprinkler"); !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), "heat-static") {
		t.Errorf("got %v", err)
	}
}
