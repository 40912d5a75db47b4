package sitefile

import (
	"regexp"
	"slices"
	"time"

	"nirapod/safety"
)

func (c *check) eachSensor() {
	if len(c.site.Sensors) == 0 {
		c.mistake("sensors", "missing: without sensors nothing is watched")
	}
	ids := map[string]string{}
	for i := range c.site.Sensors {
		s, path := &c.site.Sensors[i], item("sensors", i)
		c.id(path, s.ID, ids)
		c.name(path+".name", s.Name)
		ref(c, path+".gateway", s.Gateway, c.gateways, "gateway")
		inZone := ref(c, path+".zone", s.Zone, c.zones, "zone")
		c.measures(path, s)
		c.date(path+".calibrated", s.Calibrated)
		c.date(path+".bump_tested", s.Bumped)
		c.date(path+".walk_tested", s.Walked)
		c.date(path+".end_of_life", s.EndOfLife)
		if inZone {
			c.heat(path, s, c.zones[s.Zone])
			c.mounting(path, s, c.zones[s.Zone])
		}
	}
}

func (c *check) measures(path string, s *safety.Sensor) {
	if s.Quantity == "" {
		c.mistake(path+".quantity", "missing: say what it measures, such as temperature or smoke")
	} else if s.Quantity.Validate() != nil {
		c.mistake(path+".quantity", "%q is not known", s.Quantity)
	}
	c.word(path+".grade", string(s.Grade), false, string(safety.Indicative), string(safety.Industrial), string(safety.Certified))
	switch {
	case s.Period == 0:
		c.mistake(path+".period", "missing: say how often it is read, such as 1s")
	case s.Period < 10*time.Millisecond || s.Period > time.Hour:
		c.mistake(path+".period", "%v: want 10ms to 1h", s.Period)
	}
	if s.Range[0] > s.Range[1] {
		c.mistake(path+".range", "%v is above %v: write the lower end first", s.Range[0], s.Range[1])
	}
	if !c.written(path + ".life_safety") {
		c.mistake(path+".life_safety", "missing: true if people's lives depend on it, else false")
	}
	if s.Grade == safety.Certified && s.Standard == "" {
		c.mistake(path+".standard", "missing: a certified sensor says by which standard, such as EN 54-11")
	}
}

// lifeSafety reports whether lives depend on s, or nobody has said.
func (c *check) lifeSafety(path string, s *safety.Sensor) bool {
	return s.LifeSafety || !c.written(path+".life_safety")
}

// heatClass is one class of EN 54-5 (table 1): the highest temperature at
// which a detector of it may be used, °C, and how high it may hang, m.
type heatClass struct {
	name         string
	maximum      float64
	ceilingLimit float64
}

// heatCeilingSource is where ceilingLimit is from.
const heatCeilingSource = "BS 5839-1, recalled, to be verified"

var heatClasses = []heatClass{
	{"A1", 50, 9}, {"A2", 50, 7.5}, {"B", 65, 7.5}, {"C", 80, 7.5},
	{"D", 95, 7.5}, {"E", 110, 7.5}, {"F", 125, 7.5}, {"G", 140, 7.5},
}

var classPattern = regexp.MustCompile(`^(A1|A2|[B-G])([RS]?)$`)

func classOf(class string) (h heatClass, suffix string, ok bool) {
	parts := classPattern.FindStringSubmatch(class)
	if parts == nil {
		return heatClass{}, "", false
	}
	i := slices.IndexFunc(heatClasses, func(h heatClass) bool { return h.name == parts[1] })
	return heatClasses[i], parts[2], true
}

func heatCeiling(class string) float64 {
	h, _, _ := classOf(class)
	return h.ceilingLimit
}

// fastRise are uses where temperature rises fast on a normal day.
var fastRise = []string{"ironing", "boiler", "dryer"}

// heat checks a heat detector against the zone that it hangs in.
func (c *check) heat(path string, s *safety.Sensor, z *safety.Zone) {
	if s.Quantity != safety.Temperature || !c.lifeSafety(path, s) && s.Class == "" {
		return
	}
	path += ".class"
	h, suffix, ok := classOf(s.Class)
	switch {
	case s.Class == "":
		c.mistake(path, "missing: a heat detector says its class by EN 54-5, such as A1R or BS")
		return
	case !ok:
		c.mistake(path, "%q is no class of EN 54-5: want A1, A2 or B to G, and R or S if it has one", s.Class)
		return
	case z.NormalMax == 0:
		c.mistake(c.zonePath(z)+".normal_max_c", "missing: without the highest normal temperature it cannot be told whether the heat detector %s of class %s fits", s.ID, s.Class)
		return
	case z.NormalMax > h.maximum:
		c.mistake(path, "class %s may be used up to %v °C, zone %s reaches %v °C on a normal day: %s", s.Class, h.maximum, z.ID, z.NormalMax, betterClass(z.NormalMax))
	}
	fast := slices.Contains(fastRise, z.Use)
	if suffix == "S" && !fast {
		c.warn(path, "class %s ignores fast rise, and in zone %s (%s) fast rise is not normal: want R", s.Class, z.ID, z.Use)
	}
	if suffix == "R" && (fast || z.SteamProne) {
		c.warn(path, "class %s answers to fast rise, which is normal in zone %s: want S", s.Class, z.ID)
	}
	if suffix == "R" && z.SteamProne && !c.feelsSteam(s) {
		c.warn(path, "steam in zone %s puts off what fast rise says only if humidity is read there as often, each %v: without, steam alone raises the alarm", z.ID, s.Period)
	}
}

// feelsSteam reports whether humidity is read in the zone of a heat detector at
// least as often as it: the rules delay a rise by the newest of both.
func (c *check) feelsSteam(heat *safety.Sensor) bool {
	return slices.ContainsFunc(c.site.Sensors, func(s safety.Sensor) bool {
		return s.Quantity == safety.Humidity && s.Zone == heat.Zone && s.Period <= heat.Period
	})
}

func betterClass(normalMax float64) string {
	for _, h := range heatClasses {
		if normalMax <= h.maximum {
			return "use class " + h.name + " or higher"
		}
	}
	return "no class reaches that far"
}

func (c *check) zonePath(z *safety.Zone) string {
	return item("zones", slices.IndexFunc(c.site.Zones, func(other safety.Zone) bool { return other.ID == z.ID }))
}
