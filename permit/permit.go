// Package permit is where permits to work are given out: a person asks for
// sensors to be isolated while work goes on (safety requirement 4), and is
// refused at the door what the rules would refuse, with what to do instead.
// What is taken is an act in the state; ingest gives it to its rules and to the
// gateways. An Office needs no role beside it and no process of its own.
package permit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
)

// Office gives out permits. It is safe for concurrent use, also by several
// processes over one state.
type Office struct {
	db    *state.DB
	packs []rules.Pack
}

// NewOffice returns an office that refuses what packs would refuse.
func NewOffice(db *state.DB, packs []rules.Pack) *Office { return &Office{db, packs} }

// Request is what a person asks for. The permit begins now.
type Request struct {
	Work       safety.Work
	Zone       string
	Sensors    []string
	Until      time.Time // at most safety.LongestPermit from now; it ends with the shift
	IssuedBy   string
	AcceptedBy string // another person
	Watch      string // who keeps the fire watch
	Reason     string
}

// maxReason bounds a reason, in bytes.
const maxReason = 500

// Open opens a permit at a factory for by, who is logged in, and returns it as
// it stands: with the end of the shift for its end if that comes first. Errors
// wrap safety.ErrInvalid, ErrNotFound or ErrConflict; then there is none.
func (o *Office) Open(ctx context.Context, factory, by string, r Request, at time.Time) (safety.PermitRecord, error) {
	at = at.UTC().Truncate(time.Millisecond)
	if reason := strings.TrimSpace(r.Reason); reason == "" || len(reason) > maxReason {
		return safety.PermitRecord{}, fmt.Errorf("a permit wants a reason, of %d bytes at most: what is done, and where: %w", maxReason, safety.ErrInvalid)
	}
	p := safety.Permit{
		ID: ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String(), Work: r.Work, Zone: r.Zone, Sensors: r.Sensors,
		From: at, Until: r.Until.UTC().Truncate(time.Millisecond),
		IssuedBy: strings.TrimSpace(r.IssuedBy), AcceptedBy: strings.TrimSpace(r.AcceptedBy), Watch: strings.TrimSpace(r.Watch),
	}
	p, err := o.judge(ctx, factory, p)
	if err != nil {
		return safety.PermitRecord{}, err
	}
	record := safety.PermitRecord{
		Permit: p, FactoryID: factory, Reason: strings.TrimSpace(r.Reason), OpenedBy: by, OpenedAt: at, Tested: []safety.PermitTest{}, TakenBy: []string{},
	}
	err = o.db.Book(ctx, func(b *state.Book) error {
		open, err := b.OpenPermits(ctx, factory)
		if err != nil {
			return err
		}
		if err := taken(p, open); err != nil {
			return err
		}
		return b.ActOnPermit(ctx, state.PermitAct{Factory: factory, Kind: state.PermitOpened, By: by, At: at}, record)
	})
	return record, err
}

// judge asks the rules of the site as it is now, which know of no other permit.
func (o *Office) judge(ctx context.Context, factory string, p safety.Permit) (safety.Permit, error) {
	site, err := o.db.Site(ctx, factory)
	if err != nil {
		return p, err
	}
	engine, err := rules.New(o.packs, rules.PlantOf(site), rules.Server, safety.ServerSource)
	if err != nil {
		return p, fmt.Errorf("the rules do not fit the site of %s, so that nothing is isolated from them: %w", factory, errors.Join(err, safety.ErrConflict))
	}
	return engine.Permitted(p, p.From)
}

// taken refuses p if it names a sensor that another permit isolates.
func taken(p safety.Permit, open []safety.PermitRecord) error {
	for _, other := range open {
		for _, id := range p.Sensors {
			if other.Stands(p.From) && slices.Contains(other.Sensors, id) {
				return fmt.Errorf("sensor %s is isolated by permit %s until %s; end that one first: %w",
					id, other.ID, other.End().Format(time.RFC3339), safety.ErrConflict)
			}
		}
	}
	return nil
}

// End ends a permit before its time. It returns an error wrapping
// safety.ErrNotFound for one that the factory has not, and ErrConflict for one
// that is over.
func (o *Office) End(ctx context.Context, factory, id, by string, at time.Time) (safety.PermitRecord, error) {
	at = at.UTC().Truncate(time.Millisecond)
	var r safety.PermitRecord
	err := o.db.Book(ctx, func(b *state.Book) (err error) {
		if r, err = b.Permit(ctx, factory, id); err != nil {
			return fmt.Errorf("permit %s: %w", id, err)
		}
		if !r.Stands(at) {
			return fmt.Errorf("permit %s is over since %s; test its sensors: %w", id, r.End().Format(time.RFC3339), safety.ErrConflict)
		}
		r.EndedAt, r.EndedBy = &at, by
		return b.ActOnPermit(ctx, state.PermitAct{Factory: factory, Kind: state.PermitEnded, By: by, At: at}, r)
	})
	return r, err
}

// Tested takes a person's word that a sensor was tested after its permit, and
// returns the permits that it concerns. It returns an error wrapping
// safety.ErrConflict while the sensor is isolated, or when it waits for no test.
func (o *Office) Tested(ctx context.Context, factory, sensor, by string, at time.Time) (done []safety.PermitRecord, err error) {
	at = at.UTC().Truncate(time.Millisecond)
	err = o.db.Book(ctx, func(b *state.Book) error {
		open, err := b.OpenPermits(ctx, factory)
		if err != nil {
			return err
		}
		done = nil
		for _, r := range open {
			if !slices.Contains(r.Untested(), sensor) {
				continue
			}
			if r.Stands(at) {
				return fmt.Errorf("sensor %s is isolated by permit %s until %s; end that and then test it: %w",
					sensor, r.ID, r.End().Format(time.RFC3339), safety.ErrConflict)
			}
			r.Tested = append(r.Tested, safety.PermitTest{Sensor: sensor, By: by, At: at})
			done = append(done, r)
		}
		if len(done) == 0 {
			return fmt.Errorf("sensor %s waits for no test after a permit: %w", sensor, safety.ErrConflict)
		}
		for _, r := range done {
			if err := b.ActOnPermit(ctx, state.PermitAct{Factory: factory, Kind: state.PermitTested, Sensor: sensor, By: by, At: at}, r); err != nil {
				return err
			}
		}
		return nil
	})
	return done, err
}
