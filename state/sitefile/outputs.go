package sitefile

import (
	"slices"
	"time"

	"nirapod/safety"
)

func (c *check) eachOutput() {
	ids := map[string]string{}
	for i, s := range c.site.Sensors { // sensors and outputs share the terminals of a gateway
		ids[s.ID] = item("sensors", i)
	}
	for i, o := range c.site.Outputs {
		path := item("outputs", i)
		c.id(path, o.ID, ids)
		ref(c, path+".gateway", o.Gateway, c.gateways, "gateway")
		ref(c, path+".zone", o.Zone, c.zones, "zone")
		c.word(path+".kind", o.Kind, false, "staff_alert", "evacuate", "beacon")
		if o.Kind == "evacuate" && !o.Battery {
			c.warn(path+".battery", "an evacuation sounder without a battery is silent when the mains fail")
		}
	}
	for _, need := range []struct{ kind, why string }{
		{"evacuate", "nobody would be told to leave"},
		{"staff_alert", "nobody would be told before an evacuation"},
	} {
		if !slices.ContainsFunc(c.site.Outputs, func(o safety.Output) bool { return o.Kind == need.kind }) {
			c.mistake("outputs", "none of kind %s: %s", need.kind, need.why)
		}
	}
}

// minutes returns the minute of the day of HH:MM, -1 if it is none.
func minutes(clock string) int {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}
