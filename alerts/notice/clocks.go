package notice

import (
	"slices"
	"time"

	"nirapod/safety"
)

const (
	startsAware  = "aware"
	startsDeath  = "death"
	metByReceipt = "receipt"
)

// Dhaka is the time zone of every deadline and paper: UTC+6, no daylight
// saving. It is fixed here so that no time zone data has to be installed.
var Dhaka = time.FixedZone("+06", 6*60*60)

// Deadline is a rule for when something is due. Exactly one field is set.
type Deadline struct {
	Immediate    bool `yaml:"immediate"`
	WorkingDays  int  `yaml:"working_days"`
	Days         int  `yaml:"days"`
	HalfYearDays int  `yaml:"half_year_days"`
}

func (d Deadline) valid() bool {
	set := 0
	for _, n := range [...]int{d.WorkingDays, d.Days, d.HalfYearDays} {
		if n < 0 {
			return false
		}
		set += min(n, 1)
	}
	if d.Immediate {
		set++
	}
	return set == 1
}

// Calendar says which days are not worked, in Asia/Dhaka.
type Calendar struct {
	Weekend  []time.Weekday
	Holidays map[string]bool // YYYY-MM-DD: true when gazetted; false counts as a working day
}

func (c Calendar) works(day time.Time) bool {
	return !slices.Contains(c.Weekend, day.Weekday()) && !c.Holidays[day.Format(time.DateOnly)]
}

// Due returns when something that started at start is due, in UTC. A deadline
// in days runs to the last second of its last day.
func (d Deadline) Due(start time.Time, c Calendar) time.Time {
	local := start.In(Dhaka)
	switch {
	case d.WorkingDays > 0:
		return endOfDay(c.workingDay(local, d.WorkingDays))
	case d.Days > 0:
		hours := start.Add(time.Duration(d.Days) * 24 * time.Hour).UTC()
		if last := endOfDay(local.AddDate(0, 0, d.Days-1)); last.Before(hours) {
			return last
		}
		return hours
	case d.HalfYearDays > 0:
		return endOfDay(endOfHalfYear(local).AddDate(0, 0, d.HalfYearDays))
	}
	return start.UTC()
}

// workingDay returns the nth working day after day. The calendar cannot starve
// it: after a year without a working day it gives up and counts calendar days.
func (c Calendar) workingDay(day time.Time, n int) time.Time {
	for i := 1; i <= 366; i++ {
		next := day.AddDate(0, 0, i)
		if c.works(next) {
			n--
		}
		if n == 0 {
			return next
		}
	}
	return day.AddDate(0, 0, n)
}

func endOfDay(day time.Time) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 23, 59, 59, 0, Dhaka).UTC()
}

func endOfHalfYear(day time.Time) time.Time {
	if day.Month() <= time.June {
		return time.Date(day.Year(), time.June, 30, 12, 0, 0, 0, Dhaka)
	}
	return time.Date(day.Year(), time.December, 31, 12, 0, 0, 0, Dhaka)
}

// calendars returns the calendars that could apply to site: the government's
// and the factory's own. Which one does is not settled, so the earlier result
// counts.
func (l *Law) calendars(site safety.Site, year int) []Calendar {
	weekly, holidays := dayOff(site)
	for _, h := range l.holidays {
		for y := year - 1; y <= year+1; y++ {
			if date := time.Date(y, 1, 1, 0, 0, 0, 0, Dhaka).Format("2006") + "-" + h.Date; h.Verified {
				holidays[date] = true
			}
		}
	}
	cs := []Calendar{{Weekend: l.weekend, Holidays: holidays}}
	if len(weekly) > 0 {
		cs = append(cs, Calendar{Weekend: weekly, Holidays: holidays})
	}
	return cs
}

// Clocks returns the clocks that run for an incident of a kind at a site once
// its employer is aware of it, one per clause in force and recipient, on
// whatever paper. Clocks that start with a death are a person's to open.
func (l *Law) Clocks(kind string, site safety.Site, aware time.Time) []safety.Clock {
	return l.clocks(kind, site, aware, func(Clause) bool { return true })
}

func (l *Law) clocks(kind string, site safety.Site, aware time.Time, of func(Clause) bool) []safety.Clock {
	clocks := []safety.Clock{}
	for _, c := range l.Clauses {
		if !of(c) || !slices.Contains(c.Kinds, kind) || c.Starts != startsAware || !inForce(c.From, c.To, aware) || c.Regime != regime(site) {
			continue
		}
		var due time.Time
		for _, cal := range l.calendars(site, aware.In(Dhaka).Year()) {
			if d := c.Deadline.Due(aware, cal); due.IsZero() || d.Before(due) {
				due = d
			}
		}
		for _, recipient := range c.Recipients {
			clocks = append(clocks, safety.Clock{
				Law: c.Law, Clause: c.Clause, Recipient: recipient,
				StartsAt: aware.UTC(), DueAt: due, Verified: c.Verified,
			})
		}
	}
	return clocks
}

func regime(site safety.Site) string {
	if site.Factory.Regime == "" {
		return "labour_act"
	}
	return site.Factory.Regime
}

// inForce reports whether at falls on a day from from to to, "" = no known end.
func inForce(from, to string, at time.Time) bool {
	day := at.In(Dhaka).Format(time.DateOnly)
	return from <= day && (to == "" || day <= to)
}

// Met returns clocks with those that the desk's receipt ends marked as met.
func (l *Law) Met(clocks []safety.Clock, receivedAt time.Time) []safety.Clock {
	out := slices.Clone(clocks)
	for i, clock := range out {
		met := slices.ContainsFunc(l.Clauses, func(c Clause) bool {
			return c.MetBy == metByReceipt && c.Law == clock.Law && c.Clause == clock.Clause &&
				slices.Contains(c.Recipients, clock.Recipient)
		})
		if met && clock.MetAt == nil {
			out[i].MetAt = &receivedAt
		}
	}
	return out
}

// EarliestDue returns the due time of the earliest open clock, nil if none is open.
func EarliestDue(clocks []safety.Clock) *time.Time {
	var due *time.Time
	for _, c := range clocks {
		if c.MetAt == nil && (due == nil || c.DueAt.Before(*due)) {
			due = &c.DueAt
		}
	}
	return due
}
