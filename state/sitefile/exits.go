package sitefile

import (
	"slices"

	"nirapod/safety"
)

// Limits of the Labour Rules 2015, rule 54; shown as warnings, because an
// inspector decides.
const (
	minWidth     = 1150 // mm, rule 54(2)
	maxTravel    = 50   // m, rule 54(2)
	oneExitUntil = 20   // persons in a room, rule 54(1)
)

func (c *check) eachExit() {
	if len(c.site.Exits) == 0 {
		c.mistake("exits", "missing: list every door, stair, gate and roof door that people can leave by")
	}
	ids := map[string]string{}
	for i, e := range c.site.Exits {
		path := item("exits", i)
		c.id(path, e.ID, ids)
		c.name(path+".name", e.Name)
		c.way(path, e)
		c.width(path, e)
		c.word(path+".required_while", e.RequiredWhile, false, "occupied", "always")
		c.contact(path, e)
		c.lock(path, e)
		c.confirm(path+".confirm_sensor", e)
		if e.Travel < 0 {
			c.mistake(path+".travel_m", "%v m", e.Travel)
		} else if e.Travel > maxTravel {
			c.warn(path+".travel_m", "%v m to the exit, limit %d m (Labour Rules 2015, rule 54(2)); please check", e.Travel, maxTravel)
		}
	}
	c.waysOut()
}

func (c *check) way(path string, e safety.Exit) {
	ref(c, path+".from", e.From, c.zones, "zone")
	if e.To != "outside" && ref(c, path+".to", e.To, c.zones, "zone") && e.To == e.From {
		c.mistake(path+".to", "leads from %s back into it", e.From)
	}
	c.word(path+".kind", e.Kind, false, "door", "stair", "gate", "roof", "window")
}

func (c *check) width(path string, e safety.Exit) {
	switch {
	case e.Width == 0:
		c.mistake(path+".clear_width_mm", "missing: want the clear width in millimetres")
	case e.Width < 300 || e.Width > 10000:
		c.mistake(path+".clear_width_mm", "%d: want millimetres, 300 to 10000", e.Width)
	case e.Width < minWidth && e.Kind != "window":
		c.warn(path+".clear_width_mm", "%d mm, limit %d mm (Labour Rules 2015, rule 54(2)); please check", e.Width, minWidth)
	}
}

func (c *check) contact(path string, e safety.Exit) {
	if e.Sensor == "" {
		c.warn(path+".sensor", "no door contact: only a warden at the door can prove it open")
		return
	}
	if ref(c, path+".sensor", e.Sensor, c.sensors, "sensor") && c.sensors[e.Sensor].Quantity != safety.DoorOpen {
		c.mistake(path+".sensor", "%s measures %s: want a sensor of door_open", e.Sensor, c.sensors[e.Sensor].Quantity)
	}
}

// lock checks the contact of the exit's lock. Rules judge it by the people who
// are counted in its own zone, so that it stands where they leave from.
func (c *check) lock(path string, e safety.Exit) {
	path += ".lock_sensor"
	if e.LockSensor == "" || !ref(c, path, e.LockSensor, c.sensors, "sensor") {
		return
	}
	s := c.sensors[e.LockSensor]
	if s.Quantity != safety.Locked {
		c.mistake(path, "%s measures %s: want a sensor of locked", e.LockSensor, s.Quantity)
	}
	if s.Zone != e.From {
		c.mistake(path, "%s is in zone %s: want %s, because who is there needs the exit", e.LockSensor, s.Zone, e.From)
	}
}

func (c *check) confirm(path string, e safety.Exit) {
	if e.ConfirmSensor != "" && ref(c, path, e.ConfirmSensor, c.sensors, "sensor") && c.sensors[e.ConfirmSensor].Quantity != safety.ExitConfirmed {
		c.mistake(path, "%s measures %s: want a sensor of exit_confirmed", e.ConfirmSensor, c.sensors[e.ConfirmSensor].Quantity)
	}
}

// waysOut looks at rooms and floors: can everybody leave?
func (c *check) waysOut() {
	if len(c.site.Exits) == 0 {
		return
	}
	if !slices.ContainsFunc(c.site.Exits, func(e safety.Exit) bool { return e.To == "outside" }) {
		c.mistake("exits", "none leads outside: say to: outside of at least one")
	}
	fromFloor, fromZone := map[string]int{}, map[string]int{}
	for _, e := range c.site.Exits {
		fromZone[e.From]++
		if z := c.zones[e.From]; z != nil {
			fromFloor[z.Floor]++
		}
	}
	for i, f := range c.site.Floors {
		switch n := fromFloor[f.ID]; {
		case n == 0:
			c.mistake(item("floors", i), "no exit leads from floor %s: add it to exits", f.ID)
		case n == 1 && f.Level > 0:
			c.warn(item("floors", i), "one exit from floor %s, at least one alternative is needed (Labour Act s.62(1)); please check", f.ID)
		}
	}
	for i, z := range c.site.Zones {
		if n := fromZone[z.ID]; z.Employed > oneExitUntil && n < 2 {
			c.warn(item("zones", i), "exits from zone %s: %d for %d people, 2 are needed above %d (Labour Rules 2015, rule 54(1)); please check", z.ID, n, z.Employed, oneExitUntil)
		}
	}
}
