package alerts

import (
	"strings"
	"time"

	"nirapod/alerts/notice"
	"nirapod/safety"
)

// Delays returns V1 and V2 at a site at a time: by day while a shift works, by
// night else, where there are none unless the site says so. A site whose
// shifts are not known has nobody who is known to be there.
func Delays(site safety.Site, at time.Time) (v1, v2 time.Duration) {
	d := site.Factory.Delays
	if _, working := shiftAt(site, at); !working {
		return d.NightV1, d.NightV2
	}
	if d.DayV1 == 0 && d.DayV2 == 0 {
		return defaultV1, defaultV2
	}
	return d.DayV1, d.DayV2
}

// shiftAt returns the id of the shift that works at a time.
func shiftAt(site safety.Site, at time.Time) (id string, working bool) {
	local := at.In(notice.Dhaka)
	minute := local.Hour()*60 + local.Minute()
	day := local
	for _, shift := range site.Factory.Shifts {
		from, fromOK := clock(shift.From)
		to, toOK := clock(shift.To)
		if !fromOK || !toOK {
			continue
		}
		inside := minute >= from && minute < to
		if to <= from { // over midnight
			inside = minute >= from || minute < to
			if minute < to {
				day = local.AddDate(0, 0, -1)
			}
		}
		if inside && !holiday(site, day) {
			return shift.ID, true
		}
		day = local
	}
	return "", false
}

func clock(text string) (minute int, ok bool) {
	t, err := time.Parse("15:04", text)
	if text == "24:00" {
		return 24 * 60, true
	}
	return t.Hour()*60 + t.Minute(), err == nil
}

func holiday(site safety.Site, day time.Time) bool {
	for _, h := range site.Factory.Calendar {
		if h.Date == day.Format(time.DateOnly) {
			return true
		}
	}
	weekly := strings.ToLower(site.Factory.WeeklyHoliday)
	return weekly != "" && strings.Contains(weekly, strings.ToLower(day.Weekday().String()[:3]))
}
