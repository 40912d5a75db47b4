package sitefile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

// check holds one look at one site.
type check struct {
	f        *yamlfile.File
	site     *safety.Site
	mistakes []error
	warnings []error
	floors   map[string]*safety.Floor
	zones    map[string]*safety.Zone
	gateways map[string]bool
	sensors  map[string]*safety.Sensor
}

func newCheck(f *yamlfile.File, site *safety.Site) *check {
	return &check{
		f: f, site: site,
		floors: map[string]*safety.Floor{}, zones: map[string]*safety.Zone{},
		gateways: map[string]bool{}, sensors: map[string]*safety.Sensor{},
	}
}

func (c *check) all() {
	c.index()
	if c.site.Version != 1 {
		c.mistake("version", "want 1, the version of this schema, have %d", c.site.Version)
	}
	c.building()
	c.factory()
	c.people()
	c.eachFloor()
	c.eachZone()
	c.eachExit()
	c.eachHazard()
	c.eachGateway()
	c.eachSensor()
	c.eachOutput()
	c.date("panel.last_service", c.site.Panel.Serviced)
}

func (c *check) mistake(path, format string, args ...any) {
	c.mistakes = append(c.mistakes, c.f.Errorf(path, format, args...))
}

func (c *check) warn(path, format string, args ...any) {
	c.warnings = append(c.warnings, c.f.Errorf(path, format, args...))
}

// beside returns the mistakes but those about a value that could not even be
// read: unread has said so.
func (c *check) beside(unread yamlfile.Mistakes) []error {
	return slices.DeleteFunc(c.mistakes, func(err error) bool {
		m, _ := errors.AsType[yamlfile.Mistake](err)
		return slices.ContainsFunc(unread, func(u yamlfile.Mistake) bool {
			return u.Path == m.Path || strings.HasPrefix(m.Path, u.Path+".") || strings.HasPrefix(m.Path, u.Path+"[")
		})
	})
}

func (c *check) written(path string) bool { return c.f.Node(path) != nil }

func (c *check) index() {
	for i := range c.site.Floors {
		c.floors[c.site.Floors[i].ID] = &c.site.Floors[i]
	}
	for i := range c.site.Zones {
		c.zones[c.site.Zones[i].ID] = &c.site.Zones[i]
	}
	for _, g := range c.site.Gateways {
		c.gateways[g.ID] = true
	}
	for i := range c.site.Sensors {
		c.sensors[c.site.Sensors[i].ID] = &c.site.Sensors[i]
	}
}

var validID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// reserved ids have a meaning of their own.
var reserved = []string{"outside", safety.ServerSource}

// id checks one id of a list; seen collects those before it.
func (c *check) id(path, id string, seen map[string]string) {
	path += ".id"
	switch {
	case id == "":
		c.mistake(path, "missing: give it a short name of a-z, 0-9 and -")
	case !validID.MatchString(id):
		c.mistake(path, "%q: want 1 to 63 of a-z, 0-9 and -, not beginning with -", id)
	case slices.Contains(reserved, id):
		c.mistake(path, "%q is reserved: choose another", id)
	case seen[id] != "":
		c.mistake(path, "%q is taken by %s: choose another", id, seen[id])
	default:
		seen[id] = strings.TrimSuffix(path, ".id")
	}
}

// ref checks that id names something of known.
func ref[T any](c *check, path, id string, known map[string]T, what string) bool {
	_, ok := known[id]
	switch {
	case ok:
		return true
	case id == "":
		c.mistake(path, "missing: say which %s", what)
	default:
		c.mistake(path, "there is no %s %q", what, id)
	}
	return false
}

func (c *check) name(path string, n safety.Name) {
	for _, language := range []struct{ key, text string }{{"bn", n.BN}, {"en", n.EN}} {
		if strings.TrimSpace(language.text) == "" {
			c.mistake(path+"."+language.key, "missing: every screen and paper is in both languages")
		}
	}
}

// word checks that value is one of known. With optional, it may be empty.
func (c *check) word(path, value string, optional bool, known ...string) {
	if slices.Contains(known, value) || optional && value == "" {
		return
	}
	have := "missing"
	if value != "" {
		have = fmt.Sprintf("%q is not known", value)
	}
	c.mistake(path, "%s: want one of %s", have, strings.Join(known, ", "))
}

func (c *check) text(path, value, why string) {
	if strings.TrimSpace(value) == "" {
		c.mistake(path, "missing: %s", why)
	}
}

// date checks a date that may be empty.
func (c *check) date(path, value string) {
	if _, err := time.Parse(time.DateOnly, value); err != nil && value != "" {
		c.mistake(path, "%q is not a date: write YYYY-MM-DD", value)
	}
}

func (c *check) clock(path, value string) {
	if _, err := time.Parse("15:04", value); err != nil || len(value) != 5 {
		c.mistake(path, "%q is not a time of day: write HH:MM", value)
	}
}

func item(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }
