package agent

import (
	"fmt"
	"time"
)

// dhaka is local time everywhere in Bangladesh, which has no summer time.
var dhaka = time.FixedZone("+06", 6*60*60)

// span is minutes since midnight.
type span struct{ from, to int }

func (h Hours) span() (span, error) {
	from, err := minutes(h.From)
	if err != nil {
		return span{}, fmt.Errorf("from: %w", err)
	}
	to, err := minutes(h.To)
	if err != nil {
		return span{}, fmt.Errorf("to: %w", err)
	}
	return span{from, to}, nil
}

func minutes(s string) (int, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q: want HH:MM", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// attended reports whether somebody is there at wall. Not knowing the time is
// nobody: then nothing waits to be acknowledged.
func attended(hours []Hours, wall time.Time) bool {
	if wall.IsZero() {
		return false
	}
	local := wall.In(dhaka)
	now := local.Hour()*60 + local.Minute()
	for _, h := range hours {
		s, err := h.span()
		if err != nil {
			continue
		}
		within := s.from <= now && now < s.to
		if s.from > s.to {
			within = now >= s.from || now < s.to
		}
		if within {
			return true
		}
	}
	return false
}
