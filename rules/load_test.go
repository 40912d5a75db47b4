package rules_test

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

const sound = `rules:
  - name: r
    hazard: gas
    class: alarm
    severity: alarm
    scope: sensor
    quantity: co
    when: value >= limit
    runs: [gateway, server]
    clause: c
    limits:
      limit: {value: 35, unit: ppm, source: s, clause: c, confidence: chosen}
`

func loadText(text string) error {
	_, err := rules.Load(fstest.MapFS{"p.yml": {Data: []byte(text)}})
	return err
}

func TestAMistakeIsRefusedWhereItStands(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"an unknown key", "clause: c\n    limits", "clausw: c\n    limits", `p.yml:10:5: a rule has no key "clausw"`},
		{"a key that is there twice", "clause: c\n    limits", "clause: c\n    clause: d\n    limits", "twice"},
		{"no clause", "    clause: c\n    limits", "    limits", "clause is missing"},
		{"another unit", "unit: ppm", "unit: \"%LEL\"", "p.yml:8:17: rule r: when: value is in ppm, limit is in %LEL"},
		{"an unknown unit", "unit: ppm", "unit: ppb", `unit "ppb" is not known`},
		{"no unit", "unit: ppm, ", "", "unit is missing"},
		{"no source", "source: s, ", "", "p.yml:12:14: source is missing"},
		{"no confidence", ", confidence: chosen", "", "confidence is missing"},
		{"a confidence of our own", "chosen", "sure", `confidence "sure"`},
		{"a figure that is a word", "value: 35", "value: many", `"many" is not a number`},
		{"a figure that is no number", "value: 35", "value: .nan", `not a number`},
		{"a limit called like a function", "      limit:", "      value:", "the name means something else"},
		{"a class that does not exist", "value: 35", "by_class: {A3: 35}", `has no key "A3"`},
		{"a figure without a name", "value >= limit", "value >= 35", "p.yml:8:20: rule r: when: 35 has no unit and no source"},
		{"a name that nothing has", "value >= limit", "value >= limiT", "p.yml:8:20: rule r: when: unknown name limiT"},
		{"a condition cut short", "value >= limit", "value >=", "p.yml:8:"},
		{"a condition that is a number", "value >= limit", "value", "rule r: when: expected bool"},
		{"a spread of nothing", "value >= limit", "spread(co) >= limit", "spread wants the sensors and a number of each"},
		{"a spread in another unit", "value >= limit", "spread(map(temperature, .value)) >= limit", "in K, limit is in ppm"},
		{"a list by itself", "value >= limit", "map(co, .value) == map(co, .value)", "cannot be used as a number"},
		{"a suffix that does not exist", "value >= limit", `value >= limit && suffix == "Q"`, `"Q" is not a suffix`},
		{"a suffix alone", "value >= limit", `suffix == "R"`, "it reads no sensor"},
		{"the clock", "value >= limit", "now().Hour() > 8 && value >= limit", "p.yml:8:11: rule r: when: unknown name now"},
		{"a function that we do not lower", "value >= limit", "len(co) > 0 && value >= limit", "unknown name len"},
		{"a builtin that we do not lower", "value >= limit", "one(co, .value >= limit)", "one(...) is not a condition"},
		{"an operator that we do not lower", "value >= limit", "'(value >= limit ? true : false)'", "cannot be used in a condition"},
		{"let", "value >= limit", "let x = value; x >= limit", "cannot be used in a condition"},
		{"a list of words", "value >= limit", `reason in ["nack"]`, `operator "in"`},
		{"a reason that does not exist", "value >= limit", `value >= limit && reason == "tired"`, `"tired" is not a reason`},
		{"exactly equal", "value >= limit", "value == limit", "never exactly equal"},
		{"a sum without meaning", "value >= limit", "value * limit >= limit", "has no meaning"},
		{"a half sensor", "value >= limit", "count(smoke, .value == 1) >= 1.5", "a count is a whole number, never 1.5"},
		{"a switch that is two", "value >= limit", "any(smoke, .value == 2)", "a switch is 0 or 1, never 2"},
		{"a mean of a switch", "value >= limit", `any(smoke, .mean("60s") == 1)`, "a switch has no mean"},
		{"own values inside a predicate", "value >= limit", "any(co, value >= limit)", "inside a predicate write .value"},
		{"a window of no length", "value >= limit", `mean("soon") >= limit`, `p.yml:8:16: rule r: when: window "soon"`},
		{"a window too short", "value >= limit", `mean("1s") >= limit`, `window "1s"`},
		{"rise against a level", "value >= limit", `rise("60s") >= limit`, `in ppm/min, limit is in ppm`},
		{"a shift of seven hours", "value >= limit", `twa("7h") >= limit`, `twa is over 8h0m0s by its definition: write twa("8h")`},
		{"a short term of an hour", "value >= limit", `stel("1h") >= limit`, `write stel("15m")`},
		{"a dose without its limits", "value >= limit", `dose("8h", limit, limit) >= limit`, "a dose is of noise in dBA"},
		{"a dose by plain numbers", "value >= limit", `dose("8h", 85, 3) >= limit`, "dose wants the names of two limits"},
		{"a count above a limit of another kind", "value >= limit", `any(temperature, .count_above("60s", limit) >= 1)`, "count_above wants the name of a limit in Cel"},
		{"the least of a number in a condition", "value >= limit", `least(value) >= limit`, "least is for a reset"},
		{"heat of an hour and a half", "value >= limit", `wbgt("90m") >= limit`, "wbgt wants a time from 10m to 60m"},
		{"heat in ppm", "value >= limit", `wbgt("60m") >= limit`, "in Cel"},
		{"work that does not exist", "value: 35", "by_metabolic_class: {heavy: 35}", `has no key "heavy"`},
		{"two tables", "value: 35", "by_class: {A1: 35}, by_metabolic_class: {low: 35}", "wants either value, by_class or by_metabolic_class"},
		{"a capacity by other figures", "value >= limit", "value >= capacity(limit, limit)", "capacity wants the space for each in m3"},
		{"an alarm about alarms", "value >= limit", "value >= limit && !blind", "would ask about itself"},
		{"nothing that can change", "value >= limit", "high_bay", "it reads no sensor"},
		{"a delay of a level", "when: value >= limit", "when: value >= limit\n    delay: {while: steam_prone, at_most: 60s}", "only an alarm from rise alone may be delayed"},
		{"a delay of more than a minute", "when: value >= limit", "when: value >= limit\n    delay: {while: steam_prone, at_most: 61s}", "at_most \"61s\""},
		{"a requirement of a reading", "when: value >= limit", "when: value >= limit\n    requires: value >= limit", "it may read the place and the limits only"},
		{"a hold without a unit", "when: value", "for: 10\n    when: value", `for "10"`},
		{"a hold below nothing", "when: value", "for: -1s\n    when: value", `for "-1s"`},
		{"a latch and a while", "when: value", "latch: true\n    keep_firing_for: 3s\n    when: value", "only an alarm latches"},
		{"an indicative sensor that evacuates", "severity: alarm", "severity: evacuate", "indicative sensors alone evacuate nobody"},
		{"an alarm that is information", "severity: alarm", "severity: info", "an alarm is a warning at least"},
		{"a zone's rule about a sensor", "scope: sensor", "scope: zone", "names quantities in its condition"},
		{"a quantity that does not exist", "quantity: co", "quantity: smog", `quantity "smog" is not known`},
		{"no quantity", "    quantity: co\n", "", "quantity is missing"},
		{"nowhere to run", "    runs: [gateway, server]\n", "", "runs is missing"},
		{"somewhere else to run", "server]", "cloud]", `runs "cloud"`},
		{"a name with a blank", "name: r", "name: a b", `name "a b"`},
		{"an anchor", "value: 35", "value: &a 35", "anchors"},
		{"two documents", sound, sound + "---\n" + sound, "more than one document"},
		{"a tab", "  - name", "\t- name", "p.yml:2:"},
		{"nothing", sound, "", "empty"},
		{"no rules", sound, "rules: []", "at least one rule"},
		{"rules that are a word", sound, "rules: many", "at least one rule"},
		{"not UTF-8", "clause: c\n", "clause: \xff\n", "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(sound, c.old, c.new, 1)
			if text == sound {
				t.Fatal("the case changes nothing")
			}
			err := loadText(text)
			if err == nil || !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if err := loadText(sound); err != nil {
		t.Errorf("the sound pack: %v", err)
	}
}

func TestAllMistakesAtOnceEachWithACaret(t *testing.T) {
	text := strings.NewReplacer("value >= limit", "vlue >= limit", "source: s, ", "").Replace(sound) +
		strings.Replace(strings.TrimPrefix(sound, "rules:\n"), "value >= limit", ">-\n      value >= limit\n      && value < lmit", 1)
	other := strings.Replace(sound, "hazard: gas", "hazard: rain", 1)
	_, err := rules.Load(fstest.MapFS{"a.yml": {Data: []byte(text)}, "b.yml": {Data: []byte(other)}, "c_test.yml": {Data: []byte("junk")}})
	want := `a.yml:8:11: rule r: when: unknown name vlue
    8 |     when: vlue >= limit
      |           ^
a.yml:12:14: source is missing
   12 |       limit: {value: 35, unit: ppm, clause: c, confidence: chosen}
      |              ^
a.yml:13:5: rule r stands already at a.yml:2
   13 |   - name: r
      |     ^
a.yml:21:18: rule r: when: unknown name lmit
   21 |       && value < lmit
      |                  ^
b.yml:2:5: rule r stands already at a.yml:13
    2 |   - name: r
      |     ^
b.yml:3:13: hazard "rain": want one of [fire gas crowd exit system hours boiler structure heat noise]
    3 |     hazard: rain
      |             ^`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestTheSiteIsRefusedWhereARuleCannotProtectIt(t *testing.T) {
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	plant := rules.Plant{Factory: "f",
		Zones: []safety.Zone{{ID: "ironing", NormalMax: 55}, {ID: "ironing"}},
		Sensors: []safety.Sensor{
			{ID: "a", Zone: "ironing", Quantity: safety.Temperature, Grade: safety.Industrial, Class: "A1R"},
			{ID: "b", Zone: "ironing", Quantity: safety.Temperature, Grade: safety.Industrial, Class: "Z9"},
			{ID: "c", Zone: "ironing", Quantity: safety.Temperature, Grade: safety.Industrial, LifeSafety: true},
			{ID: "d", Zone: "nowhere", Quantity: safety.Smoke, Grade: safety.Industrial},
			{ID: "e", Zone: "ironing", Quantity: "smog", Grade: safety.Industrial},
			{ID: "f", Zone: "ironing", Quantity: safety.Smoke, Grade: "fine"},
			{ID: "a", Zone: "ironing", Quantity: safety.Smoke, Grade: safety.Industrial},
		},
	}
	plant.Zones[1].NormalMax = 55
	_, err = rules.New(packs, plant, rules.Gateway, "gw")
	for _, want := range []string{
		"zone ironing stands there twice", "rule heat-static at a", "rule heat-rise at a", "sensor b: rule heat-static", "sensor c: rule heat-static",
		`sensor d: zone "nowhere"`, `sensor e: "smog"`, `sensor f: "fine"`, "sensor a stands there twice",
	} {
		if err == nil || !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
}

func TestWhatCannotBeWatchedIsSaid(t *testing.T) {
	slow := sensorOf("slow", safety.Temperature)
	slow.Class, slow.Period = "A1R", 30e9
	comfort := sensorOf("comfort", safety.Temperature)
	packs, err := rules.Load(rules.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(engineOf(t, packs, slow, comfort).Unbound(), "\n")
	for _, want := range []string{
		"rule heat-rise does not watch sensor slow: a reading every 30s is too few for a window of 1m0s",
		"rule heat-static does not watch sensor comfort: it has no EN 54-5 class",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in:\n%s", want, got)
		}
	}
}

func TestARuleRunsWhereItSays(t *testing.T) {
	text := strings.Replace(head, "[gateway, server]", "gateway", 1) + "    when: value >= limit\n"
	plant := rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: "z"}}, Sensors: []safety.Sensor{sensorOf("s", safety.CO)}}
	for runs, want := range map[rules.RunsOn]int{rules.Gateway: 1, rules.Server: 0} {
		e, err := rules.New(packOf(t, text), plant, runs, "x")
		if err != nil {
			t.Fatal(err)
		}
		if got := len(observe(e, "s", 0, 300)); got != want {
			t.Errorf("runs on %v: %d transitions, want %d", runs, got, want)
		}
	}
}

func TestAFilterNarrows(t *testing.T) {
	steamy, certified, cheap := sensorOf("steamy", safety.CO), sensorOf("certified", safety.CO), sensorOf("cheap", safety.CO)
	steamy.Zone, certified.Grade, cheap.Grade, certified.LifeSafety = "y", safety.Certified, safety.Indicative, true
	plant := rules.Plant{Factory: "f", Sensors: []safety.Sensor{steamy, certified, cheap}, Zones: []safety.Zone{{ID: "z"}, {ID: "y", SteamProne: true, HighBay: true}}}
	for filter, want := range map[string]string{
		"{}":                      "steamy certified cheap",
		"{steam_prone: true}":     "steamy",
		"{steam_prone: false}":    "certified cheap",
		"{high_bay: false}":       "certified cheap",
		"{min_grade: certified}":  "certified",
		"{min_grade: industrial}": "steamy certified",
		"{life_safety: true}":     "certified",
		"{life_safety: false}":    "steamy cheap",
	} {
		e, err := rules.New(packOf(t, head+"    when: value >= limit\n    filter: "+filter+"\n"), plant, rules.Server, "x")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range plant.Sensors {
			if len(observe(e, s.ID, 0, 300)) > 0 {
				got = append(got, s.ID)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: watches %v, want %s", filter, got, want)
		}
	}
}

var placed = regexp.MustCompile(`^p\.yml:[1-9]\d*:[1-9]\d*: .`)

// Whatever stands in a file, the loader says yes or says where it says no, of
// each mistake; and what it takes can be bound or is refused, and comes to rest.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte(strings.Replace(sound, "value >= limit", "value >= limit && blind || stale", 1)))
	names, err := fs.Glob(rules.Shipped, "*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := readShipped(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		packs, err := rules.Load(fstest.MapFS{"p.yml": {Data: data}})
		if err != nil {
			for _, one := range single(err) {
				if !errors.Is(one, safety.ErrInvalid) || !placed.MatchString(one.Error()) {
					t.Fatalf("a refusal without a place: %v", one)
				}
			}
			return
		}
		again, err := rules.Load(fstest.MapFS{"p.yml": {Data: data}})
		if err != nil || again[0].Rules[0].Fingerprint() != packs[0].Rules[0].Fingerprint() {
			t.Fatalf("loaded twice, two answers: %v", err)
		}
		live(t, packs)
	})
}

// single returns the errors that are joined in err.
func single(err error) []error {
	many, joined := err.(interface{ Unwrap() []error })
	if !joined {
		return []error{err}
	}
	var out []error
	for _, one := range many.Unwrap() {
		out = append(out, single(one)...)
	}
	return out
}

// live binds packs to a zone with two sensors of each quantity and lets them hear something.
func live(t *testing.T, packs []rules.Pack) {
	plant := rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: "z", Area: 10, Height: 3}}}
	for _, q := range []safety.Quantity{safety.Temperature, safety.Smoke, safety.SmokeOD, safety.CO, safety.Humidity, safety.People} {
		for _, id := range []string{"a", "b"} {
			s := safety.Sensor{ID: string(q) + id, Zone: "z", Quantity: q, Grade: safety.Industrial, Period: time.Second}
			if q == safety.Temperature {
				s.Class = "A1R"
			}
			plant.Sensors = append(plant.Sensors, s)
		}
	}
	e, err := rules.New(packs, plant, rules.Gateway|rules.Server, safety.ServerSource)
	if err != nil {
		if !errors.Is(err, safety.ErrInvalid) {
			t.Fatal(err)
		}
		return
	}
	for i := range 12 {
		for _, s := range plant.Sensors {
			r := safety.Reading{Sensor: s.ID, Value: float64(i % 2 * 50), Quality: safety.Quality(i % 3), At: at(float64(i))}
			if r.Quality != safety.Good {
				r.Reason = safety.NACK
			}
			e.Observe(r)
		}
	}
	e.Tick(at(3600))
}
