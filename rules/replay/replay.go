// Package replay plays recordings, tables of numbers and times, to the rules:
// what would they have said? A map says what the columns are; docs/rules.md
// is the specification. Like the rules it reads no clock and opens no file.
package replay

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

const (
	factory       = "replay"
	defaultPeriod = time.Second // of a sensor that spoke once
)

// Source is a recording. Open is called twice unless the map gives the period
// of a wide table: once to measure the sensors' periods, once to play.
type Source struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// Summary counts what a replay saw: samples read, and rising edges of rules of
// class alarm and of class fault.
type Summary struct{ Readings, Alarms, Faults int }

// Run plays the sources one after the other, each to an engine of its own,
// and writes a line of JSON for each transition and one with the summary of
// all to out. note takes what people should know. A wrong recording ends it
// with an error that names file and line and wraps safety.ErrInvalid.
func Run(packs []rules.Pack, m *Map, sources []Source, out io.Writer, note func(string)) (Summary, error) {
	w := bufio.NewWriter(out)
	var total Summary
	left := map[string]bool{}
	for _, src := range sources {
		r := &recording{m: m, src: src, note: note, left: left, channels: map[string]*channel{}, out: json.NewEncoder(w)}
		r.out.SetEscapeHTML(false)
		if err := r.play(packs); err != nil {
			return total, errors.Join(err, w.Flush())
		}
		total.Readings += r.count.Readings
		total.Alarms += r.count.Alarms
		total.Faults += r.count.Faults
	}
	err := json.NewEncoder(w).Encode(struct {
		Summary  bool `json:"summary"`
		Readings int  `json:"readings"`
		Alarms   int  `json:"alarms"`
		Faults   int  `json:"faults"`
	}{true, total.Readings, total.Alarms, total.Faults})
	return total, errors.Join(err, w.Flush())
}

// recording is one source on its way through.
type recording struct {
	m        *Map
	src      Source
	note     func(string)
	out      *json.Encoder
	channels map[string]*channel
	order    []*channel
	told     bool            // what one pass told, the next does not tell again
	left     map[string]bool // of all sources: columns that were named as left out

	engine  *rules.Engine
	raised  map[string]bool // points that fired and have not ended
	count   Summary
	history int // samples not newer than their sensor's newest
}

func (r *recording) tell(format string, args ...any) {
	if !r.told {
		r.note(r.src.Name + ": " + fmt.Sprintf(format, args...))
	}
}

func (r *recording) leaveOut(what string, c *channel) {
	if r.left[what] {
		return
	}
	r.left[what] = true
	r.tell("%s is left out: %v", what, understood(c.spec.Quantity, c.unit))
}

// channel makes the sensor id, or returns what the pass before made.
func (r *recording) channel(id string, cell Cell) *channel {
	if c := r.channels[id]; c != nil {
		return c
	}
	q := safety.Quantity(cell.Quantity)
	c := &channel{unit: cell.Unit, scale: 1, offset: cell.Offset}
	c.spec = safety.Sensor{ID: id, Zone: cell.Zone, Quantity: q, Grade: safety.Industrial, Period: r.m.period}
	if cell.Scale != nil {
		c.scale = *cell.Scale
	}
	if cell.Grade != "" {
		c.spec.Grade = cell.Grade
	}
	if q == safety.Temperature {
		c.spec.Class = defaultClass
		if cell.Class != nil {
			c.spec.Class = *cell.Class
		}
	}
	c.left = understood(q, cell.Unit) != nil
	r.channels[id] = c
	r.order = append(r.order, c)
	return c
}

// rows calls each with the time and the samples of every row.
func (r *recording) rows(each func(at int64, samples []sample)) (err error) {
	file, err := r.src.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	t, err := newTable(r.src.Name, file, r.m, func() {
		r.tell("the first cell of each row has no name in the header: read as a row number")
	})
	if err != nil {
		return err
	}
	when, err := t.column(r.m.Time.Column)
	if err != nil {
		return err
	}
	in, err := r.layout(t)
	if err != nil {
		return err
	}
	var samples []sample
	for {
		cells, line, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		stamp := cell(cells, when)
		if r.m.missing(stamp) {
			continue
		}
		at, err := r.m.clock.read(stamp)
		if err != nil {
			return t.wrong(line, "%v", err)
		}
		if samples, err = in.samples(samples[:0], cells, line); err != nil {
			return err
		}
		each(at, samples)
	}
}

func (r *recording) layout(t *table) (layout, error) {
	if r.m.Long != nil {
		return r.newLong(t)
	}
	return r.newWide(t)
}

// survey finds the sensors of a long table and the periods of all.
func (r *recording) survey() error {
	if r.m.Long == nil && r.m.period > 0 {
		return nil
	}
	err := r.rows(func(at int64, samples []sample) {
		for _, s := range samples {
			s.channel.spacing.add(at)
		}
	})
	r.told = true
	for _, c := range r.order {
		if r.m.period == 0 {
			if c.spec.Period = c.spacing.median(); c.spec.Period == 0 {
				c.spec.Period = defaultPeriod
			}
		}
		c.spacing = spacing{}
	}
	return err
}
