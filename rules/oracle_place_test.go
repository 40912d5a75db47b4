package rules

import (
	"math"
	"time"

	"pgregory.net/rapid"

	"nirapod/safety"
)

// surroundings are what a drawn plant knows beside its readings, as a site file
// writes it: the answers are worked out again from these words.
type surroundings struct {
	now      time.Time
	area     float64 // m2
	height   float64 // m
	posted   int
	employed int
	rated    float64 // bar
	licence  time.Time
	calendar Calendar
}

var dhaka = time.FixedZone("Asia/Dhaka", 6*3600)

// today is near when oracle plants live.
var today = time.Date(2026, 11, 26, 0, 0, 0, 0, dhaka)

func drawDay(t *rapid.T) time.Time {
	return today.AddDate(0, 0, rapid.IntRange(-40, 40).Draw(t, "day"))
}

// clock draws a time of day near now, where answers turn.
func (s surroundings) clock(t *rapid.T) string {
	near := s.now.Round(30 * time.Minute).Add(time.Duration(rapid.IntRange(-6, 6).Draw(t, "clock")) * 30 * time.Minute)
	return near.In(dhaka).Format("15:04")
}

func drawSurroundings(t *rapid.T) surroundings {
	s := surroundings{
		area: rapid.Float64Range(1, 400).Draw(t, "area"), height: rapid.Float64Range(2, 9).Draw(t, "height"),
		posted:   rapid.SampledFrom([]int{0, 0, 25, 40}).Draw(t, "posted"),
		employed: rapid.IntRange(1, 60).Draw(t, "employed"), rated: rapid.Float64Range(3, 12).Draw(t, "rated"),
		licence: drawDay(t),
		now: drawDay(t).Add(time.Duration(rapid.IntRange(0, 47).Draw(t, "half hours")) * 30 * time.Minute).
			Add(rapid.SampledFrom([]time.Duration{0, -time.Millisecond, time.Millisecond, 8 * time.Second}).Draw(t, "beside")),
	}
	c := &s.calendar
	c.WeeklyHoliday = rapid.SampledFrom([]string{"", "fri", "sun"}).Draw(t, "holiday")
	for range rapid.IntRange(1, 3).Draw(t, "shifts") {
		c.Shifts = append(c.Shifts, safety.Shift{From: s.clock(t), To: s.clock(t)})
	}
	c.Hours = []safety.Hours{{Days: "sat-thu", From: s.clock(t), To: s.clock(t)}}
	for range rapid.IntRange(0, 2).Draw(t, "holidays") {
		c.Holidays = append(c.Holidays, safety.Holiday{Date: drawDay(t).Format(time.DateOnly), Gazetted: rapid.Bool().Draw(t, "gazetted")})
	}
	return s
}

// place is what the engine makes of the words.
func (s surroundings) place(z *safety.Zone) (*place, calendar) {
	z.Area, z.Height, z.PostedMaximum, z.Employed = s.area, s.height, s.posted, s.employed
	day, _ := dateOf(s.licence.Format(time.DateOnly))
	return &place{Zone: z, rated: s.rated, licensed: dated, licence: day}, (&binder{}).calendar(s.calendar)
}

// off reports whether nobody works on the day, by hours or by shifts.
func (s surroundings) off(day time.Time) bool {
	for _, h := range s.calendar.Holidays {
		if h.Gazetted && h.Date == day.Format(time.DateOnly) {
			return true
		}
	}
	return map[string]time.Weekday{"fri": time.Friday, "sun": time.Sunday, "": -1}[s.calendar.WeeklyHoliday] == day.Weekday()
}

// stretchOn returns when it begins and ends if it begins on the day.
func (s surroundings) stretchOn(day time.Time, from, to string) (begin, end time.Time, ok bool) {
	at := func(clock string) time.Time {
		t, _ := time.Parse("15:04", clock)
		return day.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
	}
	begin, end = at(from), at(to)
	if !end.After(begin) {
		end = end.AddDate(0, 0, 1)
	}
	return begin, end, !s.off(day)
}

func (s surroundings) midnight() time.Time {
	y, m, d := s.now.In(dhaka).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, dhaka)
}

// works reports whether one of the stretches holds the moment.
func (s surroundings) works(from, to string, notOn time.Weekday) bool {
	for back := range 2 {
		day := s.midnight().AddDate(0, 0, -back)
		begin, end, ok := s.stretchOn(day, from, to)
		if ok && day.Weekday() != notOn && !s.now.Before(begin) && s.now.Before(end) {
			return true
		}
	}
	return false
}

func (s surroundings) sinceShiftStart() float64 {
	newest := math.Inf(1)
	for back := range longestRest {
		for _, shift := range s.calendar.Shifts {
			begin, _, ok := s.stretchOn(s.midnight().AddDate(0, 0, -back), shift.From, shift.To)
			if ok && !begin.After(s.now) {
				newest = min(newest, s.now.Sub(begin).Seconds())
			}
		}
	}
	return newest
}

// daysSince counts midnights of Bangladesh from a day to now.
func (s surroundings) daysSince(day time.Time) float64 {
	return math.Round(s.midnight().Sub(day).Hours() / 24)
}

// vm is what expr's machine is told of the place.
func (s surroundings) vm(env map[string]any) {
	inShift := false
	for _, shift := range s.calendar.Shifts {
		inShift = inShift || s.works(shift.From, shift.To, -1)
	}
	env["in_shift"], env["since_shift_start"] = inShift, s.sinceShiftStart()
	env["approved_hours"] = s.works(s.calendar.Hours[0].From, s.calendar.Hours[0].To, time.Friday)
	env["licence_left"], env["licence_expired"] = -s.daysSince(s.licence), s.daysSince(s.licence) > 0
	env["employed"], env[ratedName] = float64(s.employed), s.rated
	env[capacityName] = func(space, ceiling float64) float64 {
		if s.posted > 0 {
			return float64(s.posted)
		}
		return math.Floor(s.area * min(s.height, ceiling) / space)
	}
}

// papersDrawn are the dates in a sensor's papers and the permit that stands.
type papersDrawn struct {
	calibrated, bumped, walked, life time.Time
	from, until                      time.Time // of the permit
}

func drawPapers(t *rapid.T, spec *safety.Sensor, now time.Time) papersDrawn {
	p := papersDrawn{calibrated: drawDay(t), bumped: drawDay(t), walked: drawDay(t), life: drawDay(t)}
	text := func(day time.Time) string { return day.Format(time.DateOnly) }
	spec.Calibrated, spec.Bumped, spec.Walked, spec.EndOfLife = text(p.calibrated), text(p.bumped), text(p.walked), text(p.life)
	p.from = now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "from")) * time.Hour)
	p.until = p.from.Add(time.Duration(rapid.IntRange(1, 3).Draw(t, "permit")) * time.Hour)
	return p
}

// vm is what expr's machine is told of a sensor's papers.
func (p papersDrawn) vm(s surroundings) papersOfMember {
	return papersOfMember{
		CalibrationAge: s.daysSince(p.calibrated), BumpAge: s.daysSince(p.bumped), WalkAge: s.daysSince(p.walked), LifeLeft: -s.daysSince(p.life),
		Calibrated: s.daysSince(p.calibrated) >= 0, BumpTested: s.daysSince(p.bumped) >= 0, WalkTested: s.daysSince(p.walked) >= 0,
		WornOut:  s.daysSince(p.life) > 0,
		Isolated: !s.now.Before(p.from) && s.now.Before(p.until), Untested: !s.now.Before(p.until),
	}
}

// placeAtoms are conditions about the place, and about papers if dot asks a
// sensor. An age is asked only where it is known: after its date.
func placeAtoms(t *rapid.T, dot string) []func() string {
	atoms := []func() string{
		func() string {
			return dot + rapid.SampledFrom([]string{"calibrated", "bump_tested", "walk_tested", "worn_out", "isolated", "untested"}).Draw(t, "paper")
		},
		func() string { return dot + "life_left" + drawOp(t) + "due" },
		func() string {
			paper := rapid.SampledFrom([][2]string{{"calibrated", "calibration_age"}, {"bump_tested", "bump_age"}, {"walk_tested", "walk_age"}}).Draw(t, "dated")
			return "(" + dot + paper[0] + " && " + dot + paper[1] + drawOp(t) + "due)"
		},
	}
	if dot != "" {
		return atoms
	}
	return append(atoms,
		func() string {
			return rapid.SampledFrom([]string{"in_shift", "approved_hours", "licence_expired"}).Draw(t, "calendar")
		},
		func() string { return "since_shift_start" + drawOp(t) + "early" },
		func() string { return "licence_left" + drawOp(t) + "due" },
		func() string { return ratedName + drawOp(t) + "bars" },
		func() string { return "capacity(space, ceiling)" + drawOp(t) + "employed" },
		func() string { return "capacity(space, ceiling)" + drawOp(t) + "crowd" },
	)
}
