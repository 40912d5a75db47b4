package rules_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/rules"
	"nirapod/safety"
)

const ownPack = `rules:
  - {name: first, hazard: gas, class: alarm, severity: prealarm, scope: sensor, quantity: co, runs: [gateway, server], clause: a standard, when: value >= low,
     reset: value < calm, limits: {low: {value: 35, unit: ppm, source: s, clause: c, confidence: chosen}, calm: {value: 30, unit: ppm, source: s, clause: c, confidence: chosen}}}
  - {name: second, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, runs: [gateway, server], clause: c, when: value >= high, for: 2s,
     limits: {high: {value: 200, unit: ppm, source: s, clause: c, confidence: chosen}}}
  - {name: thin, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: o2, runs: [gateway, server], clause: c, when: value < thin_air,
     limits: {thin_air: {value: 19.5, unit: "%", source: s, clause: c, confidence: chosen}}}
  - {name: hot, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: temperature, runs: [gateway, server], clause: c, when: value >= static,
     limits: {static: {by_class: {A1: 54, B: 69}, unit: Cel, source: s, clause: c, confidence: chosen}}}
`

func own(rule, limit string, value float64, unit string, change ...func(*safety.SiteLimit)) safety.SiteLimit {
	o := safety.SiteLimit{Rule: rule, Limit: limit, Value: value, Unit: unit, Source: "committee of 2026-03-01", Clause: "one door", Confidence: "chosen"}
	for _, fn := range change {
		fn(&o)
	}
	return o
}

func ofClass(class string) func(*safety.SiteLimit) {
	return func(o *safety.SiteLimit) { o.Class = class }
}

func ownPacks(t *testing.T) []rules.Pack {
	t.Helper()
	packs, err := rules.Load(mapFS(ownPack))
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

func TestMistakesInASitesOwnValues(t *testing.T) {
	for _, c := range []struct {
		name string
		own  []safety.SiteLimit
		want string
	}{
		{"a rule unheard of", []safety.SiteLimit{own("frist", "low", 30, "ppm")}, `limits[0].rule: there is no rule "frist"; near it are first`},
		{"a limit unheard of", []safety.SiteLimit{own("first", "lov", 30, "ppm")}, `limits[0].limit: rule first has no limit "lov"; it has low, calm`},
		{"another unit", []safety.SiteLimit{own("first", "low", 30, "%LEL")}, `limits[0].unit: "%LEL": low of rule first is in ppm`},
		{"no source", []safety.SiteLimit{own("first", "low", 33, "ppm", func(o *safety.SiteLimit) { o.Source = "" })}, "limits[0].source: missing"},
		{"no clause", []safety.SiteLimit{own("first", "low", 33, "ppm", func(o *safety.SiteLimit) { o.Clause = " " })}, "limits[0].clause: missing"},
		{"sure of it", []safety.SiteLimit{own("first", "low", 33, "ppm", func(o *safety.SiteLimit) { o.Confidence = "sure" })}, `limits[0].confidence: "sure": want one of`},
		{"twice", []safety.SiteLimit{own("first", "low", 33, "ppm"), own("first", "low", 34, "ppm")}, "limits[1].limit: low of rule first is set already by limits[0]"},
		{"a class of what has none", []safety.SiteLimit{own("first", "low", 33, "ppm", ofClass("B"))}, "limits[0].class: low is one value for all"},
		{"no class of what is tabled", []safety.SiteLimit{own("hot", "static", 60, "Cel")}, "limits[0].class"},
		{"a class that is not tabled", []safety.SiteLimit{own("hot", "static", 60, "Cel", ofClass("Q"))}, `limits[0].class: "Q"`},
		{"an end above the beginning", []safety.SiteLimit{own("first", "low", 25, "ppm")}, "limits[0].value: rule first: low 25 would be below calm 30"},
	} {
		_, err := rules.New(ownPacks(t), rules.Plant{Factory: "f", Limits: c.own}, rules.Server, safety.ServerSource)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestASiteIsAskedTwiceWhereItProtectsLess(t *testing.T) {
	for _, c := range []struct {
		own   safety.SiteLimit
		doubt string
	}{
		{own("first", "low", 32, "ppm"), ""},
		{own("first", "low", 40, "ppm"), "protects less"},
		{own("thin", "thin_air", 19, "%"), "protects less"},
		{own("thin", "thin_air", 20, "%"), ""},
		{own("second", "high", 20, "ppm"), "is it a slip?"},
		{own("hot", "static", 60, "Cel", ofClass("B")), ""},
		{own("hot", "static", 75, "Cel", ofClass("B")), "protects less"},
	} {
		_, changes := rules.Own(ownPacks(t), []safety.SiteLimit{c.own}, func(_ int, field, text string) { t.Errorf("%s: %s", field, text) })
		if len(changes) != 1 || (changes[0].Doubt == "") != (c.doubt == "") || !strings.Contains(changes[0].Doubt, c.doubt) {
			t.Errorf("%v: %+v, want %q", c.own, changes, c.doubt)
		}
	}
}

// toldWith runs readings of one sensor, one each second, and returns what is told.
func toldWith(t *testing.T, packs []rules.Pack, limits []safety.SiteLimit, runs rules.RunsOn, source string, values ...float64) (out []string) {
	t.Helper()
	s := sensorOf("co-1", safety.CO)
	e, err := rules.New(packs, rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: s.Zone}}, Sensors: []safety.Sensor{s}, Limits: limits}, runs, source)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		for _, tr := range e.Observe(safety.Reading{Sensor: "co-1", Value: v, Quality: safety.Good, At: start.Add(time.Duration(i) * time.Second)}) {
			out = append(out, fmt.Sprint(tr.Rule, tr.RuleVersion, tr.Point, tr.To, tr.Clause, tr.Values))
		}
	}
	return out
}

// Two factories of one server share packs and have values of their own; gateway
// and server of one say the same.
func TestEachFactoryHasItsOwnValues(t *testing.T) {
	packs := ownPacks(t)
	values := []float64{0, 33, 33, 36, 250, 250, 250, 0}
	lower := []safety.SiteLimit{own("first", "low", 32, "ppm")}
	plain := toldWith(t, packs, nil, rules.Server, safety.ServerSource, values...)
	ours := toldWith(t, packs, lower, rules.Server, safety.ServerSource, values...)
	if again := toldWith(t, packs, nil, rules.Server, safety.ServerSource, values...); !slices.Equal(plain, again) {
		t.Errorf("one factory's values changed another's:\n%q\n%q", plain, again)
	}
	if box := toldWith(t, packs, lower, rules.Gateway, "gw-1", values...); !slices.Equal(ours, box) {
		t.Errorf("the gateway says\n%q\nthe server\n%q", box, ours)
	}
	if slices.Equal(plain, ours) || !strings.Contains(strings.Join(ours, "\n"), "low 32 ppm instead of 35 ppm") {
		t.Errorf("%q", ours)
	}
}

// A value of a site changes the meaning of one rule: the state of all others is kept.
func TestStateOutlivesTheValueOfAnotherRule(t *testing.T) {
	packs := ownPacks(t)
	s := sensorOf("co-1", safety.CO)
	plant := rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: s.Zone}}, Sensors: []safety.Sensor{s}}
	e, err := rules.New(packs, plant, rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		e.Observe(safety.Reading{Sensor: "co-1", Value: 250, Quality: safety.Good, At: start.Add(time.Duration(i) * time.Second)})
	}
	saved := e.Snapshot()
	plant.Limits = []safety.SiteLimit{own("first", "low", 32, "ppm")}
	edited, err := rules.New(packs, plant, rules.Server, safety.ServerSource)
	if err != nil {
		t.Fatal(err)
	}
	dropped := fmt.Sprint(edited.Restore(saved))
	if !strings.Contains(dropped, "first") || strings.Contains(dropped, "second") {
		t.Errorf("dropped %v", dropped)
	}
	for _, tr := range edited.Observe(safety.Reading{Sensor: "co-1", Value: 250, Quality: safety.Good, At: start.Add(7 * time.Second)}) {
		if tr.Rule == "second" {
			t.Errorf("the rule that nobody edited is told again: %v", tr)
		}
	}
}

// The example of docs/rules.md fits the shipped packs.
func TestTheExampleOfOwnValuesFits(t *testing.T) {
	doc, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(doc), "```\nfactory:")
	text, _, _ := strings.Cut(after, "```")
	var site safety.Site
	if err := yaml.Unmarshal([]byte("factory:"+text), &site); err != nil || !found {
		t.Fatal(found, err)
	}
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	_, changes := rules.Own(packs, site.Factory.Limits, func(i int, field, text string) { t.Errorf("limits[%d].%s: %s", i, field, text) })
	if len(changes) != 2 || changes[0].Doubt+changes[1].Doubt != "" {
		t.Errorf("%v", changes)
	}
}
