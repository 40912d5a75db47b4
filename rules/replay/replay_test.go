package replay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"nirapod/rules"
	"nirapod/rules/replay"
	"nirapod/safety"
)

const pack = `
rules:
  - name: hot
    hazard: fire
    class: alarm
    severity: alarm
    scope: sensor
    quantity: temperature
    when: value >= limit
    runs: [gateway]
    clause: test
    limits: {limit: {value: 54, unit: Cel, source: s, clause: c, confidence: chosen}}
  - name: fault
    hazard: system
    class: fault
    severity: warning
    scope: sensor
    quantity: any
    when: quarantined
    runs: [gateway]
    clause: test
  - name: silent
    hazard: system
    class: fault
    severity: warning
    scope: sensor
    quantity: any
    when: stale
    runs: [server]
    clause: test
`

const simple = `
time: {column: Time, unit: s}
columns:
  T: {sensor: tc, zone: Z, quantity: temperature, unit: Cel}
`

// replayed is what came of a replay: lines "t rule sensor from>to" but for the
// first unknown>inactive of a point, the summary, and the notes.
type replayed struct {
	lines   []string
	summary string
	notes   []string
	raw     string
}

func source(name, data string) replay.Source {
	return replay.Source{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil }}
}

func packs(t testing.TB) []rules.Pack {
	t.Helper()
	ps, err := rules.Load(fstest.MapFS{"p.yml": {Data: []byte(pack)}})
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func run(t testing.TB, mapText string, data ...string) (replayed, error) {
	t.Helper()
	m, err := replay.ParseMap("map.yaml", []byte(mapText))
	if err != nil {
		return replayed{}, err
	}
	var sources []replay.Source
	for i, d := range data {
		sources = append(sources, source(fmt.Sprintf("data%d.csv", i), d))
	}
	var got replayed
	var out bytes.Buffer
	_, err = replay.Run(packs(t), m, sources, &out, func(text string) { got.notes = append(got.notes, text) })
	got.raw = out.String()
	for text := range strings.Lines(got.raw) {
		var l struct {
			T          json.RawMessage
			Rule       string
			Sensor     string
			From, To   string
			Summary    bool
			Values     *map[string]float64
			Pack, Zone *string
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		switch {
		case l.Summary:
			got.summary = strings.TrimSpace(text)
		case l.Values == nil || l.Pack == nil || l.Zone == nil:
			t.Errorf("keys are missing: %s", text)
		case l.From != "unknown" || l.To != "inactive":
			got.lines = append(got.lines, fmt.Sprintf("%s %s %s %s>%s", l.T, l.Rule, l.Sensor, l.From, l.To))
		}
	}
	return got, err
}

func TestReplay(t *testing.T) {
	for _, c := range []struct {
		name, mapText, data string
		want                []string
		summary             string // readings, alarms, faults
	}{
		{
			"a time in seconds stays as it stands, before zero too", simple,
			"Time,T\n-1.5,20\n0.25,54\n1e1,20\n",
			[]string{"0.25 hot tc inactive>firing", "10 hot tc firing>inactive"}, "3,1,0",
		},
		{
			"an empty or missing cell is no sample, everything else is a value", simple,
			"Time,T\n0,20\n1,\n2,NaN\n3,20\n4,9.91E+37\n5,20\n",
			[]string{"4 hot tc inactive>unknown", "4 fault tc inactive>firing"}, "4,0,1",
		},
		{
			"what is missing is said by the map", simple + "missing: [\"\", -999]\n",
			"Time,T\n0,20\n1,-999\n2,NaN\n",
			[]string{"2 hot tc inactive>unknown", "2 fault tc inactive>firing"}, "2,0,1",
		},
		{
			"a word is a faulty reading, never silence", simple,
			"Time,T\n0,20\n1,ERR\n",
			[]string{"1 hot tc inactive>unknown", "1 fault tc inactive>firing"}, "2,0,1",
		},
		{
			"silence is stale after three periods, of the median interval", simple,
			"Time,T\n0,20\n10,20\n20,20\n90,20\n92,20\n102,20\n",
			[]string{"50 hot tc inactive>unknown", "50 silent tc inactive>firing", "90 silent tc firing>inactive"}, "6,0,1",
		},
		{
			"or of the map's period", simple + "period_s: 5\n",
			"Time,T\n0,20\n10,20\n30,20\n",
			[]string{"25 hot tc inactive>unknown", "25 silent tc inactive>firing", "30 silent tc firing>inactive"}, "3,0,1",
		},
		{
			"scale and offset", strings.Replace(simple, "unit: Cel", "unit: Cel, scale: 0.5, offset: 4", 1),
			"Time,T\n0,99\n1,100\n",
			[]string{"1 hot tc inactive>firing"}, "2,1,0",
		},
		{
			"lines before the header, and a row of units", simple + "skip_rows: 2\nunits_row: true\n",
			"# by \"us\n\nTime,T\ns,C\n0,20\n1,60\n",
			[]string{"1 hot tc inactive>firing"}, "2,1,0",
		},
		{
			"a byte order mark, CRLF, quotes and blanks", strings.Replace(simple, "T:", "\"T, ceiling\":", 1),
			"\ufeffTime, \"T, ceiling\"\r\n 0., \"20\"\r\n    1.,  60\r\n",
			[]string{"1 hot tc inactive>firing"}, "2,1,0",
		},
		{"UTF-16", simple, utf16le("Time,T\n0,20\n1,60\n"), []string{"1 hot tc inactive>firing"}, "2,1,0"},
		{"Windows-1252", strings.Replace(simple, "T:", "\"T °C\":", 1), "Time,T \xb0C\n0,20\n1,60\n", []string{"1 hot tc inactive>firing"}, "2,1,0"},
		{"semicolons", simple, "Time;T\n0;20\n1;60\n", []string{"1 hot tc inactive>firing"}, "2,1,0"},
		{"tabs", simple, "Time\tX\tT\n0\t\t20\n1\t\t60\n", []string{"1 hot tc inactive>firing"}, "2,1,0"},
		{"blanks in the header and tabs below", simple, "Time T\n0\t20\n1\t60\n", []string{"1 hot tc inactive>firing"}, "2,1,0"},
		{"row numbers without a name", simple, "Time,T\n\"1\",0,20\n\"2\",1,60\n", []string{"1 hot tc inactive>firing"}, "2,1,0"},
		{"a short row", simple, "Time,X,T\n0,,20\n1\n2,,60\n", []string{"2 hot tc inactive>firing"}, "2,1,0"},
		{
			"a written time, in the map's zone", strings.Replace(simple, "unit: s", "layout: \"2006-01-02 15:04:05\", zone: Asia/Dhaka", 1),
			"Time,T\n2026-01-01 06:00:00,20\n2026-01-01 06:00:05.5,60\n",
			[]string{`"2026-01-01T06:00:05.5+06:00" hot tc inactive>firing`}, "2,1,0",
		},
		{
			"a time of day", strings.Replace(simple, "unit: s", "layout: \"15:04:05\"", 1),
			"Time,T\n10:49:41,20\n10:50:12,60\n",
			[]string{`"0000-01-01T10:50:12Z" hot tc inactive>firing`}, "2,1,0",
		},
		{
			"another unit of time is a time since 1970", strings.Replace(simple, "unit: s", "unit: ms", 1),
			"Time,T\n1700000000000,20\n1700000001000,60\n",
			[]string{`"2023-11-14T22:13:21Z" hot tc inactive>firing`}, "2,1,0",
		},
		{
			"what is not newer is history", simple,
			"Time,T\n0,20\n1,20\n1,60\n0,60\n2,20\n", nil, "5,0,0",
		},
		{
			"one reading a row", "time: {column: t}\nlong: {sensor: id, zone: place, quantity: what, unit: in, value: v}\n",
			"t,id,place,what,in,v\n0,a,Z,temperature,Cel,20\n0,b,Y,flame,,0\n1,a,Z,temperature,Cel,60\n1,b,Y,flame,,\n1,c,Y,radon,Bq/m3,7\n",
			[]string{"1 hot a inactive>firing"}, "3,1,0",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := run(t, c.mapText, c.data)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.lines, c.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got.lines, "; "), strings.Join(c.want, "; "))
			}
			n := strings.Split(c.summary, ",")
			if want := fmt.Sprintf(`{"summary":true,"readings":%s,"alarms":%s,"faults":%s}`, n[0], n[1], n[2]); got.summary != want {
				t.Errorf("got %s, want %s", got.summary, want)
			}
		})
	}
}

func utf16le(s string) string {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

// A line has these keys in this order and no others.
func TestALine(t *testing.T) {
	got, err := run(t, simple, "Time,T\n0,60\n")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"t":0,"pack":"p","rule":"hot","class":"alarm","zone":"Z","sensor":"tc","from":"unknown","to":"firing","severity":"alarm","values":{"limit":54,"value":60}}`
	if first, _, _ := strings.Cut(got.raw, "\n"); first != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
}

// Each file is a recording of its own; the summary is of all.
func TestSeveralFilesAreSeveralRecordings(t *testing.T) {
	hot := "Time,T\n0,20\n1,60\n"
	got, err := run(t, simple, hot, hot)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1 hot tc inactive>firing", "1 hot tc inactive>firing"}; !slices.Equal(got.lines, want) {
		t.Errorf("got %v", got.lines)
	}
	if want := `{"summary":true,"readings":4,"alarms":2,"faults":0}`; got.summary != want {
		t.Errorf("got %s", got.summary)
	}
}

func TestWhatIsNotKnownIsNamedOnceAndLeftOut(t *testing.T) {
	got, err := run(t, simple+`  R: {sensor: r, zone: Z, quantity: radon, unit: Bq/m3}
  K: {sensor: k, zone: Z, quantity: temperature, unit: K}
`, "Time,T,R,K\n0,20,9,300\n1,60,9,300\n", "Time,T,R,K\n0,20,9,300\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1 hot tc inactive>firing"}; !slices.Equal(got.lines, want) {
		t.Errorf("got %v", got.lines)
	}
	if len(got.notes) != 2 || !strings.Contains(got.notes[0], `"radon"`) || !strings.Contains(got.notes[1], `"K"`) {
		t.Errorf("notes %q", got.notes)
	}
	if !strings.HasPrefix(got.summary, `{"summary":true,"readings":3,`) {
		t.Errorf("got %s", got.summary)
	}
}

func TestAWrongFileIsNamedWithItsLine(t *testing.T) {
	long := "time: {column: t}\nlong: {sensor: id, zone: place, quantity: what, unit: in, value: v}\n"
	for _, c := range []struct{ name, mapText, data, want string }{
		{"no column", simple, "Time,U\n0,1\n", `data0.csv:1: no column is called "T"; there are Time, U`},
		{"no time column", simple, "Zeit,T\n0,1\n", `data0.csv:1: no column is called "Time"`},
		{"a column twice", simple, "Time,T,T\n0,1,2\n", `data0.csv:1: two columns are called "T"`},
		{"a wrong time", simple, "Time,T\n0,1\nnoon,2\n", `data0.csv:3: time "noon" is not a number`},
		{"a time that is none", simple, "Time,T\n0,1\nInf,2\n", `data0.csv:3: time "Inf" is out of reach`},
		{"a row too wide", simple, "Time,T\n0,1\n1,2,3\n", `data0.csv:3: the row has more cells than the header: "3"`},
		{"no header", simple + "skip_rows: 1\n", "Time,T\n", `data0.csv:2: the header is missing`},
		{"too short", simple + "skip_rows: 2\n", "Time,T\n", `data0.csv:2: the file ends within the 2 lines`},
		{"empty", simple, "", `data0.csv:1: the header is missing`},
		{"no text", simple, "T\x00i\x00m\x00e\x00,\x00T\x00\n\x000\x00", `data0.csv:1: this is no text`},
		{"a sensor that changes", long, "t,id,place,what,in,v\n0,a,Z,co,ppm,1\n1,a,Y,co,ppm,1\n", `data0.csv:3: sensor a is co in "ppm" of zone "Y" here`},
		{"a row without a sensor", long, "t,id,place,what,in,v\n0,,Z,co,ppm,1\n", `data0.csv:2: a row without a sensor`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := run(t, c.mapText, c.data)
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAWrongMapIsNamedWithItsLine(t *testing.T) {
	column := func(fields string) string {
		return "time: {column: Time}\ncolumns:\n  T.1: {" + fields + "}\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", simple + "colour: red\n", "map.yaml:5: colour: unknown key"},
		{"unknown key of a column", column("sensor: a, zone: Z, quantity: co, colour: red"), "map.yaml:3: columns.T.1.colour: unknown key"},
		{"no time", "columns:\n  T: {sensor: a, zone: Z, quantity: co}\n", "column is missing"},
		{"neither columns nor long", "time: {column: t}\n", "either columns or long"},
		{"both", simple + "long: {sensor: a, zone: b, quantity: c, value: d}\n", "either columns or long"},
		{"time unit", "time: {column: t, unit: d}\n", `unit "d": want s, ms, min or h`},
		{"unit and layout", "time: {column: t, unit: s, layout: 15:04}\n", "leave one out"},
		{"layout without time", "time: {column: t, layout: yyyy-mm-dd}\n", "has no time in it"},
		{"zone", "time: {column: t, layout: 15:04, zone: Asia/Dacca2}\n", `zone "Asia/Dacca2" is not known`},
		{"zone of seconds", "time: {column: t, zone: Asia/Dhaka}\n", "zone goes with a layout"},
		{"period", simple + "period_s: 0\n", "map.yaml:5: period_s: 0: want seconds"},
		{"skip", simple + "skip_rows: -1\n", "skip_rows: -1"},
		{"no sensor", column("zone: Z, quantity: co"), "map.yaml:3: columns.T.1: sensor is missing"},
		{"no zone", column("sensor: a, quantity: co"), "zone is missing"},
		{"no quantity", column("sensor: a, zone: Z"), "quantity is missing"},
		{"scale", column("sensor: a, zone: Z, quantity: co, scale: 0"), "scale is 0"},
		{"grade", column("sensor: a, zone: Z, quantity: co, grade: best"), `grade "best"`},
		{"class", column("sensor: a, zone: Z, quantity: temperature, class: A3"), `class "A3"`},
		{"height", simple + "zones: {Z: {height_m: 0}}\n", "height_m 0"},
		{"a sensor twice", simple + "  U: {sensor: tc, zone: Z, quantity: co}\n", "map.yaml:5: columns.U: sensor tc stands already on line 4"},
		{"no sensor of long", "time: {column: t}\nlong: {zone: b, quantity: c, value: d}\n", "sensor is missing"},
		{"empty", "", "the file is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := replay.ParseMap("map.yaml", []byte(c.text))
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// The map in the document is a map, and its defaults are the defaults.
func TestTheMapOfTheDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(doc), "```yaml\n")
	example, _, _ := strings.Cut(parts[len(parts)-1], "```")
	data := "Time,TC_1,SM_1\n0,20,0\n5,53.9,NaN\n10,54,\n30,9.91E+37,0\n"
	long, err := run(t, example, data)
	if err != nil {
		t.Fatal(err)
	}
	short, err := run(t, `
time: {column: Time}
period_s: 5
columns:
  TC_1: {sensor: tc1, zone: Z, quantity: temperature}
  SM_1: {sensor: sm1, zone: Z, quantity: smoke_od}
`, data)
	if err != nil || long.raw != short.raw || len(long.lines) == 0 {
		t.Errorf("%v\n%s\nis not\n%s", err, long.raw, short.raw)
	}
}

func TestUnits(t *testing.T) {
	for quantity, unit := range map[string]string{
		"temperature": "Cel", "machine_temperature": "Cel", "humidity": "%RH", "smoke_od": "1/m", "co": "ppm", "co2": "ppm",
		"h2s": "ppm", "nh3": "ppm", "cl2": "ppm", "voc": "ppm", "o2": "%", "lel": "%LEL", "flame": "", "people": "", "motion": "",
		"light": "lx", "vibration": "mm/s", "flow": "L/min", "pressure": "bar", "noise": "dBA",
	} {
		text := fmt.Sprintf("time: {column: t}\ncolumns: {v: {sensor: s, zone: Z, quantity: %s, unit: %q}}\n", quantity, unit)
		got, err := run(t, text, "t,v\n0,0\n")
		if err != nil || !strings.HasPrefix(got.summary, `{"summary":true,"readings":1,`) {
			t.Errorf("%s in %q: %v %v", quantity, unit, err, got)
		}
	}
	got, err := run(t, "time: {column: t}\ncolumns: {v: {sensor: s, zone: Z, quantity: lel, unit: '%LFL'}}\n", "t,v\n0,0\n")
	if err != nil || len(got.notes) > 0 {
		t.Errorf("%%LFL: %v %v", err, got.notes)
	}
}
