package month

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"nirapod/alerts"
	"nirapod/rules"
	"nirapod/safety"
	"nirapod/state"
)

// server is the server's engine, the state and the role alerts. Its desk is
// nowhere: signals and notices stay prepared, and are counted.
type server struct {
	db      *state.DB
	engine  *rules.Engine
	alerts  *alerts.Alerts
	fired   map[string]bool // points that have: the state follows them from then on
	batch   []safety.Transition
	acted   bool // a person did something
	truth   *Verdict
	change  int64
	resets  int64
	open    map[string]safety.Alert // alerts that are not cleared, by point
	pending time.Time               // until then time alone may change something
}

func newServer(ctx context.Context, site safety.Site, packs []rules.Pack, dir string, now time.Time, truth *Verdict, log *slog.Logger) (*server, error) {
	db, err := state.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := &server{db: db, truth: truth, fired: map[string]bool{}, open: map[string]safety.Alert{}}
	latched := map[string]bool{}
	for _, p := range packs {
		for _, r := range p.Rules {
			latched[r.Name] = r.Latch
		}
	}
	plant := rules.Plant{Factory: site.Factory.ID, Zones: site.Zones, Hazards: site.Hazards, Sensors: site.Sensors, Limits: site.Factory.Limits}
	if s.engine, err = rules.New(packs, plant, rules.Server, safety.ServerSource); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if _, err = db.ImportSite(ctx, site, now); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.alerts, err = alerts.New(alerts.Config{}, alerts.Deps{DB: db, Latched: func(rule string) bool { return latched[rule] }}, log)
	return s, err
}

func (s *server) close() error { return s.db.Close() }

// take is what ingest does with a record that has come.
func (s *server) take(r record) {
	if r.transition != nil {
		s.keep(*r.transition)
		return
	}
	s.engine.Begin(r.gateway, r.run, r.reading.At)
	s.say(s.engine.Observe(r.reading))
}

func (s *server) tick(now time.Time) { s.say(s.engine.Tick(now)) }

// say is what the server's own rules say.
func (s *server) say(ts []safety.Transition) {
	s.truth.serverSays(ts)
	s.keep(ts...)
}

// keep stores what can matter to signals: alarms, and of them those points that
// have fired. What a point said before it first fired, nobody asks.
func (s *server) keep(ts ...safety.Transition) {
	for _, t := range ts {
		if t.Class != safety.ClassAlarm {
			continue
		}
		s.fired[t.Point] = s.fired[t.Point] || t.To == safety.Firing
		if s.fired[t.Point] {
			s.batch = append(s.batch, t)
		}
	}
}

// investigated is longer than V1 and V2 together may be.
const investigated = 11 * time.Minute

// settle lets the role alerts do what there is to do at now.
func (s *server) settle(ctx context.Context, now time.Time, v *Verdict) error {
	if len(s.batch) == 0 && !s.acted && now.After(s.pending) {
		return nil
	}
	s.resetEngine(ctx, now)
	if len(s.batch) > 0 {
		if err := s.db.CommitBatch(ctx, state.Batch{Transitions: s.batch}); err != nil {
			return err
		}
		s.batch, s.pending = s.batch[:0], now.Add(investigated)
	}
	s.acted = false
	if err := s.alerts.Step(ctx, now); err != nil {
		return err
	}
	return s.follow(ctx, now, v)
}

// resetEngine gives what people decided about latched points to the engine.
func (s *server) resetEngine(ctx context.Context, now time.Time) {
	resets, err := s.db.ResetsAfter(ctx, s.resets, 100)
	if err != nil {
		return // Step says so
	}
	for _, r := range resets {
		s.resets = r.ID
		s.say(s.engine.Reset(r.Point, now))
	}
}

// follow reads what has changed: alerts for the staff, signals and notices for
// the judge.
func (s *server) follow(ctx context.Context, now time.Time, v *Verdict) error {
	changes, err := s.db.ChangesAfter(ctx, s.change, 10_000)
	if err != nil {
		return err
	}
	for _, c := range changes {
		s.change = c.ID
		switch c.Kind {
		case "alert":
			var a safety.Alert
			if err := json.Unmarshal(c.Doc, &a); err != nil {
				return err
			}
			s.note(a)
			v.alert(a)
		case "incident":
			var i safety.Incident
			if err := json.Unmarshal(c.Doc, &i); err != nil {
				return err
			}
			if err := s.signal(ctx, i, now, v); err != nil {
				return err
			}
		case "notice":
			var n safety.Notice
			if err := json.Unmarshal(c.Doc, &n); err != nil {
				return err
			}
			v.notice(n)
		}
	}
	return nil
}

func (s *server) note(a safety.Alert) {
	if a.State == safety.Cleared {
		delete(s.open, a.Point)
		return
	}
	s.open[a.Point] = a
}

func (s *server) signal(ctx context.Context, i safety.Incident, now time.Time, v *Verdict) error {
	err := s.db.Book(ctx, func(b *state.Book) error {
		signal, err := b.IncidentSignal(ctx, i.ID, false)
		if err == nil {
			v.signal(signal, i, now)
		}
		return err
	})
	if errors.Is(err, safety.ErrNotFound) {
		return nil
	}
	return err
}
