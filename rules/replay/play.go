package replay

import (
	"encoding/json"
	"errors"
	"math"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

// line is one transition as printed: the keys and their order are fixed.
type line struct {
	T        json.RawMessage    `json:"t"`
	Pack     string             `json:"pack"`
	Rule     string             `json:"rule"`
	Class    safety.Class       `json:"class"`
	Zone     string             `json:"zone"`
	Sensor   string             `json:"sensor"`
	From     string             `json:"from"`
	To       string             `json:"to"`
	Severity safety.Severity    `json:"severity"`
	Values   map[string]float64 `json:"values"`
}

func (r *recording) play(packs []rules.Pack) error {
	if err := r.survey(); err != nil {
		return err
	}
	if err := r.bind(packs); err != nil {
		return err
	}
	var wrong error
	now := int64(math.MinInt64)
	err := r.rows(func(at int64, samples []sample) {
		if at > now {
			now = at
			wrong = errors.Join(wrong, r.write(r.engine.Tick(time.UnixMilli(at))))
		}
		for _, s := range samples {
			wrong = errors.Join(wrong, r.observe(s, at))
		}
	})
	if err != nil || wrong != nil {
		return errors.Join(err, wrong)
	}
	return r.end(now)
}

// bind makes the engine: the first pass, or the map, said which sensors there are.
func (r *recording) bind(packs []rules.Pack) (err error) {
	for _, col := range r.m.columns {
		r.channel(col.Sensor, col.Cell)
	}
	plant := rules.Plant{Factory: factory}
	zones := map[string]bool{}
	for _, c := range r.order {
		if c.left {
			continue
		}
		plant.Sensors = append(plant.Sensors, c.spec)
		if !zones[c.spec.Zone] {
			zones[c.spec.Zone] = true
			plant.Zones = append(plant.Zones, r.m.place(c.spec.Zone))
		}
	}
	r.raised = map[string]bool{}
	if r.engine, err = rules.New(packs, plant, rules.Gateway|rules.Server, factory); err != nil {
		return err
	}
	for _, text := range r.engine.Unbound() {
		r.note(r.src.Name + ": " + text)
	}
	return nil
}

func (r *recording) observe(s sample, at int64) error {
	reading, isNumber := s.channel.reading(s.cell)
	if !isNumber && !s.channel.noNumber {
		s.channel.noNumber = true
		r.note(r.src.Name + ": sensor " + s.channel.spec.ID + ": " + s.cell + " is no number: taken as a faulty reading")
	}
	reading.At = time.UnixMilli(at)
	r.count.Readings++
	if s.channel.spacing.begun && at <= s.channel.spacing.last {
		r.history++
	} else {
		s.channel.spacing.last, s.channel.spacing.begun = at, true
	}
	return r.write(r.engine.Observe(reading))
}

// end lets the time pass for which the last row speaks: until the next would
// have come.
func (r *recording) end(now int64) error {
	if r.history > 0 {
		r.note(r.src.Name + ": samples that are not newer than the one before were ignored: sort the rows by time")
	}
	if r.count.Readings == 0 {
		r.note(r.src.Name + ": no samples")
		return nil
	}
	period := time.Duration(math.MaxInt64)
	for _, c := range r.order {
		if !c.left {
			period = min(period, c.spec.Period)
		}
	}
	return r.write(r.engine.Tick(time.UnixMilli(now).Add(period - time.Millisecond)))
}

func (r *recording) write(trs []safety.Transition) error {
	for _, tr := range trs {
		r.tally(tr)
		err := r.out.Encode(line{
			T: r.m.clock.write(tr.At.UnixMilli()), Pack: tr.Pack, Rule: tr.Rule, Class: tr.Class, Zone: tr.Zone,
			Sensor: tr.Sensor, From: tr.From.String(), To: tr.To.String(), Severity: tr.Severity, Values: tr.Values,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tally counts an alarm or fault when it begins.
func (r *recording) tally(tr safety.Transition) {
	switch {
	case tr.To == safety.Inactive:
		r.raised[tr.Point] = false
	case tr.To != safety.Firing || r.raised[tr.Point]:
	default:
		r.raised[tr.Point] = true
		switch tr.Class {
		case safety.ClassAlarm:
			r.count.Alarms++
		case safety.ClassFault:
			r.count.Faults++
		}
	}
}
