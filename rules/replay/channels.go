package replay

import (
	"math"
	"strconv"

	"nirapod/safety"
)

// channel is one sensor of a recording.
type channel struct {
	spec          safety.Sensor
	unit          string // as a long table gives it
	scale, offset float64
	left          bool // left out: its quantity or unit is not known
	noNumber      bool // a cell of it was no number, and that was told
	spacing       spacing
}

// reading turns a cell that is not missing into a reading. What is no number
// is a channel that says nonsense: a bad reading, never silence.
func (c *channel) reading(cell string) (r safety.Reading, isNumber bool) {
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil && !math.IsInf(v, 0) {
		return safety.Reading{Sensor: c.spec.ID, Reason: safety.Implausible}, false
	}
	return safety.Reading{Sensor: c.spec.ID, Value: v*c.scale + c.offset, Quality: safety.Good}, true
}

// sample is one cell that is not missing.
type sample struct {
	channel *channel
	cell    string
}

// layout finds the samples of a row.
type layout interface {
	// samples appends those of one row to into. line is for mistakes.
	samples(into []sample, cells []string, line int) ([]sample, error)
}

// wide is a table with a column for each sensor.
type wide struct {
	m        *Map
	channels []*channel // in the order of the header
	places   []int
}

func (r *recording) newWide(t *table) (*wide, error) {
	w := &wide{m: r.m}
	byPlace := map[int]*channel{}
	for _, col := range r.m.columns {
		at, err := t.column(col.column)
		if err != nil {
			return nil, err
		}
		c := r.channel(col.Sensor, col.Cell)
		if c.left {
			r.leaveOut("column "+strconv.Quote(col.column), c)
			continue
		}
		byPlace[at] = c
	}
	for at := range t.header {
		if c := byPlace[at]; c != nil {
			w.channels, w.places = append(w.channels, c), append(w.places, at)
		}
	}
	return w, nil
}

func (w *wide) samples(into []sample, cells []string, _ int) ([]sample, error) {
	for i, c := range w.channels {
		if text := cell(cells, w.places[i]); !w.m.missing(text) {
			into = append(into, sample{c, text})
		}
	}
	return into, nil
}

// long is a table with one reading a row.
type long struct {
	r                                   *recording
	t                                   *table
	sensor, zone, quantity, unit, value int
}

func (r *recording) newLong(t *table) (*long, error) {
	l := &long{r: r, t: t, unit: -1}
	names := r.m.Long
	for _, field := range []struct {
		name string
		at   *int
	}{
		{names.Sensor, &l.sensor}, {names.Zone, &l.zone}, {names.Quantity, &l.quantity}, {names.Value, &l.value}, {names.Unit, &l.unit},
	} {
		if field.name == "" {
			continue
		}
		at, err := t.column(field.name)
		if err != nil {
			return nil, err
		}
		*field.at = at
	}
	return l, nil
}

func (l *long) samples(into []sample, cells []string, line int) ([]sample, error) {
	id, value := cell(cells, l.sensor), cell(cells, l.value)
	if id == "" {
		return into, l.t.wrong(line, "a row without a sensor")
	}
	spec := Cell{Zone: cell(cells, l.zone), Quantity: cell(cells, l.quantity)}
	if l.unit >= 0 {
		spec.Unit = cell(cells, l.unit)
	}
	c := l.r.channels[id]
	if c == nil {
		if c = l.r.channel(id, spec); c.left {
			l.r.leaveOut("sensor "+id, c)
		}
	}
	if c.spec.Zone != spec.Zone || string(c.spec.Quantity) != spec.Quantity || c.unit != spec.Unit {
		return into, l.t.wrong(line, "sensor %s is %s in %q of zone %q here, and was %s in %q of zone %q: one sensor is one thing",
			id, spec.Quantity, spec.Unit, spec.Zone, c.spec.Quantity, c.unit, c.spec.Zone)
	}
	if !c.left && !l.r.m.missing(value) {
		into = append(into, sample{c, value})
	}
	return into, nil
}
