package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nirapod/alerts/receiver"
	"nirapod/safety"
	"nirapod/state"
)

// Steps of the ladder, by name.
const (
	stepCommittee = "committee"       // both sides of the committee and the floor's wardens, at once
	stepAgain     = "committee_again" // the same people, if nobody has acknowledged
	stepOwner     = "owner"           // owner, occupier and manager
)

// How a step ended.
const (
	stepTold   = "told"   // its messages wait for their receivers
	stepNobody = "nobody" // no receiver reaches anybody of it
	stepOver   = "over"   // it was not needed any more
)

const (
	againAfter  = 5 * time.Minute
	messageLife = 6 * time.Hour // after that it would only confuse
	stepPage    = 50
)

var ownerRoles = []string{"owner", "occupier", "manager"}

// climbs reports whether people are written to about an alert: alarms of every
// hazard. Faults and information wait on the page.
func climbs(a safety.Alert) bool { return a.Class == safety.ClassAlarm }

// dueAt returns when a step of an alert is due; false: it is not needed.
// Nobody can stop or postpone the first one; an acknowledgement gives the time to
// investigate, and no more, before the owner is told.
func dueAt(name string, site safety.Site, a state.Alert, confirmed bool) (time.Time, bool) {
	switch name {
	case stepCommittee:
		return a.RaisedAt, true
	case stepAgain:
		return a.RaisedAt.Add(againAfter), a.AcknowledgedAt == nil && a.State != safety.Cleared
	case stepOwner:
		if confirmed {
			return a.RaisedAt, true
		}
		return delaysEnd(site, a), a.State != safety.Cleared
	}
	return time.Time{}, false
}

// plan plans the steps of an alert that was just raised.
func (a *Alerts) plan(ctx context.Context, b *state.Book, alert state.Alert) error {
	if !climbs(alert.Alert) {
		return nil
	}
	names := []string{stepCommittee, stepAgain}
	if counts(alert) {
		names = append(names, stepOwner)
	}
	site := a.sites.site(alert.FactoryID)
	for _, name := range names {
		due, _ := dueAt(name, site, alert, false)
		if err := b.PlanStep(ctx, state.Step{Alert: alert.ID, Name: name, Factory: alert.FactoryID, Due: due}); err != nil {
			return err
		}
	}
	return nil
}

// hasten tells the owner at once when an incident is confirmed.
func hasten(ctx context.Context, b *state.Book, alerts []state.Alert, now time.Time) error {
	for _, alert := range alerts {
		if err := b.HastenStep(ctx, alert.ID, stepOwner, now); err != nil {
			return err
		}
	}
	return nil
}

// climb does the steps that are due at now. A step and its messages are one
// transaction, so that none is skipped. One that cannot be done holds up no
// other; it is tried again.
func (a *Alerts) climb(ctx context.Context, now time.Time) error {
	for {
		steps, err := a.db.DueSteps(ctx, now, stepPage)
		if err != nil || len(steps) == 0 {
			return err
		}
		if err := a.takeAll(ctx, steps, now); err != nil {
			return a.takeEach(ctx, steps, now)
		}
		a.told()
	}
}

func (a *Alerts) takeAll(ctx context.Context, steps []state.Step, now time.Time) error {
	return a.db.Book(ctx, func(b *state.Book) error {
		for _, s := range steps {
			if err := a.take(ctx, b, s, now); err != nil {
				return fmt.Errorf("step %s of alert %s: %w", s.Name, s.Alert, err)
			}
		}
		a.at("steps taken")
		return nil
	})
}

func (a *Alerts) takeEach(ctx context.Context, steps []state.Step, now time.Time) error {
	var trouble []error
	for i := range steps {
		trouble = append(trouble, a.takeAll(ctx, steps[i:i+1], now))
	}
	a.told()
	return errors.Join(trouble...)
}

// take does one step, or moves it to when it is due as things are now.
func (a *Alerts) take(ctx context.Context, b *state.Book, s state.Step, now time.Time) error {
	alert, err := b.Alert(ctx, s.Alert)
	if err != nil {
		return err
	}
	confirmed := false
	if alert.IncidentID != "" {
		inc, err := b.Incident(ctx, alert.IncidentID)
		if err != nil && !errors.Is(err, safety.ErrNotFound) {
			return err
		}
		confirmed = inc.Confirmed
	}
	site := a.sites.site(alert.FactoryID)
	due, needed := dueAt(s.Name, site, alert, confirmed)
	switch {
	case !needed:
		return b.EndStep(ctx, s, stepOver, now)
	case due.After(now):
		s.Due = due
		return b.PlanStep(ctx, s)
	}
	reached, err := a.write(ctx, b, alert.Alert, s.Name, tell(site, alert.Alert, s.Name, confirmed), now)
	if err != nil {
		return err
	}
	outcome := stepTold
	if reached == 0 {
		outcome = stepNobody
	}
	if reached == 0 && len(a.messengers) > 0 {
		a.log.Error("nobody is reached by a message", "factory", alert.FactoryID, "alert", alert.ID, "step", s.Name)
		f := fault{faultNobody, alert.ID, "no receiver reaches anybody of step " + s.Name + ": look at numbers and addresses in the site file"}
		if err := f.tellOnce(ctx, b, alert.FactoryID, alert.ZoneID, alert.SensorID, now); err != nil {
			return err
		}
	}
	return b.EndStep(ctx, s, outcome, now)
}

// person is one who is told, by role. The role alone enters logs.
type person struct{ role, phone, mail string }

// people are those whom a step tells, each once. Outsiders are written to only
// with their recorded consent: all others are on the call sheet.
func people(name string, site safety.Site, alert safety.Alert) []person {
	var out []person
	add := func(role, phone, mail string) {
		if p := (person{role, phone, mail}); !slices.ContainsFunc(out, func(o person) bool { return o.phone == phone && o.mail == mail }) {
			out = append(out, p)
		}
	}
	if name == stepOwner {
		for _, c := range site.Factory.Contacts {
			if slices.Contains(ownerRoles, c.Role) && c.Consent {
				add(c.Role, c.Phone, c.Email)
			}
		}
		return out
	}
	for _, m := range site.People.Committee {
		add(strings.TrimSpace(m.Side+" "+m.Role), m.Phone, m.Email)
	}
	for _, m := range site.People.Wardens {
		if floor := floorOf(site, alert.ZoneID); floor == "" || floor == m.Floor {
			add("warden", m.Phone, m.Email)
		}
	}
	return out
}

func floorOf(site safety.Site, zone string) string {
	for _, z := range site.Zones {
		if z.ID == zone {
			return z.Floor
		}
	}
	return ""
}

// write writes the messages of a step, all of one instant, and returns how many.
func (a *Alerts) write(ctx context.Context, b *state.Book, alert safety.Alert, step string, text safety.Name, now time.Time) (n int, err error) {
	all := people(step, a.sites.site(alert.FactoryID), alert)
	for _, m := range a.messengers {
		for _, address := range m.addresses(all) {
			err := b.AddMessage(ctx, state.Message{
				ID: newID(now), Key: strings.Join([]string{alert.ID, step, m.Name, address.to}, "/"),
				Factory: alert.FactoryID, Alert: alert.ID, Step: step, Receiver: m.Name, Role: address.role, Address: address.to,
				Rank: alert.Severity.Rank(), Body: text, Created: now, Expires: now.Add(messageLife),
			})
			if err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

type addressee struct{ role, to string }

// addresses are those of people whom the receiver reaches. A program hears every
// step once.
func (m *messenger) addresses(all []person) []addressee {
	if m.By == receiver.ToProgram {
		return []addressee{{role: receiver.ToProgram}}
	}
	var out []addressee
	for _, p := range all {
		to := p.phone
		if m.By == receiver.ByMail {
			to = p.mail
		}
		if to != "" && !slices.ContainsFunc(out, func(o addressee) bool { return o.to == to }) {
			out = append(out, addressee{p.role, to})
		}
	}
	return out
}
