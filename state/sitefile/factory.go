package sitefile

import (
	"strings"
	"time"

	"nirapod/safety"
)

func (c *check) building() {
	b := &c.site.Building
	c.id("building", b.ID, map[string]string{})
	c.name("building.address", b.Address)
	c.text("building.upazila", b.Upazila, "it stands on every notice")
	c.text("building.district", b.District, "it stands on every notice and decides the office")
	if b.Storeys < 1 {
		c.mistake("building.storeys", "want the number of floors above ground, 1 or more, have %d", b.Storeys)
	}
	switch {
	case b.Lat < -90 || b.Lat > 90:
		c.mistake("building.lat", "%v is no latitude: want degrees from -90 to 90", b.Lat)
	case b.Lon < -180 || b.Lon > 180:
		c.mistake("building.lon", "%v is no longitude: want degrees from -180 to 180", b.Lon)
	case b.Lat == 0 && b.Lon == 0:
		c.warn("building.lat", "missing: responders cannot be sent to a point on the map")
	case b.Lat < 20 || b.Lat > 27 || b.Lon < 88 || b.Lon > 93:
		c.warn("building.lat", "%v, %v is not in Bangladesh: are latitude and longitude swapped?", b.Lat, b.Lon)
	}
}

var weekdays = []string{"friday", "saturday", "sunday", "monday", "tuesday", "wednesday", "thursday"}

func (c *check) factory() {
	f := &c.site.Factory
	c.id("factory", f.ID, map[string]string{})
	c.name("factory.name", f.Name)
	c.fact("factory.registration", f.Registration)
	c.fact("factory.licence", f.Licence)
	c.word("factory.legal_regime", f.Regime, false, "labour_act", "epz")
	if c.fact("factory.dife_office", f.Office); f.Office.Value == "" {
		c.mistake("factory.dife_office.value", "missing: without the DIFE office nobody receives signals and notices")
	} else if !validID.MatchString(f.Office.Value) {
		c.mistake("factory.dife_office.value", "%q: want the office's id, such as gazipur", f.Office.Value)
	}
	c.employed("factory.employed_women", f.Women)
	c.employed("factory.employed_men", f.Men)
	c.delays()
	c.word("factory.language", f.Language, false, "bn", "en")
	c.word("factory.weekly_holiday", f.WeeklyHoliday, true, weekdays...)
	c.times()
	c.papers()
	for i := range f.Limits { // the rules check the rest
		if path := item("factory.limits", i) + ".value"; !c.written(path) {
			c.mistake(path, "missing: 0 is a value too and is written out")
		}
	}
}

func (c *check) employed(path string, n int) {
	if !c.written(path) || n < 0 {
		c.mistake(path, "want how many are employed, 0 or more")
	}
}

func (c *check) fact(path string, f safety.Fact) {
	c.date(path+".date", f.Date)
	if f.Verified && f.Source == "" {
		c.mistake(path+".source", "missing: a verified fact says by what it was verified")
	}
}

// maxDelay bounds V1 and V2 together (EN 54-2, recalled, to be verified).
const maxDelay = 10 * time.Minute

func (c *check) delays() {
	d := c.site.Factory.Delays
	for _, part := range []struct {
		name, usual string
		v1, v2      time.Duration
	}{{"day", "30s and 3m", d.DayV1, d.DayV2}, {"night", "0s and 0s", d.NightV1, d.NightV2}} {
		v1, v2 := "factory.delays."+part.name+"_v1", "factory.delays."+part.name+"_v2"
		if !c.written(v1) || !c.written(v2) {
			c.mistake(v1, "missing: say how long people have to acknowledge (v1) and to investigate (v2); usual by %s are %s", part.name, part.usual)
		}
		if part.v1 < 0 || part.v2 < 0 {
			c.mistake(v1, "%v and %v: a delay cannot be negative", part.v1, part.v2)
		}
		if part.v1+part.v2 > maxDelay {
			c.mistake(v2, "%s_v1 and %s_v2 are %v together, at most %v are allowed: shorten them", part.name, part.name, part.v1+part.v2, maxDelay)
		}
	}
	if d.NightV1+d.NightV2 > 0 {
		c.warn("factory.delays.night_v2", "a delay at night, when few can acknowledge: want 0s")
	}
}

func (c *check) times() {
	f := &c.site.Factory
	for i, h := range f.Hours {
		path := item("factory.approved_hours", i)
		c.text(path+".days", h.Days, "say on which days, such as sat-thu")
		if _, err := safety.Weekdays(h.Days); err != nil && h.Days != "" {
			c.mistake(path+".days", "%q: want such as friday, or sat-thu", h.Days)
		}
		c.clock(path+".from", h.From)
		c.clock(path+".to", h.To)
		c.date(path+".since", h.Since)
		c.date(path+".until", h.Until)
	}
	seen := map[string]string{}
	for i, s := range f.Shifts {
		path := item("factory.shifts", i)
		c.id(path, s.ID, seen)
		c.clock(path+".from", s.From)
		c.clock(path+".to", s.To)
		c.date(path+".since", s.Since)
		c.date(path+".until", s.Until)
	}
	for i, h := range f.Calendar {
		c.text(item("factory.calendar", i)+".date", h.Date, "say on which day")
		c.date(item("factory.calendar", i)+".date", h.Date)
	}
}

func (c *check) papers() {
	for i, p := range c.site.Factory.Certificates {
		path := item("factory.certificates", i)
		c.text(path+".kind", p.Kind, "say what it certifies, such as fire_licence or boiler")
		c.text(path+".expires", p.Expires, "its expiry cannot be watched")
		c.date(path+".expires", p.Expires)
	}
	service := false
	for i, contact := range c.site.Factory.Contacts {
		path := item("factory.contacts", i)
		c.text(path+".role", contact.Role, "say who it is, such as manager or fire_service")
		c.text(path+".phone", contact.Phone, "a contact is there to be called")
		service = service || contact.Role == "fire_service"
		if c.site.Factory.Demo && contact.Consent {
			c.mistake(path+".consent", "a demonstration never sends anything to anybody: want false")
		}
	}
	if !service {
		c.warn("factory.contacts", "no fire_service among them: the call sheet lacks its first number")
	}
}

func (c *check) people() {
	sides := map[string]int{}
	told := false
	for i, m := range c.site.People.Committee {
		path := item("people.committee", i)
		c.member(path, m)
		sides[m.Side]++
		if m.Phone == "" {
			c.warn(path+".phone", "missing: %s cannot be told outside the factory", m.Name)
		}
		told = told || m.Side == "workers" && strings.Contains(m.Role, "vice")
	}
	for _, side := range []string{"workers", "management"} {
		if sides[side] == 0 {
			c.mistake("people.committee", "nobody of side %s: both sides are told in the same instant", side)
		}
	}
	if sides["workers"] > 0 && !told {
		c.warn("people.committee", "no workers' vice_president: a silenced siren is told to that person first")
	}
	for i, m := range c.site.People.Wardens {
		c.member(item("people.wardens", i), m)
	}
	for i, m := range c.site.People.FirstAiders {
		c.member(item("people.first_aiders", i), m)
	}
}

func (c *check) member(path string, m safety.Member) {
	c.text(path+".name", m.Name, "say who")
	c.word(path+".side", m.Side, false, "workers", "management")
	if m.Floor != "" {
		ref(c, path+".floor", m.Floor, c.floors, "floor")
	}
}
