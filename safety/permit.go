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
	case len(p.Sensors) > MaxPermitSensors:
		return lacks("%d sensors: name %d at most, or open one permit for each part of the zone", len(p.Sensors), MaxPermitSensors)
	case max(len(p.IssuedBy), len(p.AcceptedBy), len(p.Watch)) > MaxPermitName:
		return lacks("a name has %d bytes at most", MaxPermitName)
	case !p.Until.After(p.From) || p.Until.Sub(p.From) > LongestPermit:
		return lacks("from %s until %s: want %v at most and an end after the beginning; open another when it is over", p.From.Format(time.RFC3339), p.Until.Format(time.RFC3339), LongestPermit)
	}
	return nil
}

// MaxPermitSensors bounds what one permit names, and MaxPermitName the bytes of
// each name in it, so that a gateway can be told of it in one message.
const (
	MaxPermitSensors = 100
	MaxPermitName    = 200
)

// PermitRecord is a permit and what became of it.
type PermitRecord struct {
	Permit
	FactoryID string       `json:"factory_id"`
	Reason    string       `json:"reason"`
	OpenedBy  string       `json:"opened_by"` // who was logged in
	OpenedAt  time.Time    `json:"opened_at"`
	EndedAt   *time.Time   `json:"ended_at"` // before its time; nil: it ends, or ended, at Until
	EndedBy   string       `json:"ended_by"`
	Tested    []PermitTest `json:"tested"`     // since it ended
	AppliedAt *time.Time   `json:"applied_at"` // when the server's rules took or refused it; nil: not yet
	Refused   string       `json:"refused"`    // why they did not take it; "" = they did
	TakenBy   []string     `json:"taken_by"`   // gateways that said that theirs took it
}

// PermitTest is a person's word that a sensor was tested after a permit.
type PermitTest struct {
	Sensor string    `json:"sensor_id"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// End returns when the permit ends, or ended.
func (r PermitRecord) End() time.Time {
	if r.EndedAt != nil && r.EndedAt.Before(r.Until) {
		return *r.EndedAt
	}
	return r.Until
}

// Stands reports whether the permit isolates its sensors at a moment, or will.
func (r PermitRecord) Stands(at time.Time) bool { return r.Refused == "" && at.Before(r.End()) }

// Untested returns the sensors that were not tested since the permit ended.
func (r PermitRecord) Untested() (ids []string) {
	for _, id := range r.Sensors {
		if !slices.ContainsFunc(r.Tested, func(t PermitTest) bool { return t.Sensor == id }) {
			ids = append(ids, id)
		}
	}
	return ids
}
