package dashboard

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"nirapod/safety"
	"nirapod/state"
)

// maxHappened bounds the transitions and the alerts of one timeline. Of a
// longer story the beginning is told: where it began is what people look for.
const maxHappened = 500

// moment is one thing that happened in an incident. Fields that do not belong
// to its kind are absent.
type moment struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	By   string    `json:"by,omitempty"` // a person's login

	Alert    string             `json:"alert_id,omitempty"`
	Rule     string             `json:"rule,omitempty"`
	Zone     string             `json:"zone_id,omitempty"`
	Sensor   string             `json:"sensor_id,omitempty"`
	Severity safety.Severity    `json:"severity,omitempty"`
	Grade    safety.Grade       `json:"grade,omitempty"`
	Source   string             `json:"source,omitempty"` // gateway id, or "server"
	From     string             `json:"from,omitempty"`
	To       string             `json:"to,omitempty"`
	Values   map[string]float64 `json:"values,omitempty"`
	Late     bool               `json:"late,omitempty"`

	Paper     string `json:"paper_id,omitempty"` // signal or notice
	Notice    string `json:"notice_kind,omitempty"`
	Because   string `json:"because,omitempty"`
	Receipt   string `json:"receipt_number,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	Channel   string `json:"channel,omitempty"`
	Attempts  int    `json:"attempts,omitempty"`
}

// timeline tells what happened in an incident, oldest first.
func (s *Server) timeline(c *fiber.Ctx) error {
	ctx, view := c.UserContext(), s.deps.DB.As(viewer(c))
	incident, err := view.Incident(ctx, c.Params("id"))
	if err != nil {
		return err
	}
	told := []func(context.Context, *state.View, safety.Incident) ([]moment, error){s.happened, signals, notices, waiting}
	story := []moment{{At: incident.OpenedAt, Kind: "opened"}}
	if incident.ConfirmedAt != nil {
		story = append(story, moment{At: *incident.ConfirmedAt, Kind: "confirmed"})
	}
	for _, tell := range told {
		part, err := tell(ctx, view, incident)
		if err != nil {
			return err
		}
		story = append(story, part...)
	}
	slices.SortStableFunc(story, func(a, b moment) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(rank(a), rank(b))) })
	return c.JSON(state.Page[moment]{Items: story})
}

// causes come before what follows from them where both bear one time.
var causes = []string{"transition", "raised", "acknowledged", "opened", "confirmed"}

func rank(m moment) int {
	if i := slices.Index(causes, m.Kind); i >= 0 {
		return i
	}
	return len(causes)
}

// happened is what the rules saw at the points of the alerts, and what people
// did about them.
func (s *Server) happened(ctx context.Context, view *state.View, incident safety.Incident) ([]moment, error) {
	alerts, err := incidentAlerts(ctx, view, incident.ID)
	if err != nil {
		return nil, err
	}
	from := incident.OccurredAt
	var story []moment
	byPoint := map[string][]safety.Alert{}
	for _, a := range alerts {
		byPoint[a.Point] = append(byPoint[a.Point], a)
		if a.OccurredAt.Before(from) {
			from = a.OccurredAt
		}
		story = append(story, lifeOf(a)...)
	}
	seen, err := view.Happened(ctx, incident.ID, from, s.deps.Now(), maxHappened)
	if err != nil {
		return nil, err
	}
	for _, t := range seen {
		if a, ok := during(byPoint[t.Point], t.At); ok {
			story = append(story, moment{
				At: t.At, Kind: "transition", Alert: a.ID, Rule: t.Rule, Zone: t.Zone, Sensor: t.Sensor, Severity: t.Severity,
				Grade: t.Grade, Source: t.Source, From: t.From.String(), To: t.To.String(), Values: finite(t.Values),
			})
		}
	}
	resets, err := view.Resets(ctx, incident.ID)
	for _, r := range resets {
		if a, ok := during(byPoint[r.Point], r.At); ok {
			story = append(story, moment{At: r.At, Kind: "reset", By: r.By, Alert: a.ID, Rule: a.Rule, Zone: a.ZoneID, Sensor: a.SensorID})
		}
	}
	return story, err
}

// incidentAlerts reads the first alerts of an incident.
func incidentAlerts(ctx context.Context, view *state.View, incident string) ([]safety.Alert, error) {
	var all []safety.Alert
	for cursor := ""; ; {
		page, err := view.Alerts(ctx, state.AlertFilter{Incident: incident}, cursor, maxPage)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == nil {
			slices.Reverse(all) // newest first
			return all[:min(len(all), maxHappened)], nil
		}
		cursor = *page.Next
	}
}

// lifeOf is an alert as people met it.
func lifeOf(a safety.Alert) []moment {
	m := moment{Alert: a.ID, Rule: a.Rule, Zone: a.ZoneID, Sensor: a.SensorID, Severity: a.Severity, Grade: a.Grade}
	with := func(at time.Time, kind, by string) moment { m.At, m.Kind, m.By = at, kind, by; return m }
	m.Late = a.Late
	life := []moment{with(a.RaisedAt, "raised", "")}
	m.Late = false
	if a.AcknowledgedAt != nil {
		life = append(life, with(*a.AcknowledgedAt, "acknowledged", a.AcknowledgedBy))
	}
	if a.ClearedAt != nil {
		life = append(life, with(*a.ClearedAt, "cleared", ""))
	}
	return life
}

// during finds the alert of a point that was open at a time.
func during(alerts []safety.Alert, at time.Time) (safety.Alert, bool) {
	for _, a := range alerts {
		if !at.Before(a.OccurredAt) && (a.ClearedAt == nil || !at.After(*a.ClearedAt)) {
			return a, true
		}
	}
	return safety.Alert{}, false
}

// finite leaves out what JSON has no number for.
func finite(values map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for name, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[name] = v
		}
	}
	return out
}

func signals(ctx context.Context, view *state.View, incident safety.Incident) (story []moment, err error) {
	all, err := view.Signals(ctx, incident.ID)
	for _, s := range all {
		m := moment{Paper: s.ID, Because: s.Confidence, Grade: s.Grade}
		story = append(story, steps(m, "signal", &s.CreatedAt, s.SentAt, s.ReceivedAt, s.ReceiptNumber)...)
		if s.SeenAt != nil {
			m.At, m.Kind, m.By = *s.SeenAt, "signal_seen", s.SeenBy
			story = append(story, m)
		}
	}
	return story, err
}

func notices(ctx context.Context, view *state.View, incident safety.Incident) (story []moment, err error) {
	page, err := view.Notices(ctx, state.NoticeFilter{Incident: incident.ID}, "", maxPage)
	for _, n := range page.Items {
		m := moment{Paper: n.ID, Notice: n.Kind}
		story = append(story, steps(m, "notice", &n.CreatedAt, n.SentAt, n.ReceivedAt, n.ReceiptNumber)...)
		if n.SeenAt != nil {
			m.At, m.Kind, m.By = *n.SeenAt, "notice_seen", n.SeenBy
			story = append(story, m)
		}
		for _, i := range n.Body.Informed {
			if i.By != "machine" { // the machine's own word is the receipt
				story = append(story, moment{At: i.At, Kind: "informed", By: i.By, Paper: n.ID, Notice: n.Kind, Recipient: i.Recipient, Channel: i.Channel})
			}
		}
	}
	return story, err
}

// steps are the steps of a paper on its way. Sent is not received.
func steps(m moment, what string, opened, sent, received *time.Time, receipt string) (story []moment) {
	for _, step := range []struct {
		word string
		at   *time.Time
	}{{"opened", opened}, {"sent", sent}, {"received", received}} {
		if step.at == nil {
			continue
		}
		m.At, m.Kind = *step.at, what+"_"+step.word
		if step.word == "received" {
			m.Receipt = receipt
		}
		story = append(story, m)
	}
	return story
}

// waiting is what the desk has not answered, at the time of the next attempt.
func waiting(ctx context.Context, view *state.View, incident safety.Incident) (story []moment, err error) {
	items, err := view.Undelivered(ctx, incident.ID)
	for _, it := range items {
		if it.Attempts == 0 {
			continue // just on its way
		}
		kind := it.Kind + "_waiting"
		if it.Objected {
			kind = it.Kind + "_refused"
		}
		story = append(story, moment{At: it.NotBefore, Kind: kind, Paper: it.Ref, Attempts: it.Attempts})
	}
	return story, err
}
