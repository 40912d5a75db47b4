// Package ruletest runs the cases that stand beside a pack: series of readings
// in, transitions out. Safety engineers write them; `nirapod rules test` and
// the tests of the shipped packs run them.
package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nirapod/internal/yamlfile"
	"nirapod/rules"
	"nirapod/safety"
)

const factory = "test"

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// File is a file of cases: *_test.yml.
type File struct {
	Pack  string   `yaml:"pack"`  // whose transitions are wanted: fire, gas, ...
	Needs []string `yaml:"needs"` // other packs whose rules must run beside it
	Cases []Case   `yaml:"cases"`
}

// Case is one story: what the sensors say, step by step, and what the rules
// make of it. Times are counted from its start.
type Case struct {
	Name    string            `yaml:"name"`
	Step    time.Duration     `yaml:"step"`    // between the samples of a series; default 1 s
	Until   time.Duration     `yaml:"until"`   // let time pass up to here after the series
	Zones   map[string]Zone   `yaml:"zones"`   // a zone not named here is an ordinary one
	Sensors map[string]Sensor `yaml:"sensors"` //
	Series  map[string]string `yaml:"series"`  // by sensor
	Resets  map[string]string `yaml:"resets"`  // time: "rule scope": a person's reset
	Clears  map[string]string `yaml:"clears"`  // time: sensor: a person clears its fault
	Begins  string            `yaml:"begins"`  // local time of the start, YYYY-MM-DD HH:MM:SS; default 2026-01-01 06:00:00
	Site    Site              `yaml:"site"`
	Exits   map[string]Exit   `yaml:"exits"`
	Permits map[string]Permit `yaml:"permits"` // by id
	Ends    map[string]string `yaml:"ends"`    // time: permit: it is closed early
	Tested  map[string]string `yaml:"tested"`  // time: sensor: it passed its self-test
	Want    []string          `yaml:"want"`    // every transition, but for the first unknown>inactive of a point
	Refused []string          `yaml:"refused"` // parts of the message with which the place is refused
}

// Zone is what the rules read of a zone.
type Zone struct {
	SteamProne bool      `yaml:"steam_prone"`
	HighBay    bool      `yaml:"high_bay"`
	NormalMax  float64   `yaml:"normal_max_c"`
	Adjacent   []string  `yaml:"adjacent"`
	Area       float64   `yaml:"area_m2"`
	Height     float64   `yaml:"height_m"`
	Posted     int       `yaml:"posted_maximum"`
	Exempt     bool      `yaml:"s56_exempt"`
	Metabolic  string    `yaml:"metabolic_class"`
	Used       bool      `yaml:"acclimatised"`
	Shift      float64   `yaml:"shift_h"`
	Boilers    []float64 `yaml:"boilers_bar"` // rated pressures
	Licensed   []Boiler  `yaml:"boilers"`
	Employed   int       `yaml:"employed_per_shift"`
	Required   []string  `yaml:"required_detection"`
}

// Sensor is one sensor of a case. Zone is z, grade industrial and period the
// step unless said.
type Sensor struct {
	Quantity   safety.Quantity `yaml:"quantity"`
	Zone       string          `yaml:"zone"`
	Grade      safety.Grade    `yaml:"grade"`
	Class      string          `yaml:"class"`
	Period     time.Duration   `yaml:"period"`
	LifeSafety bool            `yaml:"life_safety"`
	Gateway    string          `yaml:"gateway"`
	Calibrated string          `yaml:"calibrated"`
	Bumped     string          `yaml:"bump_tested"`
	Walked     string          `yaml:"walk_tested"`
	EndOfLife  string          `yaml:"end_of_life"`
	Mounted    float64         `yaml:"mount_height_m"`
}

// Parse reads a file of cases. Mistakes wrap safety.ErrInvalid.
func Parse(name string, data []byte) (File, error) {
	var f File
	_, err := yamlfile.Parse(name, data, &f)
	return f, err
}

// Packs picks those of all that the file is about.
func (f File) Packs(all []rules.Pack) []rules.Pack {
	var out []rules.Pack
	for _, p := range all {
		if p.Name == f.Pack || slices.Contains(f.Needs, p.Name) {
			out = append(out, p)
		}
	}
	return out
}

// Run tells all cases to engines of the file's packs and returns what is not
// as wanted, for people, or nil.
func (f File) Run(all []rules.Pack) []string {
	var out []string
	for _, c := range f.Cases {
		for _, text := range c.run(f.Packs(all), f.Pack) {
			out = append(out, c.Name+": "+text)
		}
	}
	return out
}

func (c Case) run(packs []rules.Pack, pack string) []string {
	if c.Step == 0 {
		c.Step = time.Second
	}
	e, err := rules.New(packs, c.plant(), rules.Gateway|rules.Server, "case")
	if err != nil || len(c.Refused) > 0 {
		return c.refusal(err)
	}
	got, wrong, err := c.tell(e, pack)
	if err != nil {
		return []string{err.Error()}
	}
	return append(wrong, difference(got, c.Want)...)
}

func (c Case) refusal(err error) []string {
	text := "the place was not refused"
	if err != nil {
		text = err.Error()
	}
	if len(c.Refused) == 0 {
		return []string{text}
	}
	var out []string
	for _, want := range c.Refused {
		if !strings.Contains(text, want) {
			out = append(out, fmt.Sprintf("want a refusal with %q: %s", want, text))
		}
	}
	return out
}

func (c Case) plant() rules.Plant {
	p := rules.Plant{Factory: factory}
	zones := map[string]bool{}
	for _, id := range sorted(c.Sensors) {
		s := c.Sensors[id]
		spec := safety.Sensor{
			ID: id, Zone: or(s.Zone, "z"), Quantity: s.Quantity, Grade: or(s.Grade, safety.Industrial),
			Class: s.Class, Period: or(s.Period, c.Step), LifeSafety: s.LifeSafety, MountHeight: s.Mounted,
			Gateway: s.Gateway, Calibrated: s.Calibrated, Bumped: s.Bumped, Walked: s.Walked, EndOfLife: s.EndOfLife,
		}
		p.Sensors = append(p.Sensors, spec)
		zones[spec.Zone] = true
	}
	for id := range c.Zones {
		zones[id] = true
	}
	for _, x := range c.Exits {
		zones[or(x.From, "z")] = true
	}
	c.place(&p)
	for _, id := range sorted(zones) {
		z := c.Zones[id]
		p.Zones = append(p.Zones, safety.Zone{
			ID: id, SteamProne: z.SteamProne, HighBay: z.HighBay, NormalMax: z.NormalMax, Adjacent: z.Adjacent,
			Area: z.Area, Height: z.Height, PostedMaximum: z.Posted, Exempt: z.Exempt,
			Employed: z.Employed, Required: z.Required,
			Metabolic: z.Metabolic, Acclimatised: z.Used, Shift: z.Shift,
		})
		for _, b := range z.Licensed {
			p.Hazards = append(p.Hazards, safety.Hazmat{Zone: id, Kind: safety.KindBoiler, RatedBar: b.Bar, Expires: b.Expires})
		}
		for _, bar := range z.Boilers {
			p.Hazards = append(p.Hazards, safety.Hazmat{Zone: id, Kind: safety.KindBoiler, RatedBar: bar})
		}
	}
	return p
}

// tell plays the series and returns the transitions as lines, and what was not
// refused as wanted.
func (c Case) tell(e *rules.Engine, pack string) (lines, wrong []string, err error) {
	begin, err := c.begin()
	if err != nil {
		return nil, nil, err
	}
	samples := map[string][]safety.Reading{}
	steps := int(c.Until / c.Step)
	for id, text := range c.Series {
		series, err := expand(id, text)
		if err != nil {
			return nil, nil, err
		}
		samples[id] = series
		steps = max(steps, len(series))
	}
	t := teller{pack: pack, begin: begin, born: map[string]bool{}}
	for i := range steps {
		at := begin.Add(time.Duration(i) * c.Step)
		for _, id := range sorted(samples) {
			if i < len(samples[id]) && samples[id][i].Sensor != "" {
				r := samples[id][i]
				r.At = at
				t.add(e.Observe(r))
			}
		}
		offset := at.Sub(begin).String()
		if rule, scope, ok := strings.Cut(c.Resets[offset], " "); ok {
			t.add(e.Reset(safety.PointID(factory, rule, scope), at))
		}
		if id := c.Clears[offset]; id != "" {
			t.add(e.ClearFault(id, at))
		}
		c.people(e, &t, at, at.Sub(begin))
		t.add(e.Tick(at.Add(c.Step - time.Millisecond)))
	}
	return t.lines, t.wrong, nil
}

type teller struct {
	pack  string
	begin time.Time
	lines []string
	wrong []string
	born  map[string]bool // points that were told of
}

func (t *teller) add(trs []safety.Transition) {
	for _, tr := range trs {
		if tr.Pack != t.pack {
			continue
		}
		first := !t.born[tr.Point]
		t.born[tr.Point] = true
		if first && tr.From == safety.Unknown && tr.To == safety.Inactive {
			continue
		}
		t.lines = append(t.lines, t.line(tr))
	}
}

func (t *teller) refusal(permit, want string, err error) {
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.wrong = append(t.wrong, fmt.Sprintf("permit %s: want a refusal with %q, got %v", permit, want, err))
	}
}

// line writes a transition as cases want it: time, rule, scope, from>to, and
// when it fires hazard/class/severity/grade. The scope of a rule about an exit
// is its sensor, or else its zone.
func (t *teller) line(tr safety.Transition) string {
	line := fmt.Sprintf("%v %s %s %v>%v", tr.At.Sub(t.begin), tr.Rule, or(tr.Sensor, tr.Zone), tr.From, tr.To)
	if tr.To == safety.Firing {
		line += fmt.Sprintf(" %s/%s/%s/%s", tr.Hazard, tr.Class, tr.Severity, tr.Grade)
	}
	return line
}

// difference compares two lists without regard to order.
func difference(got, want []string) []string {
	var out []string
	rest := slices.Clone(want)
	for _, line := range got {
		if i := slices.Index(rest, line); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			continue
		}
		out = append(out, "not wanted: "+line)
	}
	for _, line := range rest {
		out = append(out, "missing:    "+line)
	}
	return out
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
