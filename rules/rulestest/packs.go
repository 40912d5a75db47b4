package rulestest

import (
	"fmt"
	"strings"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"nirapod/rules"
	"nirapod/safety"
)

// Packs draws some of the shipped packs, which are taken as they are, and a pack
// of rules that nobody would write. None of them asks for an age: such a rule
// follows the clock, not the readings.
func Packs(t *rapid.T) []rules.Pack {
	shipped, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	var out []rules.Pack
	for _, p := range shipped {
		if rapid.IntRange(0, 3).Draw(t, p.Name) > 0 {
			out = append(out, p)
		}
	}
	var text strings.Builder
	for i := range rapid.IntRange(1, 6).Draw(t, "rules") {
		text.WriteString(drawRule(t, fmt.Sprintf("drawn-%d", i)))
	}
	drawn, err := rules.Load(fstest.MapFS{"drawn.yml": {Data: []byte("rules:\n" + text.String())}})
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	return append(out, drawn...)
}

// figures are limits in every unit that a drawn condition compares with.
const figures = `{hot: {value: 54, unit: Cel, source: s, clause: c, confidence: chosen},
      steep: {value: 20, unit: K/min, source: s, clause: c, confidence: chosen},
      apart: {value: 4, unit: K, source: s, clause: c, confidence: chosen},
      gas: {value: 60, unit: ppm, source: s, clause: c, confidence: chosen},
      leak: {value: 90, unit: ppm/min, source: s, clause: c, confidence: chosen}}`

// asked is a statistic and the limit that it is compared with.
type asked struct {
	quantity     safety.Quantity
	ask, against string
}

var numbers = []asked{
	{safety.Temperature, "value", "hot"}, {safety.Temperature, `mean("10s")`, "hot"}, {safety.Temperature, `max("5s")`, "hot"},
	{safety.Temperature, `min("8s")`, "hot"}, {safety.Temperature, `rise("20s")`, "steep"}, {safety.Temperature, `slope("16s")`, "steep"},
	{safety.CO, "value", "gas"}, {safety.CO, `mean("1m")`, "gas"}, {safety.CO, `rise("12s")`, "leak"},
}

var switches = []safety.Quantity{safety.Smoke, safety.Flame, safety.CallPoint, safety.DoorOpen}

func drawRule(t *rapid.T, name string) string {
	class := rapid.SampledFrom([]string{"alarm", "alarm", "fault", "info"}).Draw(t, "class")
	scope, quantity, when := "zone", "", drawOfZone(t, 2)
	own := rapid.SampledFrom(numbers).Draw(t, "own")
	if rapid.Bool().Draw(t, "ofSensor") {
		scope, quantity, when = "sensor", ", quantity: "+string(own.quantity), drawOfSensor(t, own, class)
	}
	fields := fmt.Sprintf("name: %s, hazard: gas, class: %s, severity: warning, scope: %s%s, clause: c, runs: [gateway, server]", name, class, scope, quantity)
	if hold := rapid.SampledFrom([]time.Duration{0, 0, 1500 * time.Millisecond, 4 * time.Second, 30 * time.Second}).Draw(t, "for"); hold > 0 {
		fields += ", for: " + hold.String()
	}
	switch {
	case class == "alarm" && rapid.Bool().Draw(t, "latch"):
		fields += ", latch: true"
	case rapid.Bool().Draw(t, "keep"):
		fields += ", keep_firing_for: " + rapid.SampledFrom([]string{"2s", "2500ms", "40s"}).Draw(t, "for")
	}
	if scope == "sensor" && rapid.IntRange(0, 2).Draw(t, "reset") == 0 {
		fields += fmt.Sprintf(", reset: '%s < %s'", own.ask, own.against)
	}
	return fmt.Sprintf("  - {%s,\n     when: '%s', limits: %s}\n", fields, when, figures)
}

func drawOfSensor(t *rapid.T, own asked, class string) string {
	when := own.ask + " >= " + own.against
	switch rapid.IntRange(0, 6).Draw(t, "own") {
	case 0:
		return when + " && " + drawOfZone(t, 1)
	case 1:
		return when + " || " + drawOfZone(t, 1)
	case 2:
		return when + ` || bad_polls >= 2 || quarantined`
	case 3:
		if class == "alarm" { // which nobody may ask about itself
			return when + ` || stale`
		}
		return when + ` && !blind || stale`
	case 4:
		return when + ` && stale || missing`
	case 5:
		return when + ` || stale && !missing`
	}
	return when
}

func drawOfZone(t *rapid.T, depth int) string {
	member, of := drawMember(t)
	choice := 7
	if depth == 0 {
		choice = 4
	}
	switch rapid.IntRange(0, choice).Draw(t, "zone") {
	case 0, 1:
		return fmt.Sprintf("any(%s, %s)", of, member)
	case 2:
		return fmt.Sprintf("count(%s, %s) >= %d", of, member, rapid.IntRange(1, 3).Draw(t, "k"))
	case 3:
		return fmt.Sprintf("all(%s, %s)", of, member)
	case 4:
		return `spread(map(temperature, .value)) >= apart`
	case 5:
		return fmt.Sprintf("!(none(%s, %s || .stale))", of, member)
	case 6:
		return "(" + drawOfZone(t, depth-1) + " && " + drawOfZone(t, depth-1) + ")"
	}
	return "(" + drawOfZone(t, depth-1) + " || " + drawOfZone(t, depth-1) + ")"
}

func drawMember(t *rapid.T) (predicate string, of safety.Quantity) {
	if rapid.Bool().Draw(t, "switch") {
		return ".value == 1", rapid.SampledFrom(switches).Draw(t, "of")
	}
	n := rapid.SampledFrom(numbers).Draw(t, "of")
	return "." + n.ask + " >= " + n.against, n.quantity
}
