package dashboard

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
	"nirapod/state"
)

// levels, worst first. "ok" means no open alert and every life-safety sensor
// seen, "unwatched" that nothing here would tell of a fire; no word says more.
var levels = []string{"danger", "warn", "blind", "watch", "unwatched", "ok"}

func worse(a, b string) string {
	if slices.Index(levels, b) < slices.Index(levels, a) {
		return b
	}
	return a
}

// levelOf is what an open alert makes of its zone, with the reason.
func levelOf(a safety.Alert) string {
	switch {
	case a.Class == safety.ClassAlarm && a.Condition == "inactive":
		return "warn" // it has ended, and nobody has looked
	case a.Class == safety.ClassAlarm && a.Severity.Rank() >= safety.Alarm.Rank():
		return "danger"
	case a.Class == safety.ClassAlarm:
		return "warn"
	case a.Class == safety.ClassFault:
		return "blind"
	case a.Hazard == safety.HazardExit:
		return "ok" // a door that was opened is a fact, not a warning
	}
	return "watch"
}

// picture is one factory as it is at one moment.
type picture struct {
	factory  factoryView
	floors   []floorView
	zones    []zoneView
	exits    []exitView
	gateways []gatewayView
	sensors  []sensorView
}

// picture draws one factory from its site, the newest values and its open
// alerts.
func (s *Server) picture(site safety.Site, gateways []state.GatewayStatus, open []safety.Alert, now time.Time) picture {
	id := site.Factory.ID
	newest := s.hub.values(id)
	f := site.Factory
	v1, v2 := s.deps.Delays(site, now)
	p := picture{factory: factoryView{ID: id, Name: f.Name, Demo: f.Demo, V1: v1.Milliseconds(), V2: v2.Milliseconds()}}
	for _, f := range site.Floors {
		p.floors = append(p.floors, floorView{ID: f.ID, Factory: id, Name: f.Name, Level: f.Level, Outline: f.Outline})
	}
	for _, sensor := range site.Sensors {
		p.sensors = append(p.sensors, look(id, sensor, newest, now))
	}
	for _, z := range site.Zones {
		p.zones = append(p.zones, drawZone(id, z, p.sensors, open))
	}
	for _, e := range site.Exits {
		p.exits = append(p.exits, drawExit(id, e, site.Zones, p.sensors))
	}
	for _, g := range site.Gateways {
		p.gateways = append(p.gateways, drawGateway(id, g, gateways))
	}
	return p
}

func drawZone(factory string, z safety.Zone, sensors []sensorView, open []safety.Alert) zoneView {
	v := zoneView{
		ID: z.ID, Factory: factory, Floor: z.Floor, Name: z.Name, Use: z.Use, Polygon: z.Polygon,
		Level: "unwatched", Sensors: []sensorView{},
	}
	v.Capacity, v.Posted = z.Capacity()
	var blind string
	for _, sensor := range sensors {
		if sensor.Zone != z.ID {
			continue
		}
		v.Sensors = append(v.Sensors, sensor)
		v.Watched = v.Watched || sensor.LifeSafety && detects(sensor.Quantity)
		v.Coverage.Total++
		if sensor.seen() {
			v.Coverage.Live++
		} else if sensor.LifeSafety {
			blind = sensor.ID
		}
		if sensor.At != nil && (v.At == nil || sensor.At.After(*v.At)) {
			v.At, v.Age = sensor.At, sensor.Age
		}
	}
	switch {
	case blind != "":
		v.Level, v.Reason = "blind", blind
	case v.Watched:
		v.Level = "ok"
	}
	for _, a := range open {
		if a.FactoryID == factory && a.ZoneID == z.ID && worse(v.Level, levelOf(a)) != v.Level {
			v.Level, v.Reason = levelOf(a), a.Rule
		}
	}
	return v
}

func drawExit(factory string, e safety.Exit, zones []safety.Zone, sensors []sensorView) exitView {
	v := exitView{ID: e.ID, Factory: factory, Name: e.Name, Kind: e.Kind, At: e.At, State: "unknown", Leaf: e.Sensor, Lock: e.LockSensor}
	for _, z := range zones {
		if z.ID == e.From {
			v.Floor = z.Floor
		}
	}
	for _, s := range sensors {
		if s.ID == e.Sensor && s.seen() && s.Value != nil {
			v.State = "closed"
			if *s.Value >= 0.5 {
				v.State = "open"
			}
		}
	}
	for _, s := range sensors {
		if s.ID == e.LockSensor && s.seen() && s.Value != nil && *s.Value >= 0.5 {
			v.State = "locked" // whatever the leaf says: a bolt that is out is a way that is shut
		}
	}
	return v
}

func drawGateway(factory string, g safety.Gateway, heard []state.GatewayStatus) gatewayView {
	v := gatewayView{ID: g.ID, Factory: factory, Place: g.Place, Floor: g.Floor, Unknown: []string{}, Refused: map[string]int64{}}
	for _, h := range heard {
		if h.Factory == factory && h.ID == g.ID {
			v.Online, v.Simulated, v.Clock, v.Version = h.Online, h.Simulated, h.Clock, h.Version
			v.Unknown, v.Refused = h.UnknownSensors, h.Refused
			if !h.At.IsZero() {
				v.At = &h.At
			}
		}
	}
	return v
}

// pictures draws every factory that the asker may see.
func (s *Server) pictures(ctx context.Context, view *state.View, now time.Time) ([]picture, []safety.Alert, error) {
	sites, err := view.Sites(ctx)
	if err != nil {
		return nil, nil, err
	}
	gateways, err := view.Gateways(ctx)
	if err != nil {
		return nil, nil, err
	}
	open, err := openAlerts(ctx, view)
	if err != nil {
		return nil, nil, err
	}
	drawn := make([]picture, 0, len(sites))
	for _, site := range sites {
		drawn = append(drawn, s.picture(site, gateways, open, now))
	}
	return drawn, open, nil
}

// openAlerts reads all open alerts that the asker may see, oldest first.
func openAlerts(ctx context.Context, view *state.View) ([]safety.Alert, error) {
	open := []safety.Alert{}
	for cursor := ""; ; {
		page, err := view.Alerts(ctx, state.AlertFilter{Open: true}, cursor, maxPage)
		if err != nil {
			return nil, err
		}
		open = append(open, page.Items...)
		if page.Next == nil {
			slices.Reverse(open)
			return open, nil
		}
		cursor = *page.Next
	}
}

// recentPapers is how many notices and incidents a snapshot holds; the lists
// have the rest.
const recentPapers = 20

// snapshot answers with everything a page shows. The cursor is read first: a
// change that happens while the rest is read comes again in the stream.
func (s *Server) snapshot(c *fiber.Ctx) error {
	ctx, view, now := c.UserContext(), s.deps.DB.As(viewer(c)), s.deps.Now()
	cursor, err := s.deps.DB.LastChange(ctx)
	if err != nil {
		return err
	}
	drawn, open, err := s.pictures(ctx, view, now)
	if err != nil {
		return err
	}
	out := fiber.Map{"cursor": strconv.FormatInt(cursor, 10), "server_time": now.UTC().Format(timeFormat), "alerts": open}
	if out["permits"], err = openPermits(ctx, view); err != nil {
		return err
	}
	out["incidents"], out["notices"] = []safety.Incident{}, []safety.Notice{}
	if slices.Contains(papers, sessionOf(c).User.Role) {
		incidents, err := view.Incidents(ctx, state.IncidentFilter{}, "", recentPapers)
		if err != nil {
			return err
		}
		notices, err := view.Notices(ctx, state.NoticeFilter{}, "", recentPapers)
		if err != nil {
			return err
		}
		out["incidents"], out["notices"] = incidents.Items, notices.Items
	}
	out["factories"] = collect(drawn, func(p picture) []factoryView { return []factoryView{p.factory} })
	out["floors"] = collect(drawn, func(p picture) []floorView { return p.floors })
	out["zones"] = collect(drawn, func(p picture) []zoneView { return p.zones })
	out["exits"] = collect(drawn, func(p picture) []exitView { return p.exits })
	out["gateways"] = collect(drawn, func(p picture) []gatewayView { return p.gateways })
	return c.JSON(out)
}

// collect joins one part of all pictures; never nil, so that JSON has a list.
func collect[T any](drawn []picture, part func(picture) []T) []T {
	all := []T{}
	for _, p := range drawn {
		all = append(all, part(p)...)
	}
	return all
}
