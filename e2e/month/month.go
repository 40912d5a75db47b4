// Package month holds the shipped rules to the factory month: 30 days of
// ordinary work with six fires hidden in them, which have to be found, while
// nobody is sent into the street for steam. Readings come from
// firmware-sim/factory; what is judged is what the shipped parts make of them:
// the engines and annunciators of four gateways, the server's engine, and the
// alerts, incidents, signals and notices of the role alerts, over a real state.
package month

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"nirapod/firmware-sim/factory"
	"nirapod/rules"
	"nirapod/safety"
)

// sends is how long a reading is on its way to the server; its rules trail the
// clock by as much.
const sends = 5 * time.Second

// run is a month on its way.
type run struct {
	factory *factory.Factory
	boxes   []*box
	boxOf   map[string]*box // by sensor
	server  *server
	staff   *staff
	verdict *Verdict
}

// Run lives through the month of cfg with packs. dir is an empty directory for
// the state.
func Run(ctx context.Context, packs []rules.Pack, cfg factory.Config, dir string) (*Verdict, error) {
	site, err := factory.Site()
	if err != nil {
		return nil, err
	}
	f, err := factory.New(cfg)
	if err != nil {
		return nil, err
	}
	r := &run{factory: f, boxOf: map[string]*box{}, verdict: newVerdict(site, cfg, f.Begin(), f.Plan())}
	for _, g := range site.Gateways {
		b, err := newBox(g.ID, site, packs)
		if err != nil {
			return nil, err
		}
		r.boxes = append(r.boxes, b)
		for _, s := range b.plant.Sensors {
			r.boxOf[s.ID] = b
		}
	}
	if r.server, err = newServer(ctx, site, packs, dir, f.Now(), r.verdict, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	r.staff = newStaff(cfg.Seed, f, r.server, r.boxes, r.verdict)
	if err := r.live(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Now().Format(time.DateTime), err)
	}
	return r.verdict, r.server.close()
}

func (r *run) live(ctx context.Context) error {
	for {
		readings, more := r.factory.Step()
		if !more {
			return nil
		}
		now := r.factory.Now()
		for _, b := range r.boxes {
			if err := b.power(r.moment(), r.factory.Up(b.id)); err != nil {
				return err
			}
		}
		for _, reading := range readings {
			r.verdict.reading(reading)
			b := r.boxOf[reading.Sensor]
			r.told(b, b.observe(r.moment(), reading))
		}
		for _, b := range r.boxes {
			if b.up {
				r.told(b, b.tick(r.moment()))
			}
			if r.factory.Online() {
				b.send(r.server.take)
			}
			r.verdict.phase(b, now)
		}
		if r.factory.Online() {
			r.server.tick(now.Add(-sends))
		}
		for _, act := range r.staff.act(ctx, now) {
			r.told(act.box, act.told)
		}
		if err := errors.Join(r.staff.trouble, r.server.settle(ctx, now, r.verdict)); err != nil {
			return err
		}
	}
}

func (r *run) moment() moment { return moment{r.factory.Now(), r.factory.Attended()} }

// told passes a box's transitions to the staff and the judge.
func (r *run) told(b *box, ts []safety.Transition) {
	for _, t := range ts {
		r.staff.hear(b, t)
		r.verdict.transition(t)
	}
}
