package ruletest

import (
	"fmt"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

// dhaka is local time everywhere in Bangladesh.
var dhaka = time.FixedZone("+06", 6*60*60)

// Site is what the rules read of a site beside zones and sensors.
type Site struct {
	Shifts        []safety.Shift     `yaml:"shifts"`
	Hours         []safety.Hours     `yaml:"approved_hours"`
	WeeklyHoliday string             `yaml:"weekly_holiday"`
	Calendar      []safety.Holiday   `yaml:"calendar"`
	StayOut       bool               `yaml:"stay_out"`
	Limits        []safety.SiteLimit `yaml:"limits"`
}

// Exit is a way out of a zone, z unless said.
type Exit struct {
	From    string `yaml:"from"`
	To      string `yaml:"to"`
	Kind    string `yaml:"kind"` // door unless said
	Width   int    `yaml:"clear_width_mm"`
	Sensor  string `yaml:"sensor"`
	Lock    string `yaml:"lock_sensor"`
	Confirm string `yaml:"confirm_sensor"`
	While   string `yaml:"required_while"` // occupied unless said
}

// Boiler is one with a licence: its rating and the licence's last day.
type Boiler struct {
	Bar     float64 `yaml:"rated_bar"`
	Expires string  `yaml:"licence_expires"`
}

// Permit is a permit of zone z unless said, issued at a time of the case.
type Permit struct {
	At      time.Duration `yaml:"at"`
	Work    safety.Work   `yaml:"work"`
	Zone    string        `yaml:"zone"`
	Sensors []string      `yaml:"sensors"`
	For     time.Duration `yaml:"for"`
	Refused string        `yaml:"refused"` // part of the message with which it is refused
}

func (c Case) begin() (time.Time, error) {
	if c.Begins == "" {
		return start, nil
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05", c.Begins, dhaka)
	if err != nil {
		return t, fmt.Errorf("begins %q: want YYYY-MM-DD HH:MM:SS, local time: %w", c.Begins, safety.ErrInvalid)
	}
	return t.UTC(), nil
}

// place adds to a plant what the case says of the site.
func (c Case) place(p *rules.Plant) {
	p.StayOut, p.Limits = c.Site.StayOut, c.Site.Limits
	p.Calendar = rules.Calendar{
		Shifts: c.Site.Shifts, Hours: c.Site.Hours, WeeklyHoliday: c.Site.WeeklyHoliday, Holidays: c.Site.Calendar,
	}
	for _, id := range sorted(c.Exits) {
		x := c.Exits[id]
		p.Exits = append(p.Exits, safety.Exit{
			ID: id, From: or(x.From, "z"), To: or(x.To, "outside"), Kind: or(x.Kind, "door"), Width: x.Width,
			Sensor: x.Sensor, LockSensor: x.Lock, ConfirmSensor: x.Confirm, RequiredWhile: or(x.While, "occupied"),
		})
	}
}

// people do what the case says that they do at a moment, which is offset after
// its start.
func (c Case) people(e *rules.Engine, t *teller, at time.Time, offset time.Duration) {
	for _, name := range sorted(c.Permits) {
		p := c.Permits[name]
		if p.At != offset {
			continue
		}
		trs, err := e.Permit(safety.Permit{
			ID: name, Work: p.Work, Zone: or(p.Zone, "z"), Sensors: p.Sensors, From: at, Until: at.Add(p.For),
			IssuedBy: "issuer", AcceptedBy: "acceptor", Watch: "watch",
		}, at)
		t.add(trs)
		t.refusal(name, p.Refused, err)
	}
	if id := c.Ends[offset.String()]; id != "" {
		t.add(e.EndPermit(id, at))
	}
	if id := c.Tested[offset.String()]; id != "" {
		t.add(e.SelfTested(id, at))
	}
}
