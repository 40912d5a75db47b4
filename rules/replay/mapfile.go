package replay

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

// Map says what the columns of a recording are: docs/rules.md, replay.
type Map struct {
	Time     Time            `yaml:"time"`
	PeriodS  *float64        `yaml:"period_s"`  // s; absent: each sensor's median interval
	SkipRows int             `yaml:"skip_rows"` // lines before the header
	UnitsRow bool            `yaml:"units_row"` // a second header row
	Missing  []string        `yaml:"missing"`   // cells that are no sample; an empty one never is
	Zones    map[string]Zone `yaml:"zones"`
	Columns  map[string]Cell `yaml:"columns"` // by the header's name
	Long     *Long           `yaml:"long"`    // instead of columns: one reading a row

	columns []named // Columns in the order in which they stand in the file
	period  time.Duration
	clock   clock
}

// Time says which column the time is in, and how it is written: a number of
// units, or a layout of Go's package time with a zone.
type Time struct {
	Column string `yaml:"column"`
	Unit   string `yaml:"unit"` // s (default), ms, min, h
	Layout string `yaml:"layout"`
	Zone   string `yaml:"zone"` // of the layout, default UTC
}

// Zone is what the rules read of a place.
type Zone struct {
	HeightM    *float64 `yaml:"height_m"` // default 3
	HighBay    bool     `yaml:"high_bay"`
	SteamProne bool     `yaml:"steam_prone"`
}

// Cell is one column: a sensor. Its value is cell × scale + offset.
type Cell struct {
	Sensor   string       `yaml:"sensor"`
	Zone     string       `yaml:"zone"`
	Quantity string       `yaml:"quantity"`
	Unit     string       `yaml:"unit"` // absent: the quantity's own
	Scale    *float64     `yaml:"scale"`
	Offset   float64      `yaml:"offset"`
	Grade    safety.Grade `yaml:"grade"` // default industrial
	Class    *string      `yaml:"class"` // EN 54-5, default A1R; "" = no heat detector
}

// Long names the columns of a table with one reading a row.
type Long struct {
	Sensor   string `yaml:"sensor"`
	Zone     string `yaml:"zone"`
	Quantity string `yaml:"quantity"`
	Unit     string `yaml:"unit"`
	Value    string `yaml:"value"`
}

type named struct {
	column string
	Cell
}

const (
	defaultHeight = 3.0 // m
	defaultClass  = "A1R"
	maxPeriod     = 24 * time.Hour
)

var heatClass = regexp.MustCompile(`^(A1|A2|B|C|D|E|F|G)[RS]?$`)

// ParseMap reads a map. All mistakes are returned at once, each with its place
// and the remedy; they wrap safety.ErrInvalid. A quantity or unit that is not
// known is none: Run names it and leaves the column out.
func ParseMap(name string, data []byte) (*Map, error) {
	m := &Map{Missing: []string{"NaN"}}
	f, err := yamlfile.Parse(name, data, m)
	if err != nil {
		return nil, err
	}
	c := mapCheck{m: m, f: f}
	c.time()
	c.table()
	c.columns()
	c.long()
	c.zones()
	if err := yamlfile.Join(c.mistakes...); err != nil {
		return nil, err
	}
	return m, nil
}

// mapCheck finds what is well written and makes no sense.
type mapCheck struct {
	m        *Map
	f        *yamlfile.File
	mistakes []error
}

func (c *mapCheck) wrong(path, format string, args ...any) {
	c.mistakes = append(c.mistakes, c.f.Errorf(path, format, args...))
}

func (c *mapCheck) time() {
	t := c.m.Time
	if t.Column == "" {
		c.wrong("time", "column is missing: which column holds the time?")
	}
	var err error
	if c.m.clock, err = newClock(t); err != nil {
		c.wrong("time", "%s", err)
	}
}

func (c *mapCheck) table() {
	if c.m.SkipRows < 0 {
		c.wrong("skip_rows", "%d: want 0 or more", c.m.SkipRows)
	}
	if c.m.PeriodS == nil {
		return
	}
	c.m.period = time.Duration(math.Round(*c.m.PeriodS*1000)) * time.Millisecond
	if !(*c.m.PeriodS > 0 && *c.m.PeriodS <= maxPeriod.Seconds()) || c.m.period <= 0 {
		c.wrong("period_s", "%g: want seconds between 0.001 and %g", *c.m.PeriodS, maxPeriod.Seconds())
	}
}

func (c *mapCheck) columns() {
	if (len(c.m.Columns) > 0) == (c.m.Long != nil) {
		c.wrong("", "a map wants either columns or long")
	}
	list := c.f.Node("columns")
	if list == nil || list.Kind != yaml.MappingNode {
		return
	}
	owner := map[string]int{} // line of a sensor's column
	for i := 0; i+1 < len(list.Content); i += 2 {
		key := list.Content[i]
		cell := named{strings.TrimSpace(key.Value), c.m.Columns[key.Value]}
		at := columnCheck{c, key}
		at.cell(&cell)
		if line := owner[cell.Sensor]; line > 0 {
			at.wrong("sensor %s stands already on line %d: one sensor is one column", cell.Sensor, line)
		}
		owner[cell.Sensor] = key.Line
		c.m.columns = append(c.m.columns, cell)
	}
}

// columnCheck tells mistakes of one column by its line: names of columns may
// hold dots, so that a path does not lead to them.
type columnCheck struct {
	*mapCheck
	key *yaml.Node
}

func (c columnCheck) wrong(format string, args ...any) {
	m, _ := c.f.Errorf("columns", format, args...).(yamlfile.Mistake) //nolint:errorlint // it is the plain type
	m.Line, m.Path = c.key.Line, "columns."+c.key.Value
	c.mistakes = append(c.mistakes, m)
}

func (c columnCheck) cell(cell *named) {
	for _, field := range []struct{ name, value string }{{"sensor", cell.Sensor}, {"zone", cell.Zone}, {"quantity", cell.Quantity}} {
		if strings.TrimSpace(field.value) == "" {
			c.wrong("%s is missing", field.name)
		}
	}
	if cell.Scale == nil {
		one := 1.0
		cell.Scale = &one
	}
	if *cell.Scale == 0 {
		c.wrong("scale is 0: every value would be the offset; leave it out for 1")
	}
	if cell.Grade == "" {
		cell.Grade = safety.Industrial
	}
	if cell.Grade.Rank() == 0 {
		c.wrong("grade %q: want indicative, industrial or certified", cell.Grade)
	}
	if cell.Class == nil {
		class := defaultClass
		cell.Class = &class
	}
	if *cell.Class != "" && !heatClass.MatchString(*cell.Class) {
		c.wrong("class %q: want an EN 54-5 class A1, A2, B ... G, with R or S behind it or nothing", *cell.Class)
	}
}

func (c *mapCheck) long() {
	l := c.m.Long
	if l == nil {
		return
	}
	for _, field := range []struct{ name, value string }{
		{"sensor", l.Sensor}, {"zone", l.Zone}, {"quantity", l.Quantity}, {"value", l.Value},
	} {
		if strings.TrimSpace(field.value) == "" {
			c.wrong("long", "%s is missing: the column that holds it", field.name)
		}
	}
}

func (c *mapCheck) zones() {
	for id, z := range c.m.Zones {
		if z.HeightM != nil && !(*z.HeightM > 0) {
			c.wrong("zones", "%s: height_m %g: want metres above 0", id, *z.HeightM)
		}
	}
}

// place returns the zone of that name as the rules see it.
func (m *Map) place(id string) safety.Zone {
	z := m.Zones[id]
	out := safety.Zone{ID: id, Height: defaultHeight, HighBay: z.HighBay, SteamProne: z.SteamProne}
	if z.HeightM != nil {
		out.Height = *z.HeightM
	}
	return out
}

func (m *Map) missing(cell string) bool { return cell == "" || slices.Contains(m.Missing, cell) }

// understood reports whether unit is one in which q may stand in a recording,
// and says what is not known if not.
func understood(q safety.Quantity, unit string) error {
	if q.Validate() != nil {
		return fmt.Errorf("quantity %q is not known", q)
	}
	own := string(q.Unit())
	switch {
	case unit == "" || unit == own:
		return nil
	case q == safety.LEL && unit == "%LFL":
		return nil
	case unit == "1" && (q.Switch() || own == "count"):
		return nil
	}
	return fmt.Errorf("unit %q of %s is not known (%s is)", unit, q, own)
}
