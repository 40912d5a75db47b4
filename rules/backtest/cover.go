package backtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"nirapod/safety"
)

const (
	// leastGap is the shortest silence that is named; below it the rules say so
	// themselves, and soon.
	leastGap = time.Minute
	silent   = "silent"
	faulty   = "no good value"
)

// Gap is a time in which nothing is known of a sensor.
type Gap struct {
	Sensor string `json:"sensor"`
	Zone   string `json:"zone"`
	Why    string `json:"why"` // silent, or no good value
	Span
}

// Lasts returns how long the gap is.
func (g Gap) Lasts() time.Duration { return g.To.Sub(g.From) }

// cover follows when something was known of each sensor.
type cover struct {
	to    time.Time
	last  map[string]*heard
	found []Gap
}

// heard is when a sensor last spoke and last had a value. What is missing for
// less than least, three periods and a minute, is no gap.
type heard struct {
	any, good time.Time
	zone      string
	least     time.Duration
}

func newCover(sensors []safety.Sensor, from, to time.Time) *cover {
	c := &cover{to: to, last: map[string]*heard{}}
	for _, s := range sensors {
		c.last[s.ID] = &heard{from, from, s.Zone, max(leastGap, 3*s.Period)}
	}
	return c
}

func (c *cover) add(r safety.Reading) {
	h := c.last[r.Sensor]
	if h == nil {
		return // not in the site any more
	}
	if r.Quality != safety.Bad {
		c.close(r.Sensor, h, r.At)
		h.good = r.At
	}
	h.any = r.At
}

// close ends what was missing up to at.
func (c *cover) close(sensor string, h *heard, at time.Time) {
	if at.Sub(h.good) < h.least {
		return
	}
	why := silent
	if h.any.After(h.good) {
		why = faulty
	}
	c.found = append(c.found, Gap{Sensor: sensor, Zone: h.zone, Why: why, Span: Span{h.good, at}})
}

// gaps returns what was missing, in order of time.
func (c *cover) gaps() []Gap {
	for id, h := range c.last {
		c.close(id, h, c.to)
	}
	slices.SortFunc(c.found, func(a, b Gap) int {
		return cmp.Or(a.From.Compare(b.From), strings.Compare(a.Sensor, b.Sensor))
	})
	return c.found
}
