package notice

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"nirapod/safety"
)

// Facts are what a machine knows about an incident.
type Facts struct {
	ID        string // of the paper, a ULID
	Incident  safety.Incident
	Alerts    []Alarm // first-out first
	Site      safety.Site
	Shift     string // shift at work when it happened, "" if unknown
	CreatedAt time.Time
	AwareAt   time.Time
}

// Alarm is one alert of an incident and what it stands on.
type Alarm struct {
	safety.Alert
	Evidence []string
}

// maxEvidence bounds the evidence on one paper: the oldest lines, because they
// say where it began. The rest is in the state.
const maxEvidence = 100

// unverified heads every signal.
var unverified = safety.Name{BN: "সংকেত, যাচাই হয়নি", EN: "signal, unverified"}

// ComposeSignal writes the signal of an incident. because says why it is sent.
func ComposeSignal(f Facts, confirmed bool, because string) safety.Signal {
	s := safety.Signal{
		ID: f.ID, IncidentID: f.Incident.ID, IncidentKind: f.Incident.Kind, FactoryID: f.Incident.FactoryID,
		Factory: f.Site.Factory.Name, Office: f.Site.Factory.Office.Value, Demo: f.Site.Factory.Demo,
		Exercise: f.Incident.Exercise, Heading: unverified, Confirmed: confirmed, Confidence: because,
		Place: places(f.Site, f.Incident.Zones), Evidence: f.evidence(), OccurredAt: f.Incident.OccurredAt,
		RaisedAt: f.Incident.OpenedAt, CreatedAt: f.CreatedAt, Status: safety.NoticePrepared,
	}
	for _, a := range f.Alerts {
		if a.Grade.Rank() > s.Grade.Rank() {
			s.Grade = a.Grade
		}
		if a.RaisedAt.Before(s.RaisedAt) {
			s.RaisedAt = a.RaisedAt
		}
	}
	return s
}

// Compose writes one notice of an incident as a draft: what a machine can know,
// the clocks that run, and the fields that wait for a person.
func (l *Law) Compose(f Facts, k Paper) safety.Notice {
	factory, building := f.Site.Factory, f.Site.Building
	n := safety.Notice{
		ID: f.ID, IncidentID: f.Incident.ID, IncidentKind: f.Incident.Kind, Kind: k.ID,
		Status: safety.NoticeDraft, FactoryID: f.Incident.FactoryID, Exercise: f.Incident.Exercise,
		OccurredAt: f.Incident.OccurredAt, AwareAt: f.AwareAt, CreatedAt: f.CreatedAt,
		Clocks: l.clocks(f.Incident.Kind, f.Site, f.AwareAt, func(c Clause) bool { return slices.Contains(k.Clauses, c.ID) }),
		Body: safety.NoticeBody{
			Demo: factory.Demo, Factory: factory.Name, Address: building.Address,
			Upazila: building.Upazila, District: building.District, Office: factory.Office.Value,
			Registration: factory.Registration, Licence: factory.Licence, LIMA: factory.LIMA, ISIC: factory.ISIC,
			Women: factory.Women, Men: factory.Men, Place: places(f.Site, f.Incident.Zones),
			Shift: f.Shift, Contacts: []safety.Contact{}, Informed: []safety.Informed{}, Evidence: f.evidence(),
		},
	}
	for _, c := range factory.Contacts {
		if slices.Contains([]string{"owner", "occupier", "manager"}, c.Role) {
			n.Body.Contacts = append(n.Body.Contacts, c)
		}
	}
	n.DueAt = EarliestDue(n.Clocks)
	n.Blank = l.blank(n)
	return n
}

// blank returns the ids of the fields that only a person can fill, and of those
// that a machine could if the registry held them.
func (l *Law) blank(n safety.Notice) []string {
	body := n.Body
	missing := map[string]bool{
		"establishment": body.Factory.BN == "" || body.Address.BN == "",
		"registration":  body.Registration.Value == "" && body.Licence.Value == "",
		"contacts":      len(body.Contacts) == 0,
		"industry":      body.ISIC == "",
		"employed":      body.Women+body.Men == 0,
		"place":         len(body.Place) == 0,
		"informed":      len(body.Informed) == 0,
		"evidence":      len(body.Evidence) == 0,
	}
	ids := []string{}
	for _, f := range l.Fields {
		if f.By == "human" || missing[f.ID] {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func (f Facts) evidence() []string {
	lines := []string{}
	for _, a := range f.Alerts {
		lines = append(lines, a.Evidence...)
	}
	slices.Sort(lines) // a line begins with its time
	return lines[:min(len(lines), maxEvidence)]
}

// places names zones with their floors; a zone that the site does not know is
// named by its id.
func places(site safety.Site, zones []string) []safety.Name {
	names := []safety.Name{}
	for _, id := range zones {
		name := safety.Name{BN: id, EN: id}
		for _, z := range site.Zones {
			if z.ID != id {
				continue
			}
			name = z.Name
			for _, f := range site.Floors {
				if f.ID == z.Floor {
					name = safety.Name{BN: f.Name.BN + " · " + z.Name.BN, EN: f.Name.EN + " · " + z.Name.EN}
				}
			}
		}
		names = append(names, name)
	}
	return names
}

// EvidenceLine says in one line what an alert stands on: identifiers and
// numbers only, the same in both languages. Time is UTC.
func EvidenceLine(a safety.Alert, at time.Time, sensor, source, version string, values map[string]float64) string {
	parts := []string{at.UTC().Format("2006-01-02T15:04:05.000Z")}
	if sensor == "" {
		sensor = a.ZoneID
	}
	parts = append(parts, sensor, a.Rule+"@"+short(version), string(a.Severity), string(a.Grade))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, name+"="+number(values[name]))
	}
	if a.Clause != "" {
		parts = append(parts, a.Clause)
	}
	return strings.Join(append(parts, fmt.Sprintf("by %s, alert %s", source, a.ID)), " · ")
}

func short(version string) string { return version[:min(len(version), 12)] }

func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "?"
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
