package sitefile

import (
	"math"
	"slices"
	"strings"

	"nirapod/safety"
)

func (c *check) eachFloor() {
	if len(c.site.Floors) == 0 {
		c.mistake("floors", "missing: a factory has at least one floor")
	}
	ids, levels := map[string]string{}, map[int]string{}
	for i, f := range c.site.Floors {
		path := item("floors", i)
		c.id(path, f.ID, ids)
		c.name(path+".name", f.Name)
		c.polygon(path+".outline", f.Outline)
		if levels[f.Level] != "" {
			c.mistake(path+".level", "%d is the level of %s: 0 is the ground, 1 the floor above it", f.Level, levels[f.Level])
		}
		levels[f.Level] = path
		if f.Level >= c.site.Building.Storeys && c.site.Building.Storeys > 0 {
			c.mistake(path+".level", "%d does not exist in a building of %d storeys", f.Level, c.site.Building.Storeys)
		}
		if !slices.ContainsFunc(c.site.Zones, func(z safety.Zone) bool { return z.Floor == f.ID }) {
			c.mistake(path, "no zone on this floor: nobody could be told where to look")
		}
	}
}

var uses = []string{
	"sewing", "cutting", "ironing", "finishing", "knitting", "dyeing", "washing", "printing", "packing", "boiler", "dryer",
	"chemical", "generator", "electrical", "compressor", "store", "office", "canteen", "child_care", "prayer", "sleeping",
	"corridor", "stair", "roof", "yard", "other",
}

// passage uses are for walking through: nobody works there.
var passages = []string{"stair", "roof", "corridor", "yard"}

func (c *check) eachZone() {
	if len(c.site.Zones) == 0 {
		c.mistake("zones", "missing: a factory has at least one zone")
	}
	ids := map[string]string{}
	for i := range c.site.Zones {
		z, path := &c.site.Zones[i], item("zones", i)
		c.id(path, z.ID, ids)
		c.name(path+".name", z.Name)
		c.word(path+".use", z.Use, false, uses...)
		c.work(path, z)
		if c.polygon(path+".polygon", z.Polygon) {
			c.plan(path, z)
		}
		c.room(path, z)
		for j, id := range z.Adjacent {
			if ref(c, item(path+".adjacent", j), id, c.zones, "zone") && id == z.ID {
				c.mistake(item(path+".adjacent", j), "a zone is not beside itself")
			}
		}
		c.required(path, z)
	}
}

// plan compares a zone's polygon with its floor and its stated area.
func (c *check) plan(path string, z *safety.Zone) {
	if drawn := area(z.Polygon); z.Area > 0 && math.Abs(drawn-z.Area) > 0.1*z.Area {
		c.mistake(path+".area_m2", "%v does not fit the polygon, which encloses %.1f m²: correct one", z.Area, drawn)
	}
	if f := c.floors[z.Floor]; f != nil && len(f.Outline) >= 3 {
		for _, p := range z.Polygon {
			if !inside(f.Outline, p) {
				c.warn(path+".polygon", "corner %v lies outside the outline of floor %s", p, f.ID)
				break
			}
		}
	}
}

func (c *check) room(path string, z *safety.Zone) {
	ref(c, path+".floor", z.Floor, c.floors, "floor")
	if !(z.Area > 0) {
		c.mistake(path+".area_m2", "missing: want the floor area in m²")
	}
	if !(z.Height > 0) || z.Height > 60 {
		c.mistake(path+".height_m", "want the ceiling's height above the floor, above 0 and up to 60 m, have %v", z.Height)
	}
	if z.NormalMax < 0 || z.NormalMax > 150 {
		c.mistake(path+".normal_max_c", "want the highest temperature of a normal day, 0 to 150 °C, have %v", z.NormalMax)
	}
	for _, count := range []struct {
		key string
		n   int
	}{{"posted_maximum", z.PostedMaximum}, {"employed_per_shift", z.Employed}, {"people_needing_help", z.NeedHelp}} {
		if count.n < 0 {
			c.mistake(path+"."+count.key, "%d people", count.n)
		}
	}
	if !slices.Contains(passages, z.Use) && !c.written(path+".employed_per_shift") {
		c.mistake(path+".employed_per_shift", "missing: how many work here in a shift, 0 if nobody")
	}
	if limit, why := capacity(z); z.Employed > limit && limit > 0 {
		c.warn(path+".employed_per_shift", "counted %d, limit %d (%s); please check", z.Employed, limit, why)
	}
}

func capacity(z *safety.Zone) (limit int, why string) {
	limit, posted := z.Capacity()
	if posted {
		return limit, "posted maximum, s.56(3)"
	}
	return limit, "9.5 m³ for each worker, s.56(2)"
}

func (c *check) required(path string, z *safety.Zone) {
	path += ".required_detection"
	passage := slices.Contains(passages, z.Use)
	if !c.written(path) && !passage {
		c.mistake(path, "missing: list what has to watch this zone, such as smoke, heat, co; [] if nothing does")
	} else if len(z.Required) == 0 && !passage {
		c.warn(path, "nothing: the zone is shown as not watched")
	}
	for i, kind := range z.Required {
		at := item(path, i)
		quantities := safety.Detection(kind)
		if quantities == nil {
			c.mistake(at, "%q is not known: want smoke, heat, gas or a quantity such as flame, co, call_point", kind)
			continue
		}
		var wrong []string
		if !c.watched(z, quantities, &wrong) {
			remedy := "add one, or take it off the list"
			if len(wrong) > 0 {
				remedy = "say life_safety: true of " + strings.Join(wrong, " or ")
			}
			c.mistake(at, "no life-safety sensor for %s in zone %s: %s", kind, z.ID, remedy)
		}
	}
	c.highCeiling(path, z)
}

// watched reports whether a life-safety sensor of one of the quantities is in
// z, and collects those that are not life-safety.
func (c *check) watched(z *safety.Zone, quantities []safety.Quantity, wrong *[]string) bool {
	for _, s := range c.site.Sensors {
		if s.Zone != z.ID || !slices.Contains(quantities, s.Quantity) {
			continue
		}
		if s.LifeSafety {
			return true
		}
		*wrong = append(*wrong, s.ID)
	}
	return false
}

// highCeiling refuses point heat detectors as the only fire cover under a
// ceiling that is too high for them.
func (c *check) highCeiling(path string, z *safety.Zone) {
	limit := 0.0
	for _, s := range c.site.Sensors {
		if s.Zone != z.ID || !s.LifeSafety {
			continue
		}
		switch s.Quantity {
		case safety.Smoke, safety.SmokeOD, safety.Flame:
			return
		case safety.Temperature:
			limit = max(limit, heatCeiling(s.Class))
		}
	}
	if limit > 0 && z.Height > limit {
		c.mistake(path, "heat detectors alone under a ceiling of %v m, limit %v m (%s): add smoke or flame detection", z.Height, limit, heatCeilingSource)
	}
}

func (c *check) eachHazard() {
	for i, h := range c.site.Hazards {
		path := item("hazards", i)
		ref(c, path+".zone", h.Zone, c.zones, "zone")
		c.word(path+".kind", h.Kind, false, safety.KindBoiler, "gas", "chemical", "fuel", "combustible", "dust", "battery", "radiation", "other")
		c.date(path+".licence_expires", h.Expires)
		if h.MaxKG < 0 {
			c.mistake(path+".max_kg", "%v kg", h.MaxKG)
		}
		if h.Kind == safety.KindBoiler {
			c.text(path+".boiler_number", h.BoilerNo, "a boiler is known by its number")
			c.text(path+".licence_expires", h.Expires, "its expiry cannot be watched")
			if !(h.RatedBar > 0) {
				c.mistake(path+".rated_bar", "missing: want the rated pressure in bar")
			}
		}
	}
}

func (c *check) eachGateway() {
	if len(c.site.Gateways) == 0 {
		c.mistake("gateways", "missing: without a gateway nothing is measured")
	}
	ids := map[string]string{}
	for i, g := range c.site.Gateways {
		c.id(item("gateways", i), g.ID, ids)
		ref(c, item("gateways", i)+".floor", g.Floor, c.floors, "floor")
		c.name(item("gateways", i)+".place", g.Place)
	}
}
