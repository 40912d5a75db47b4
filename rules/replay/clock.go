package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// clock reads the time column and writes times as it does.
type clock struct {
	unit   time.Duration // of a number; 0: a layout
	layout string
	zone   *time.Location
}

var units = map[string]time.Duration{"": time.Second, "s": time.Second, "ms": time.Millisecond, "min": time.Minute, "h": time.Hour}

// probe has no part that a layout could write as it stands there.
var probe = time.Date(2047, 11, 29, 19, 37, 58, 0, time.UTC)

func newClock(t Time) (clock, error) {
	if t.Layout == "" {
		unit, known := units[t.Unit]
		switch {
		case !known:
			return clock{}, fmt.Errorf("unit %q: want s, ms, min or h, or a layout such as \"2006-01-02 15:04:05\"", t.Unit)
		case t.Zone != "":
			return clock{}, errors.New("zone goes with a layout; a number of seconds has none")
		}
		return clock{unit: unit, zone: time.UTC}, nil
	}
	zone, err := time.LoadLocation(t.Zone)
	switch {
	case t.Unit != "":
		return clock{}, errors.New("it has a unit and a layout: leave one out")
	case err != nil:
		return clock{}, fmt.Errorf("zone %q is not known: want a name such as Asia/Dhaka", t.Zone)
	case probe.Format(t.Layout) == t.Layout:
		return clock{}, fmt.Errorf("layout %q has no time in it: write how 2006-01-02 15:04:05 would stand there", t.Layout)
	}
	return clock{layout: t.Layout, zone: zone}, nil
}

// seconds reports whether times are written as the recording's own seconds.
func (c clock) seconds() bool { return c.unit == time.Second }

const maxTime = 1e14 // ms, more than 3,000 years

// read returns ms since 1970, or since 0 of the recording's own seconds.
func (c clock) read(cell string) (int64, error) {
	if c.unit == 0 {
		at, err := time.ParseInLocation(c.layout, cell, c.zone)
		if err != nil {
			return 0, fmt.Errorf("time %q is not written like %q", cell, c.layout)
		}
		return at.UnixMilli(), nil
	}
	v, err := strconv.ParseFloat(cell, 64)
	ms := math.Round(v * float64(c.unit) / float64(time.Millisecond))
	switch {
	case err != nil:
		return 0, fmt.Errorf("time %q is not a number: give its layout in the map", cell)
	case !(math.Abs(ms) <= maxTime):
		return 0, fmt.Errorf("time %q is out of reach", cell)
	}
	return int64(ms), nil
}

// write returns a moment as JSON: a number of seconds, or RFC 3339.
func (c clock) write(ms int64) json.RawMessage {
	if c.seconds() {
		return strconv.AppendFloat(nil, float64(ms)/1000, 'f', -1, 64)
	}
	return strconv.AppendQuote(nil, time.UnixMilli(ms).In(c.zone).Format(time.RFC3339Nano))
}
