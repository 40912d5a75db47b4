package safety

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Work is a kind of work that raises what looks like fire or gas.
type Work string

// The kinds of work for which there are permits.
const (
	HotWork    Work = "hot_work"
	Fumigation Work = "fumigation"
	BlowDown   Work = "blow_down" // of a boiler
	Painting   Work = "painting"
)

// Works lists every Work.
var Works = []Work{HotWork, Fumigation, BlowDown, Painting}

// LongestPermit bounds a permit; it also ends with the shift.
const LongestPermit = 4 * time.Hour

// Permit lets named sensors of one zone be isolated while a kind of work is
// done under a watch.
type Permit struct {
	ID         string    `json:"id"`
	Work       Work      `json:"work"`
	Zone       string    `json:"zone_id"`
	Sensors    []string  `json:"sensor_ids"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"` // at most LongestPermit after From
	IssuedBy   string    `json:"issued_by"`
	AcceptedBy string    `json:"accepted_by"` // another person
	Watch      string    `json:"watch"`       // who keeps the fire watch
}

// Validate returns an error wrapping ErrInvalid that says what a permit lacks.
func (p Permit) Validate() error {
	lacks := func(format string, args ...any) error {
		return fmt.Errorf("permit %s: %s: %w", p.ID, fmt.Sprintf(format, args...), ErrInvalid)
	}
	name := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	switch {
	case p.ID == "":
		return lacks("it has no id")
	case !slices.Contains(Works, p.Work):
		return lacks("%q is no work that has permits: want one of %v", p.Work, Works)
	case p.Zone == "" || len(p.Sensors) == 0:
		return lacks("name the zone and the sensors that it isolates")
	case len(slices.Compact(slices.Sorted(slices.Values(p.Sensors)))) != len(p.Sensors):
		return lacks("a sensor stands there twice")
	case name(p.IssuedBy) == "" || name(p.AcceptedBy) == "" || name(p.IssuedBy) == name(p.AcceptedBy):
		return lacks("it wants the names of two people: who issues it and who accepts it")
	case name(p.Watch) == "":
		return lacks("it wants a fire watch: who keeps it?")
	case !p.Until.After(p.From) || p.Until.Sub(p.From) > LongestPermit:
		return lacks("from %s until %s: want %v at most", p.From.Format(time.RFC3339), p.Until.Format(time.RFC3339), LongestPermit)
	}
	return nil
}
