package rules

import (
	"fmt"
	"math"
	"strings"
	"time"

	"nirapod/safety"
)

// Calendar is when people work at the site, local time of Bangladesh, which is
// six hours ahead of UTC all year.
type Calendar struct {
	Hours         []safety.Hours // approved
	Shifts        []safety.Shift
	WeeklyHoliday string
	Holidays      []safety.Holiday // one that is not gazetted is a working day
}

const (
	msPerDay    = 86_400_000
	ahead       = 6 * 3_600_000 // of UTC, ms
	longestRest = 31            // days: how far back the newest shift is looked for
)

// stretch is a time that returns on some days: from and to in ms since local
// midnight, to after the next midnight where it passes one.
type stretch struct {
	from, to    int64
	days        [7]bool // by time.Weekday
	first, last int64   // days since 1970 on which it is in force
}

// calendar answers what the clock means at this site. The zero value knows nothing.
type calendar struct {
	shifts, hours []stretch
	off           map[int64]bool // gazetted holidays, days since 1970
	weekly        [7]bool
}

// dayOf returns the day of a moment in Bangladesh, in days since 1970.
func dayOf(ms int64) int64 { return int64(math.Floor(float64(ms+ahead) / msPerDay)) }

// midnight returns when a day begins in Bangladesh, ms.
func midnight(day int64) int64 { return day*msPerDay - ahead }

// begins reports when the stretch of a day begins and ends; ok is false on a
// day off. What begins on a working day and passes midnight is the day's before.
func (c *calendar) begins(s *stretch, day int64) (from, to int64, ok bool) {
	weekday := (day + 4) % 7 // 1 January 1970 was a Thursday
	if weekday < 0 {
		weekday += 7
	}
	if !s.days[weekday] || c.weekly[weekday] || c.off[day] || day < s.first || day > s.last {
		return 0, 0, false
	}
	return midnight(day) + s.from, midnight(day) + s.to, true
}

// within reports whether a moment lies in one of the stretches: [from, to).
func (c *calendar) within(all []stretch, ms int64) bool {
	today := dayOf(ms)
	for i := range all {
		for day := today - 1; day <= today; day++ {
			if from, to, ok := c.begins(&all[i], day); ok && from <= ms && ms < to {
				return true
			}
		}
	}
	return false
}

// shiftStart returns when the newest shift began that had begun by a moment;
// never, if that is more than a month ago.
func (c *calendar) shiftStart(ms int64) int64 {
	newest, today := int64(never), dayOf(ms)
	for day := today; day > today-longestRest && newest == never; day-- {
		for i := range c.shifts {
			if from, _, ok := c.begins(&c.shifts[i], day); ok && from <= ms {
				newest = max(newest, from)
			}
		}
	}
	return newest
}

// next returns the first moment after ms at which anything that a condition can
// ask of the calendar changes: a shift or approved hours begin or end, or a day.
func (c *calendar) next(ms int64) int64 {
	today := dayOf(ms)
	first := midnight(today + 1)
	for _, all := range [...][]stretch{c.shifts, c.hours} {
		for i := range all {
			for day := today - 1; day <= today; day++ {
				from, to, ok := c.begins(&all[i], day)
				if !ok {
					continue
				}
				for _, edge := range [...]int64{from, to} {
					if edge > ms {
						first = min(first, edge)
					}
				}
			}
		}
	}
	return first
}

// shiftEnd returns when the shift that works at a moment ends, the last of
// them if several do; never, if none works.
func (c *calendar) shiftEnd(ms int64) int64 {
	end, today := int64(never), dayOf(ms)
	for i := range c.shifts {
		for day := today - 1; day <= today; day++ {
			if from, to, ok := c.begins(&c.shifts[i], day); ok && from <= ms && ms < to {
				end = max(end, to)
			}
		}
	}
	return end
}

func (b *binder) calendar(c Calendar) calendar {
	out := calendar{off: map[int64]bool{}}
	for i, s := range c.Shifts {
		out.shifts = append(out.shifts, b.stretch(fmt.Sprintf("shifts[%d]", i), "", s.From, s.To, s.Since, s.Until))
	}
	for i, h := range c.Hours {
		out.hours = append(out.hours, b.stretch(fmt.Sprintf("approved_hours[%d]", i), h.Days, h.From, h.To, h.Since, h.Until))
	}
	if c.WeeklyHoliday != "" {
		days, err := safety.Weekdays(c.WeeklyHoliday)
		if err != nil {
			b.wrong("weekly_holiday: %s", err)
		}
		out.weekly = days
	}
	for i, h := range c.Holidays {
		day, known := dateOf(h.Date)
		if !known {
			b.wrong("calendar[%d]: date %q: want YYYY-MM-DD", i, h.Date)
		}
		if h.Gazetted {
			out.off[day] = true
		}
	}
	return out
}

func (b *binder) stretch(at, days, from, to, since, until string) stretch {
	s := stretch{first: math.MinInt64, last: math.MaxInt64}
	var known [4]bool
	s.from, known[0] = clockOf(from)
	s.to, known[1] = clockOf(to)
	if s.to <= s.from {
		s.to += msPerDay
	}
	known[2], known[3] = true, true
	if since != "" {
		s.first, known[2] = dateOf(since)
	}
	if until != "" {
		s.last, known[3] = dateOf(until)
	}
	if known != [4]bool{true, true, true, true} {
		b.wrong("%s: from %q to %q, since %q until %q: want HH:MM and YYYY-MM-DD", at, from, to, since, until)
	}
	s.days = [7]bool{true, true, true, true, true, true, true}
	if days != "" {
		var err error
		if s.days, err = safety.Weekdays(days); err != nil {
			b.wrong("%s: %s", at, err)
		}
	}
	return s
}

// clockOf reads HH:MM in ms since midnight; 24:00 is the end of the day.
func clockOf(text string) (int64, bool) {
	if text == "24:00" {
		return msPerDay, true
	}
	t, err := time.Parse("15:04", text)
	return int64(t.Hour()*60+t.Minute()) * msPerMinute, err == nil
}

// dateOf reads YYYY-MM-DD in days since 1970.
func dateOf(text string) (int64, bool) {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(text))
	return t.Unix() / 86_400, err == nil
}
