package month

import (
	"fmt"
	"slices"
	"time"

	"nirapod/firmware-sim/factory"
	"nirapod/gateway-agent/annunciate"
	"nirapod/safety"
)

// Found is what was made of one fire. Times are from its ignition; negative: never.
type Found struct {
	factory.Fire
	Alarm   time.Duration // the first alarm about fire or gas in its zone
	By      string        // the rule that raised it
	Sounder time.Duration // evacuation
	Signal  time.Duration // to the desk
	Because string        // of the signal
	near    []string
}

// Raised is something that was raised though nothing burned there.
type Raised struct {
	At       time.Time
	Zone     string
	Rule     string
	Severity safety.Severity
	While    string // what ordinary things went on there
}

// Verdict is what became of a month.
type Verdict struct {
	Days     int
	Readings int
	Fires    []Found
	// Without a fire:
	Sounders  []Raised // evacuations by an annunciator or a rule
	PreAlarms []Raised // pre-alarms about fire or gas
	Alarms    []Raised // alarms about fire or gas; people look, and reset them
	Signals   []Raised // to the desk; Severity alarm: unresolved, evacuate: confirmed
	Notices   []Raised // that a machine has sent
	Happened  map[factory.Kind]int
	Others    map[string]int // alarms about crowds, exits and the system, and faults, by rule, of the gateways
	OfServer  map[string]int // and of the server's rules

	site   safety.Site
	begin  time.Time
	plan   []factory.Happening
	seen   map[string]bool             // alerts, signals and notices counted
	phases map[string]annunciate.Phase // by box
	fired  map[string]bool             // by point: fires, as far as is known
	peaks  map[string]*peak            // by sensor
}

// peak is the highest reading of a sensor where nothing burned.
type peak struct {
	safety.Reading
	quantity safety.Quantity
	zone     string
}

func newVerdict(site safety.Site, cfg factory.Config, begin time.Time, plan []factory.Happening) *Verdict {
	v := &Verdict{
		Days: cfg.Days, Happened: map[factory.Kind]int{}, Others: map[string]int{}, OfServer: map[string]int{},
		site: site, begin: begin, plan: plan, seen: map[string]bool{}, phases: map[string]annunciate.Phase{}, fired: map[string]bool{}, peaks: map[string]*peak{},
	}
	for _, s := range site.Sensors {
		v.peaks[s.ID] = &peak{quantity: s.Quantity, zone: s.Zone}
	}
	for _, f := range cfg.Fires {
		v.Fires = append(v.Fires, Found{Fire: f, Alarm: -1, Sounder: -1, Signal: -1, near: reach(site, f)})
	}
	for _, h := range plan {
		v.Happened[h.Kind]++
	}
	return v
}

// fire returns which fire something in a zone at a time is about, from its
// ignition until its smoke is gone; -1: none. A recorded fire is one of its zone
// or next to it; the simulator's own spreads wherever there is a way.
func (v *Verdict) fire(zone string, at time.Time) int {
	since := at.Sub(v.begin)
	return slices.IndexFunc(v.Fires, func(f Found) bool {
		return since >= f.At && since < f.At+factory.Aftermath && slices.Contains(f.near, zone)
	})
}

// near returns the zones that touch one of zones, and these.
func near(site safety.Site, zones []string) []string {
	out := slices.Clone(zones)
	for _, z := range site.Zones {
		for _, next := range z.Adjacent {
			if slices.Contains(zones, z.ID) {
				out = append(out, next)
			}
			if slices.Contains(zones, next) {
				out = append(out, z.ID)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// reach returns where a fire may raise something.
func reach(site safety.Site, f factory.Fire) []string {
	zones := near(site, []string{f.Zone})
	for f.Course == nil {
		more := near(site, zones)
		if len(more) == len(zones) {
			break
		}
		zones = more
	}
	return zones
}

// while names the ordinary things that went on in a zone, or that had ended less
// than ten minutes before; of all zones with "".
func (v *Verdict) while(zone string, at time.Time) string {
	since, names := at.Sub(v.begin), ""
	for _, kind := range factory.Kinds {
		on := slices.ContainsFunc(v.plan, func(h factory.Happening) bool {
			here := zone == "" || slices.Contains(h.Zones, zone)
			return h.Kind == kind && here && since >= h.At && since < h.At+h.For+10*time.Minute
		})
		if on && names != "" {
			names += "; "
		}
		if on {
			names += string(kind)
		}
	}
	return names
}

// reading takes what was measured.
func (v *Verdict) reading(r safety.Reading) {
	v.Readings++
	if p := v.peaks[r.Sensor]; r.Value > p.Value && v.fire(p.zone, r.At) < 0 {
		p.Reading = r
	}
}

// Highest returns the highest value of a quantity in a zone where nothing burned.
func (v *Verdict) Highest(zone string, q safety.Quantity) float64 {
	top := 0.0
	for _, p := range v.peaks {
		if p.zone == zone && p.quantity == q {
			top = max(top, p.Value)
		}
	}
	return top
}

// serverSays counts what the server's rules say beside the gateways.
func (v *Verdict) serverSays(ts []safety.Transition) {
	for _, t := range ts {
		if v.begins(safety.ServerSource+"/"+t.Point, t) && !asks(t.Class, t.Hazard, t.Severity) && (t.Class == safety.ClassAlarm || t.Class == safety.ClassFault) {
			v.OfServer[t.Rule]++
		}
	}
}

// begins reports whether t is the begin of something: an alarm that was out of
// sight is no new one.
func (v *Verdict) begins(point string, t safety.Transition) bool {
	was := v.fired[point]
	if t.To == safety.Firing || t.To == safety.Inactive {
		v.fired[point] = t.To == safety.Firing
	}
	return t.To == safety.Firing && !was
}

// transition takes what a box has said.
func (v *Verdict) transition(t safety.Transition) {
	if !v.begins(t.Point, t) {
		return
	}
	if !asks(t.Class, t.Hazard, t.Severity) {
		if t.Class == safety.ClassAlarm || t.Class == safety.ClassFault {
			v.Others[t.Rule]++
		}
		return
	}
	i := v.fire(t.Zone, t.At)
	switch {
	case i < 0 && t.Severity == safety.Evacuate:
		v.Sounders = append(v.Sounders, v.raised(t.At, t.Zone, t.Rule, t.Severity))
	case i < 0 || t.Severity == safety.PreAlarm:
	case v.Fires[i].Alarm < 0 && v.Fires[i].Zone == t.Zone:
		v.Fires[i].Alarm, v.Fires[i].By = t.At.Sub(v.begin)-v.Fires[i].At, t.Rule
	}
}

// phase follows a box's sounder.
func (v *Verdict) phase(b *box, now time.Time) {
	was, is := v.phases[b.id], b.ann.Phase()
	v.phases[b.id] = is
	if is != annunciate.Evacuating || was == is {
		return
	}
	points := b.ann.State().Points
	for _, p := range points {
		if i := v.fire(p.Zone, now); i >= 0 {
			if v.Fires[i].Sounder < 0 {
				v.Fires[i].Sounder = now.Sub(v.begin) - v.Fires[i].At
			}
			return
		}
	}
	zone := ""
	if len(points) > 0 {
		zone = points[0].Zone
	}
	v.Sounders = append(v.Sounders, v.raised(now, zone, "sounder of "+b.id, safety.Evacuate))
}

func (v *Verdict) raised(at time.Time, zone, rule string, s safety.Severity) Raised {
	return Raised{At: at, Zone: zone, Rule: rule, Severity: s, While: v.while(zone, at)}
}

// first reports whether an id has not been counted yet, and counts it.
func (v *Verdict) first(id string) bool {
	known := v.seen[id]
	v.seen[id] = true
	return !known
}

// alert takes an alert that people were told of.
func (v *Verdict) alert(a safety.Alert) {
	if !asks(a.Class, a.Hazard, a.Severity) || v.fire(a.ZoneID, a.OccurredAt) >= 0 || !v.first(a.ID) {
		return
	}
	r := v.raised(a.OccurredAt, a.ZoneID, a.Rule, a.Severity)
	if a.Severity == safety.PreAlarm {
		v.PreAlarms = append(v.PreAlarms, r)
	} else {
		v.Alarms = append(v.Alarms, r)
	}
}

// signal takes a signal to the desk about an incident.
func (v *Verdict) signal(s safety.Signal, i safety.Incident, now time.Time) {
	if !v.first(s.ID) {
		return
	}
	for _, zone := range i.Zones {
		if n := v.fire(zone, i.OccurredAt); n >= 0 {
			if f := &v.Fires[n]; f.Signal < 0 {
				f.Signal, f.Because = now.Sub(v.begin)-f.At, s.Confidence
			}
			return
		}
	}
	severity := safety.Alarm
	if i.Confirmed {
		severity = safety.Evacuate
	}
	v.Signals = append(v.Signals, v.raised(i.OccurredAt, i.Zones[0], s.Confidence, severity))
}

// notice takes a paper about an incident; drafts wait for a person.
func (v *Verdict) notice(n safety.Notice) {
	if n.Status == safety.NoticeDraft || !v.first(n.ID) {
		return
	}
	since := n.OccurredAt.Sub(v.begin)
	if slices.ContainsFunc(v.Fires, func(f Found) bool { return since >= f.At && since < f.At+factory.Aftermath }) {
		return
	}
	v.Notices = append(v.Notices, v.raised(n.OccurredAt, "", n.Kind, safety.Evacuate))
}

func (r Raised) String() string {
	return fmt.Sprintf("%s %s in %q (%s), while %s", r.At.In(factory.Dhaka).Format("2 Jan 15:04:05"), r.Rule, r.Zone, r.Severity, r.While)
}
