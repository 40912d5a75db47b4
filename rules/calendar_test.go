package rules

import (
	"testing"
	"time"

	"nirapod/safety"
)

var worked = Calendar{
	Shifts: []safety.Shift{
		{ID: "day", From: "08:00", To: "17:00"},
		{ID: "night", From: "22:00", To: "06:00", Until: "2026-03-31"},
		{ID: "ramadan", From: "20:00", To: "21:00", Since: "2026-02-18", Until: "2026-03-19"},
	},
	Hours:         []safety.Hours{{Days: "sat-wed", From: "08:00", To: "24:00"}},
	WeeklyHoliday: "friday",
	Holidays:      []safety.Holiday{{Date: "2026-03-26", Gazetted: true}, {Date: "2026-03-20"}},
}

func calendarOf(t *testing.T, c Calendar) *calendar {
	t.Helper()
	b := &binder{engine: &Engine{}}
	out := b.calendar(c)
	if len(b.mistakes) > 0 {
		t.Fatal(b.mistakes)
	}
	return &out
}

func local(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, time.FixedZone("+06", 6*3600))
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

// 26 March 2026 is a Thursday.
func TestTheCalendarOfASite(t *testing.T) {
	c := calendarOf(t, worked)
	for _, x := range []struct {
		name, at        string
		shift, approved bool
		start           string
	}{
		{"a shift begins with its minute", "2026-03-25 08:00:00", true, true, "2026-03-25 08:00:00"},
		{"and has not begun before", "2026-03-25 07:59:59", false, false, "2026-03-24 22:00:00"},
		{"it is over at its end", "2026-03-25 17:00:00", false, true, "2026-03-25 08:00:00"},
		{"a night's shift goes on into a holiday", "2026-03-26 05:59:59", true, false, "2026-03-25 22:00:00"},
		{"and none begins there", "2026-03-26 09:00:00", false, false, "2026-03-25 22:00:00"},
		{"nor on the weekly holiday, which this one is too", "2026-03-27 23:00:00", false, false, "2026-03-25 22:00:00"},
		{"the day after, one does", "2026-03-28 09:00:00", true, true, "2026-03-28 08:00:00"},
		{"on its last day a shift begins and ends on the next", "2026-04-01 03:00:00", true, false, "2026-03-31 22:00:00"},
		{"then it is no more", "2026-04-01 23:00:00", false, true, "2026-04-01 08:00:00"},
		{"one that is in force for a month", "2026-03-18 20:30:00", true, true, "2026-03-18 20:00:00"},
		{"and not after", "2026-03-22 20:30:00", false, true, "2026-03-22 08:00:00"},
	} {
		t.Run(x.name, func(t *testing.T) {
			at := local(t, x.at)
			if got := c.within(c.shifts, at); got != x.shift {
				t.Errorf("in shift: %v, want %v", got, x.shift)
			}
			if got := c.within(c.hours, at); got != x.approved {
				t.Errorf("approved: %v, want %v", got, x.approved)
			}
			if got := c.shiftStart(at); got != local(t, x.start) {
				t.Errorf("the shift began %v, want %s", time.UnixMilli(got).UTC(), x.start)
			}
		})
	}
}

// Between two turns nothing changes, and at each something may.
func TestTheCalendarTurnsWhereItChanges(t *testing.T) {
	c := calendarOf(t, worked)
	at := local(t, "2026-03-24 12:00:00")
	says := func(ms int64) [4]any {
		return [4]any{c.within(c.shifts, ms), c.within(c.hours, ms), c.shiftStart(ms), dayOf(ms)}
	}
	for range 60 {
		next := c.next(at)
		if next <= at {
			t.Fatalf("no turn after %v", time.UnixMilli(at).UTC())
		}
		for _, between := range []int64{at + 1, (at + next) / 2, next - 1} {
			if between > at && says(between) != says(at) {
				t.Fatalf("%v: %v, at the turn before %v", time.UnixMilli(between).UTC(), says(between), says(at))
			}
		}
		at = next
	}
}

func TestACalendarThatCannotBeReadIsRefused(t *testing.T) {
	for _, c := range []Calendar{
		{WeeklyHoliday: "someday"}, {Shifts: []safety.Shift{{From: "8", To: "17:00"}}}, {Hours: []safety.Hours{{Days: "x-y", From: "08:00", To: "17:00"}}},
		{Holidays: []safety.Holiday{{Date: "tomorrow"}}}, {Shifts: []safety.Shift{{From: "08:00", To: "17:00", Since: "now"}}},
	} {
		b := &binder{engine: &Engine{}}
		if b.calendar(c); len(b.mistakes) == 0 {
			t.Errorf("%+v is taken", c)
		}
	}
}
