package sitefile_test

import (
	"fmt"
	"strings"
	"testing"

	"nirapod/state/sitefile"
)

// edits change one thing of testdata/site.good.yml; want is all that is then
// said of it, without the file's name.
var edits = []struct {
	name, old, new string
	mistakes       string
	warnings       string
}{
	{name: "another schema", old: "version: 1", new: "version: 2", mistakes: "1: version: want 1, the version of this schema, have 2"},
	{name: "an id in capitals", old: "id: jamuna", new: "id: Jamuna", mistakes: `11: factory.id: "Jamuna": want 1 to 63 of a-z, 0-9 and -, not beginning with -`},
	{name: "a reserved id", old: "id: gw-1,", new: "id: server,", mistakes: `74: gateways[0].id: "server" is reserved: choose another` + all("sensors[%d].gateway", `there is no gateway "gw-1"`, 78, 87, 98, 108, 119) + all("outputs[%d].gateway", `there is no gateway "gw-1"`, 126, 127)},
	{name: "an id twice", old: "id: hall-heat", new: "id: hall-smoke", mistakes: `85: sensors[1].id: "hall-smoke" is taken by sensors[0]: choose another`},
	{name: "one id for sensor and output", old: "id: horn", new: "id: hall-heat", mistakes: `126: outputs[0].id: "hall-heat" is taken by sensors[1]: choose another`},
	{name: "a name in one language", old: "{bn: যমুনা, en: Jamuna}", new: "{en: Jamuna}", mistakes: "12: factory.name.bn: missing: every screen and paper is in both languages"},
	{name: "no DIFE office", old: "{value: dhaka}", new: "{source: map}", mistakes: "15: factory.dife_office.value: missing: without the DIFE office nobody receives signals and notices"},
	{name: "verified by nothing", old: "source: licence on the wall, ", new: "", mistakes: "13: factory.registration.source: missing: a verified fact says by what it was verified"},
	{name: "no such day", old: "2026-01-01", new: "2026-13-01", mistakes: `13: factory.registration.date: "2026-13-01" is not a date: write YYYY-MM-DD`},
	{name: "no such hour", old: `from: "08:00"`, new: `from: "8 am"`, mistakes: `21: factory.shifts[0].from: "8 am" is not a time of day: write HH:MM`},
	{name: "delays of 11 minutes", old: "day_v2: 3m", new: "day_v2: 10m30s", mistakes: "24: factory.delays.day_v2: day_v1 and day_v2 are 11m0s together, at most 10m0s are allowed: shorten them"},
	{name: "delays of just 10 minutes", old: "day_v2: 3m", new: "day_v2: 9m30s"},
	{name: "a negative delay", old: "day_v1: 30s", new: "day_v1: -30s", mistakes: "23: factory.delays.day_v1: -30s and 3m0s: a delay cannot be negative"},
	{name: "no delays", old: "    night_v1: 0s\n", new: "", mistakes: "22: factory.delays.night_v1: missing: say how long people have to acknowledge (v1) and to investigate (v2); usual by night are 0s and 0s"},
	{name: "a delay at night", old: "night_v2: 0s", new: "night_v2: 30s", warnings: "26: factory.delays.night_v2: a delay at night, when few can acknowledge: want 0s"},
	{name: "no workers on the committee", old: "side: workers", new: "side: management", mistakes: "29: people.committee: nobody of side workers: both sides are told in the same instant"},
	{name: "no management on the committee", old: "side: management", new: "side: workers", mistakes: "29: people.committee: nobody of side management: both sides are told in the same instant"},
	{name: "nobody to be told of silence", old: "role: vice_president", new: "role: member", warnings: "29: people.committee: no workers' vice_president: a silenced siren is told to that person first"},
	{name: "a member of no floor", old: "floor: f1}", new: "floor: f9}", mistakes: `31: people.committee[1].floor: there is no floor "f9"`},
	{name: "more floors than storeys", old: "level: 0", new: "level: 2", mistakes: "35: floors[0].level: 2 does not exist in a building of 2 storeys", warnings: "33: floors[0]: one exit from floor f1, at least one alternative is needed (Labour Act s.62(1)); please check"},
	{name: "swapped coordinates", old: "lat: 23.8\n  lon: 90.3", new: "lat: 90\n  lon: 23.8", warnings: "7: building.lat: 90, 23.8 is not in Bangladesh: are latitude and longitude swapped?"},
	{name: "an impossible latitude", old: "lat: 23.8", new: "lat: 93.8", mistakes: "7: building.lat: 93.8 is no latitude: want degrees from -90 to 90"},
	{name: "a bow tie", old: "[[0, 0], [12, 0], [12, 10], [0, 10]]", new: "[[0, 0], [12, 10], [12, 0], [0, 10]]", mistakes: "42: zones[0].polygon: its sides cross or touch: list the corners in the order of a walk around it"},
	{name: "two corners", old: "[[0, 0], [12, 0], [12, 10], [0, 10]]", new: "[[0, 0], [12, 0]]", mistakes: "42: zones[0].polygon: want 3 corners or more, in metres, have 2"},
	{name: "a line", old: "[[0, 0], [12, 0], [12, 10], [0, 10]]", new: "[[0, 0], [6, 0], [12, 0]]", mistakes: "42: zones[0].polygon: it encloses nothing"},
	{name: "outside the floor", old: "[[0, 0], [12, 0], [12, 10], [0, 10]]", new: "[[0, 0], [12, 0], [12, 10.5], [0, 10]]", warnings: "42: zones[0].polygon: corner [12 10.5] lies outside the outline of floor f1"},
	{name: "an area that is another", old: "area_m2: 120", new: "area_m2: 1200", mistakes: "43: zones[0].area_m2: 1200 does not fit the polygon, which encloses 120.0 m²: correct one"},
	{name: "no height", old: "    height_m: 4\n    employed_per_shift: 18", new: "    employed_per_shift: 18", mistakes: "38: zones[0].height_m: want the ceiling's height above the floor, above 0 and up to 60 m, have 0"},
	{name: "no such floor", old: "floor: f1\n    use: sewing", new: "floor: f3\n    use: sewing", mistakes: "33: floors[0]: no exit leads from floor f1: add it to exits\n40: zones[0].floor: there is no floor \"f3\""},
	{name: "no such use", old: "use: sewing", new: "use: tailoring", mistakes: `41: zones[0].use: "tailoring" is not known: want one of sewing, cutting,*`},
	{name: "a shift of a day and a night", old: "    employed_per_shift: 4\n", new: "    employed_per_shift: 4\n    shift_h: 24\n", mistakes: "58: zones[1].shift_h: want the hours that one person works here in a day, up to 16, have 24"},
	{name: "a class of work that does not exist", old: "    employed_per_shift: 4\n", new: "    employed_per_shift: 4\n    metabolic_class: heavy\n", mistakes: "58: zones[1].metabolic_class: \"heavy\" is not known*"},
	{name: "used to heat, since when and at what work", old: "    employed_per_shift: 4\n", new: "    employed_per_shift: 4\n    acclimatised: true\n",
		warnings: "50: zones[1].work_judged: missing: people get used to heat in weeks and lose it in as many; say when that was judged\n58: zones[1].acclimatised: says nothing without metabolic_class: the limit of heat hangs on both"},
	{name: "all that is said of work", old: "    employed_per_shift: 4\n", new: "    employed_per_shift: 4\n    metabolic_class: moderate\n    acclimatised: true\n    shift_h: 10\n    work_judged: 2026-03-01\n"},
	{name: "nobody counted", old: "    employed_per_shift: 18\n", new: "", mistakes: "38: zones[0].employed_per_shift: missing: how many work here in a shift, 0 if nobody"},
	{name: "overcrowded by s.56", old: "employed_per_shift: 4\n", new: "employed_per_shift: 34\n", warnings: "50: zones[1]: exits from zone iron: 0 for 34 people, 2 are needed above 20 (Labour Rules 2015, rule 54(1)); please check\n57: zones[1].employed_per_shift: counted 34, limit 33 (9.5 m³ for each worker, s.56(2)); please check"},
	{name: "beside itself", old: "adjacent: [iron]", new: "adjacent: [hall]", mistakes: "46: zones[0].adjacent[0]: a zone is not beside itself"},
	{name: "detection not listed", old: "    required_detection: [smoke, heat]\n", new: "", mistakes: "38: zones[0].required_detection: missing: list what has to watch this zone, such as smoke, heat, co; [] if nothing does"},
	{name: "nothing watches", old: "[smoke, heat]", new: "[]", warnings: "49: zones[0].required_detection: nothing: the zone is shown as not watched"},
	{name: "detection that no sensor does", old: "[smoke, heat]", new: "[smoke, co]", mistakes: "49: zones[0].required_detection[1]: no life-safety sensor for co in zone hall: add one, or take it off the list"},
	{name: "detection unheard of", old: "[smoke, heat]", new: "[smell]", mistakes: `49: zones[0].required_detection[0]: "smell" is not known: want smoke, heat, gas or a quantity such as flame, co, call_point`},
	{name: "detection by a comfort sensor", old: "life_safety: true\n    mount_height_m: 3.9\n  - id: hall-heat", new: "life_safety: false\n    mount_height_m: 3.9\n  - id: hall-heat", mistakes: "49: zones[0].required_detection[0]: no life-safety sensor for smoke in zone hall: say life_safety: true of hall-smoke"},
	{name: "heat alone under a high ceiling", old: "height_m: 4\n    employed_per_shift: 4", new: "height_m: 8\n    employed_per_shift: 4", mistakes: "60: zones[1].required_detection: heat detectors alone under a ceiling of 8 m, limit 7.5 m (BS 5839-1, recalled, to be verified): add smoke or flame detection", warnings: "*"},
	{name: "an exit from nowhere", old: "from: hall", new: "from: attic", mistakes: "33: floors[0]: no exit leads from floor f1: add it to exits\n64: exits[0].from: there is no zone \"attic\""},
	{name: "an exit into itself", old: "to: outside", new: "to: hall", mistakes: "61: exits: none leads outside: say to: outside of at least one\n65: exits[0].to: leads from hall back into it"},
	{name: "an exit without width", old: "    clear_width_mm: 1200\n", new: "", mistakes: "62: exits[0].clear_width_mm: missing: want the clear width in millimetres"},
	{name: "an exit in metres", old: "clear_width_mm: 1200", new: "clear_width_mm: 2", mistakes: "67: exits[0].clear_width_mm: 2: want millimetres, 300 to 10000"},
	{name: "a narrow exit", old: "clear_width_mm: 1200", new: "clear_width_mm: 900", warnings: "67: exits[0].clear_width_mm: 900 mm, limit 1150 mm (Labour Rules 2015, rule 54(2)); please check"},
	{name: "a far exit", old: "travel_m: 20", new: "travel_m: 60", warnings: "68: exits[0].travel_m: 60 m to the exit, limit 50 m (Labour Rules 2015, rule 54(2)); please check"},
	{name: "no such kind of exit", old: "kind: door", new: "kind: lift", mistakes: `66: exits[0].kind: "lift" is not known: want one of door, stair, gate, roof, window`},
	{name: "a smoke head as door contact", old: "sensor: front-door", new: "sensor: hall-smoke", mistakes: "69: exits[0].sensor: hall-smoke measures smoke: want a sensor of door_open"},
	{name: "a lock that is a door contact", old: "sensor: front-door", new: "sensor: front-door\n    lock_sensor: front-door", mistakes: "70: exits[0].lock_sensor: front-door measures door_open: want a sensor of locked"},
	{name: "a lock on the other side", old: "    sensor: front-door\n", new: "    sensor: front-door\n    lock_sensor: iron-heat\n", mistakes: "70: exits[0].lock_sensor: iron-heat measures temperature: want a sensor of locked\n70: exits[0].lock_sensor: iron-heat is in zone iron: want hall, because who is there needs the exit"},
	{name: "an exit nobody can see", old: "    sensor: front-door\n", new: "", warnings: "62: exits[0].sensor: no door contact: only a warden at the door can prove it open"},
	{name: "an exit needed when", old: "    required_while: occupied\n", new: "", mistakes: "62: exits[0].required_while: missing: want one of occupied, always"},
	{name: "20 people through one door", old: "employed_per_shift: 18", new: "employed_per_shift: 21", warnings: "38: zones[0]: exits from zone hall: 1 for 21 people, 2 are needed above 20 (Labour Rules 2015, rule 54(1)); please check"},
	{name: "a boiler without a number", old: "boiler_number: B1, ", new: "", mistakes: "72: hazards[0].boiler_number: missing: a boiler is known by its number"},
	{name: "a gateway on no floor", old: "id: gw-1, floor: f1", new: "id: gw-1, floor: f4", mistakes: `74: gateways[0].floor: there is no floor "f4"`},
	{name: "a sensor in no zone", old: "zone: iron\n    quantity: lel", new: "zone: attic\n    quantity: lel", mistakes: "60: zones[1].required_detection[1]: no life-safety sensor for gas in zone iron: add one, or take it off the list\n109: sensors[3].zone: there is no zone \"attic\""},
	{name: "a quantity unheard of", old: "quantity: lel", new: "quantity: smell", mistakes: "60: zones[1].required_detection[1]: no life-safety sensor for gas in zone iron: add one, or take it off the list\n110: sensors[3].quantity: \"smell\" is not known"},
	{name: "a grade unheard of", old: "grade: industrial\n    class: A1R", new: "grade: good\n    class: A1R", mistakes: `90: sensors[1].grade: "good" is not known: want one of indicative, industrial, certified`},
	{name: "certified by nothing", old: "    standard: EN 60079-29-1\n", new: "", mistakes: "106: sensors[3].standard: missing: a certified sensor says by which standard, such as EN 54-11"},
	{name: "never read", old: "class: A1R\n    period: 1s", new: "class: A1R", mistakes: "85: sensors[1].period: missing: say how often it is read, such as 1s"},
	{name: "read once a day", old: "class: A1R\n    period: 1s", new: "class: A1R\n    period: 24h", mistakes: "92: sensors[1].period: 24h0m0s: want 10ms to 1h"},
	{name: "a range backwards", old: "class: A1R", new: "class: A1R\n    range: [125, -40]", mistakes: "92: sensors[1].range: 125 is above -40: write the lower end first"},
	{name: "life or not", old: "quantity: door_open\n    grade: industrial\n    period: 1s\n    life_safety: true", new: "quantity: door_open\n    grade: industrial\n    period: 1s", mistakes: "117: sensors[4].life_safety: missing: true if people's lives depend on it, else false"},
	{name: "heat without a class", old: "    class: A1R\n", new: "", mistakes: "85: sensors[1].class: missing: a heat detector says its class by EN 54-5, such as A1R or BS"},
	{name: "heat of a class unheard of", old: "class: A1R", new: "class: A3", mistakes: `91: sensors[1].class: "A3" is no class of EN 54-5: want A1, A2 or B to G, and R or S if it has one`},
	{name: "heat too sensitive for its zone", old: "normal_max_c: 50", new: "normal_max_c: 66", mistakes: "102: sensors[2].class: class BS may be used up to 65 °C, zone iron reaches 66 °C on a normal day: use class C or higher"},
	{name: "heat just right", old: "normal_max_c: 50", new: "normal_max_c: 65"},
	{name: "a zone whose heat nobody stated", old: "    normal_max_c: 50\n", new: "", mistakes: "50: zones[1].normal_max_c: missing: without the highest normal temperature it cannot be told whether the heat detector iron-heat of class BS fits"},
	{name: "hotter than any class", old: "normal_max_c: 50", new: "normal_max_c: 145", mistakes: "102: sensors[2].class: class BS may be used up to 65 °C, zone iron reaches 145 °C on a normal day: no class reaches that far"},
	{name: "S where nothing rises fast", old: "class: A1R", new: "class: A1S", warnings: "91: sensors[1].class: class A1S ignores fast rise, and in zone hall (sewing) fast rise is not normal: want R"},
	{name: "R among irons", old: "class: BS", new: "class: BR", warnings: "102: sensors[2].class: class BR answers to fast rise, which is normal in zone iron: want S\n102: sensors[2].class: steam in zone iron puts off what fast rise says only if humidity is read there as often, each 1s: without, steam alone raises the alarm"},
	{name: "R among irons that feels steam", old: "class: BS\n    period: 1s\n    life_safety: true\n    mount_height_m: 3.9\n  - id: iron-gas", new: "class: BR\n    period: 1s\n    life_safety: true\n    mount_height_m: 3.9\n  - id: iron-rh\n    name: {bn: ভাপ, en: Damp}\n    gateway: gw-1\n    zone: iron\n    quantity: humidity\n    grade: indicative\n    period: 1s\n    life_safety: false\n    mount_height_m: 3.9\n  - id: iron-gas", warnings: "53: zones[1].use: ironing without a globe thermometer: radiant heat is not seen, so heat there can be warned of and never be denied\n102: sensors[2].class: class BR answers to fast rise, which is normal in zone iron: want S"},
	{name: "R among irons that feels steam too late", old: "class: BS\n    period: 1s\n    life_safety: true\n    mount_height_m: 3.9\n  - id: iron-gas", new: "class: BR\n    period: 1s\n    life_safety: true\n    mount_height_m: 3.9\n  - id: iron-rh\n    name: {bn: ভাপ, en: Damp}\n    gateway: gw-1\n    zone: iron\n    quantity: humidity\n    grade: indicative\n    period: 5s\n    life_safety: false\n    mount_height_m: 3.9\n  - id: iron-gas", warnings: "53: zones[1].use: ironing without a globe thermometer: radiant heat is not seen, so heat there can be warned of and never be denied\n102: sensors[2].class: class BR answers to fast rise, which is normal in zone iron: want S\n102: sensors[2].class: steam in zone iron puts off what fast rise says only if humidity is read there as often, each 1s: without, steam alone raises the alarm"},
	{name: "a head of no height", old: "life_safety: true\n    mount_height_m: 3.9\n  - id: hall-heat", new: "life_safety: true\n  - id: hall-heat", mistakes: "76: sensors[0].mount_height_m: missing: how high it hangs decides what it sees, in metres above the floor"},
	{name: "above the ceiling", old: "life_safety: true\n    mount_height_m: 3.9\n  - id: hall-heat", new: "life_safety: true\n    mount_height_m: 4.1\n  - id: hall-heat", mistakes: "84: sensors[0].mount_height_m: 4.1 m: zone hall is 4 m high"},
	{name: "smoke far below the ceiling", old: "life_safety: true\n    mount_height_m: 3.9\n  - id: hall-heat", new: "life_safety: true\n    mount_height_m: 3.3\n  - id: hall-heat", warnings: "84: sensors[0].mount_height_m: 0.7 m below the ceiling: hot smoke gathers above it, want at most 0.6 m"},
	{name: "in fresh air", old: "    at: [6, 5]", new: "    at: [6, 5]\n    supply_air_m: 0.5", warnings: "96: sensors[1].supply_air_m: 0.5 m from supply air, which keeps smoke away: want 1 m or more"},
	{name: "next door", old: "at: [6, 5]", new: "at: [13, 5]", warnings: "95: sensors[1].at: [13 5] lies outside the polygon of zone hall"},
	{name: "methane low", old: "mount_height_m: 3.8", new: "mount_height_m: 3.5", warnings: "115: sensors[3].mount_height_m: 0.5 m below the ceiling, where methane gathers: want at most 0.3 m"},
	{name: "LPG high", old: "gas: methane", new: "gas: LPG", warnings: "115: sensors[3].mount_height_m: 3.8 m above the floor, where lpg lies: want at most 0.5 m"},
	{name: "a heavy gas of no name", old: "gas: methane", new: "gas: solvent X\n    gas_relative_density: 3", warnings: "115: sensors[3].mount_height_m: 3.8 m above the floor, where solvent x lies: want at most 0.5 m"},
	{name: "chlorine high", old: "quantity: lel\n    grade: certified\n    standard: EN 60079-29-1\n    period: 1s\n    life_safety: true\n    mount_height_m: 3.8\n    gas: methane", new: "quantity: cl2\n    grade: indicative\n    period: 1s\n    life_safety: true\n    mount_height_m: 3.8", mistakes: "60: zones[1].required_detection[1]: no life-safety sensor for gas in zone iron: add one, or take it off the list", warnings: "114: sensors[3].mount_height_m: 3.8 m above the floor, where cl2 lies: want at most 0.5 m"},
	{name: "flammable what", old: "    gas: methane\n", new: "", mistakes: "106: sensors[3].gas: missing: a head for flammable gas says which, such as methane or LPG"},
	{name: "a poisoned head", old: "steam_prone: true", new: "steam_prone: true\n    nuisances: [Silicone spray]", warnings: "110: sensors[3].zone: silicones in zone iron poison a catalytic head: use an infrared one"},
	{name: "smoke among irons", old: "zone: hall\n    quantity: smoke", new: "zone: iron\n    quantity: smoke", mistakes: "49: zones[0].required_detection[0]: no life-safety sensor for smoke in zone hall: add one, or take it off the list", warnings: "79: sensors[0].zone: a smoke head in iron answers to steam: use a heat detector of suffix S"},
	{name: "no sounder", old: "kind: evacuate", new: "kind: beacon", mistakes: "125: outputs: none of kind evacuate: nobody would be told to leave"},
	{name: "no buzzer", old: "kind: staff_alert", new: "kind: beacon", mistakes: "125: outputs: none of kind staff_alert: nobody would be told before an evacuation"},
	{name: "a sounder on mains alone", old: "kind: evacuate, battery: true", new: "kind: evacuate", warnings: "126: outputs[0].battery: an evacuation sounder without a battery is silent when the mains fail"},
	{name: "a value that cannot be read", old: "height_m: 4\n    employed_per_shift: 18", new: "height_m: four\n    employed_per_shift: 18", mistakes: `44: zones[0].height_m: want a finite number, have "four"`},
	{name: "a misspelt key", old: "height_m: 4\n    employed_per_shift: 18", new: "heigth_m: 4\n    employed_per_shift: 18", mistakes: "38: zones[0].height_m: want the ceiling's height above the floor, above 0 and up to 60 m, have 0\n44: zones[0].heigth_m: unknown key; did you mean height_m?"},
}

func all(path, text string, lines ...int) (said string) {
	for i, line := range lines {
		said += fmt.Sprintf("\n%d: "+path+": %s", line, i, text)
	}
	return said
}

func TestCheck(t *testing.T) {
	good := string(read(t, "testdata/site.good.yml"))
	for _, edit := range edits {
		t.Run(edit.name, func(t *testing.T) {
			if strings.Count(good, edit.old) == 0 {
				t.Fatalf("site.good.yml does not hold %q", edit.old)
			}
			_, warnings, err := sitefile.Parse("f", []byte(strings.Replace(good, edit.old, edit.new, 1)))
			said := ""
			if err != nil {
				said = err.Error()
			}
			compare(t, "mistakes", said, edit.mistakes)
			compare(t, "warnings", warnings.Error(), edit.warnings)
		})
	}
}

// compare wants what was said, but for the file's name; a * ends what is
// looked at.
func compare(t *testing.T, what, got, want string) {
	t.Helper()
	got = strings.TrimPrefix(strings.ReplaceAll("\n"+got, "\nf:", "\n"), "\n")
	if head, open := strings.CutSuffix(want, "*"); open && strings.HasPrefix(got, head) {
		return
	}
	if got != want {
		t.Errorf("%s\ngot  %s\nwant %s", what, got, want)
	}
}
