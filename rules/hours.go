package rules

// inShift is whether a shift works: from its start until just before its end.
func (l *lowerer) inShift() cond {
	l.uses.live, l.uses.place.calendar, l.uses.place.shifts = true, true, true
	return ofPlace("in_shift", func(v *view) truth {
		c := &v.site.calendar
		return truthOf(c.within(c.shifts, v.now))
	})
}

func (l *lowerer) inHours() cond {
	l.uses.live, l.uses.place.calendar, l.uses.place.hours = true, true, true
	return ofPlace("approved_hours", func(v *view) truth {
		c := &v.site.calendar
		return truthOf(c.within(c.hours, v.now))
	})
}

// sinceShiftStart is how long ago the newest shift began, s. It grows without a
// reading, and is looked at with each tick.
func (l *lowerer) sinceShiftStart() number {
	l.uses.live, l.uses.clock, l.uses.place.calendar, l.uses.place.shifts = true, true, true, true
	ask := func(v *view) span {
		start := v.site.calendar.shiftStart(v.now)
		if start == never {
			return anything
		}
		return exactly(float64(v.now-start) / 1000)
	}
	return noted("since_shift_start", "s", ask)
}

// noted is a number of the place that stands under its name in the evidence.
func noted(name, unit string, ask func(*view) span) number {
	return number{
		eval: ask,
		why: func(v *view, found *evidence) {
			if s := ask(v); s.known() {
				found.note(name, s.lo)
			}
		},
		unit: unit,
		text: name,
	}
}
