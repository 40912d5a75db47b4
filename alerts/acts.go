package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

// commandLife is how long a command waits for its gateway: V1 and V2 together
// never last longer, so a later one would stop nothing.
const commandLife = 10 * time.Minute

// Acknowledge records that user has seen an alert and returns it as it is
// afterwards; who acknowledged first stays. The gateways that sounded are told,
// so that their own acknowledge time stops. It needs no Run in this process
// and is safe for concurrent use.
func (a *Alerts) Acknowledge(ctx context.Context, user, alertID string, at time.Time) (safety.Alert, error) {
	at = at.UTC().Truncate(time.Millisecond)
	return a.act(ctx, alertID, func(b *state.Book, alert *state.Alert) (bool, error) {
		if !acknowledge(alert, user, at) {
			return false, nil
		}
		return true, a.stopDelay(ctx, b, *alert, user, at)
	})
}

// Reset records a person's wish to end a latched alert whose condition is
// gone. It returns an error wrapping safety.ErrConflict for an alert that is
// not latched or that nobody has acknowledged. The server's engine lets go of
// the point if its condition is gone; a gateway's does only at its panel key.
//
// An alert that nothing watches any more, because its rule, sensor, zone or
// gateway is gone, would never end: a reset ends it, latched or not, once
// somebody has acknowledged it.
func (a *Alerts) Reset(ctx context.Context, user, alertID string, at time.Time) (safety.Alert, error) {
	at = at.UTC().Truncate(time.Millisecond)
	return a.act(ctx, alertID, func(b *state.Book, alert *state.Alert) (bool, error) {
		gone, err := a.unwatched(ctx, b, *alert)
		if err != nil {
			return false, err
		}
		if gone && alert.AcknowledgedAt != nil && alert.State != safety.Cleared {
			a.log.Warn("alert ended that nothing watches any more", "factory", alert.FactoryID, "alert", alert.ID, "by", user)
			endUnwatched(alert, user, at)
			return true, nil
		}
		changed, err := reset(alert, user, at)
		if !changed || err != nil {
			return false, err
		}
		return true, b.AddReset(ctx, state.Reset{Factory: alert.FactoryID, Point: alert.Point, By: user, At: at})
	})
}

// act changes one alert in a transaction of its own and wakes those who follow.
func (a *Alerts) act(ctx context.Context, id string, fn func(*state.Book, *state.Alert) (changed bool, err error)) (safety.Alert, error) {
	var alert state.Alert
	if err := a.sites.refresh(ctx); err != nil {
		return safety.Alert{}, err
	}
	err := a.db.Book(ctx, func(b *state.Book) (err error) {
		if alert, err = b.Alert(ctx, id); err != nil {
			return fmt.Errorf("alert %s: %w", id, err)
		}
		changed, err := fn(b, &alert)
		if !changed || err != nil {
			return err
		}
		return b.SaveAlert(ctx, alert)
	})
	if err != nil {
		return safety.Alert{}, err
	}
	a.told()
	a.Wake()
	return alert.Alert, nil
}

// stopDelay queues an acknowledgement for every gateway that took part.
func (a *Alerts) stopDelay(ctx context.Context, b *state.Book, alert state.Alert, by string, at time.Time) error {
	expires := at.Add(commandLife)
	for _, gateway := range a.gateways(alert) {
		id := newID(at)
		body, err := json.Marshal(wire.Command{ID: id, Kind: wire.CommandAck, Point: alert.Point, By: by, Expires: expires})
		if err != nil {
			return err
		}
		err = b.Enqueue(ctx, state.Item{
			Key:  "ack/" + alert.ID + "/" + gateway + "/" + strconv.FormatInt(at.UnixMilli(), 10),
			Dest: destGateway, Factory: alert.FactoryID, Kind: "command", Ref: gateway,
			Body: body, Expires: &expires, Created: at,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// gateways returns those that said firing and the one of the alert's sensor.
func (a *Alerts) gateways(alert state.Alert) []string {
	var ids []string
	add := func(id string) {
		if id != "" && id != safety.ServerSource && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, source := range alert.Work.Sources {
		add(source)
	}
	for _, s := range a.sites.site(alert.FactoryID).Sensors {
		if s.ID == alert.SensorID {
			add(s.Gateway)
		}
	}
	return ids
}
